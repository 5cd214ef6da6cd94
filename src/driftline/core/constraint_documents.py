"""``constraints.json`` of whichever monitor it is for."""

from __future__ import annotations

from typing import Any, Literal

from driftline.core.documents import FAMILIES, ModelQualityConstraints, constraints_document, read_constraints
from driftline.core.errors import InputError
from driftline.core.json_text import parse_object
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_constraints_document import read_table_constraints, table_constraints_document

Constraints = ModelQualityConstraints | DataQualityConstraints
Monitor = Literal["model-quality", "data-quality"]


def read_any_constraints(data: bytes, source: str) -> Constraints:
    """The constraints of a ``constraints.json``, of model quality or of data quality.

    ``source`` names the file in messages. Raises :class:`InputError` with the line and the reason for a document that
    cannot be used, or that is for both monitors or for neither.
    """
    document = parse_object(data, source)
    sections = [f"{family}_constraints" for family in FAMILIES.values()]
    of_table, of_model = "features" in document, any(section in document for section in sections)
    if of_table == of_model:
        raise InputError(
            f"{source} holds constraints of both monitors" if of_table else f"{source} holds no constraints",
            evidence=f"its keys are: {', '.join(document) or 'none'}",
            hint=f"expected features (data quality), or one of {', '.join(sections)} (model quality)",
        )
    return read_table_constraints(data, source) if of_table else read_constraints(data, source)


def monitor_of(constraints: Constraints) -> Monitor:
    """Which monitor constraints are for.

    >>> monitor_of(DataQualityConstraints(()))
    'data-quality'
    """
    return "data-quality" if isinstance(constraints, DataQualityConstraints) else "model-quality"


def any_constraints_document(constraints: Constraints) -> dict[str, Any]:
    """The content of ``constraints.json``, of whichever monitor."""
    if isinstance(constraints, DataQualityConstraints):
        return table_constraints_document(constraints)
    return constraints_document(constraints)
