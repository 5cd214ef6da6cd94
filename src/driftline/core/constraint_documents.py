"""``constraints.json`` of whichever monitor; that of bias and of attribution is a baseline's ``analysis.json``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from driftline.core.analysis_documents import attribution_document, bias_document, read_attribution, read_bias
from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.attribution_document import EXPLANATIONS
from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.bias_document import BIAS_SECTIONS
from driftline.core.documents import FAMILIES, ModelQualityConstraints, constraints_document, read_constraints
from driftline.core.errors import InputError
from driftline.core.json_text import parse_object
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_constraints_document import read_table_constraints, table_constraints_document

Rules = ModelQualityConstraints | DataQualityConstraints
Constraints = Rules | BiasAnalysis | AttributionAnalysis
Monitor = Literal["model-quality", "data-quality", "bias", "attribution"]
_KEYS: dict[Monitor, tuple[str, ...]] = {
    "model-quality": tuple(f"{family}_constraints" for family in FAMILIES.values()),
    "data-quality": ("features",),
    "bias": tuple(BIAS_SECTIONS.values()),
    "attribution": (EXPLANATIONS,),
}
_READERS: dict[Monitor, Callable[[bytes, str], Constraints]] = {
    "model-quality": read_constraints,
    "data-quality": read_table_constraints,
    "bias": read_bias,
    "attribution": read_attribution,
}


def read_any_constraints(data: bytes, source: str, monitor: Monitor | None = None) -> Constraints:
    """The constraints of a ``constraints.json``, of whichever monitor.

    An ``analysis.json`` may hold those of bias and of attribution; ``monitor`` says which are meant. ``source`` names
    the file in messages. Raises :class:`InputError` with the reason for a document that cannot be used, or that is for
    several monitors or for none.
    """
    document = parse_object(data, source)
    found = [one for one, keys in _KEYS.items() if any(key in document for key in keys)]
    if monitor in found:
        found = [monitor]
    if len(found) != 1 or monitor not in (None, *found):
        raise _other(document, source, found, monitor)
    return _READERS[found[0]](data, source)


def _other(document: dict[str, Any], source: str, found: list[Monitor], monitor: Monitor | None) -> InputError:
    said = f" of the {monitor} monitor" if monitor else ""
    of_both = "both monitors" if len(found) == 2 else f"{len(found)} monitors"
    wanted = "; ".join(f"{', '.join(keys)} ({one})" for one, keys in _KEYS.items() if monitor in (None, one))
    return InputError(
        f"{source} holds constraints of {of_both}" if len(found) > 1 else f"{source} holds no constraints{said}",
        evidence=f"its keys are: {', '.join(document) or 'none'}",
        hint=f"expected one of {wanted}",
    )


def rules_of(constraints: Constraints) -> Rules:
    """Constraints with settings that can be compared and changed; raises :class:`InputError` for an analysis."""
    if isinstance(constraints, BiasAnalysis | AttributionAnalysis):
        raise InputError(
            "an analysis has no settings",
            evidence=f"these are what a baseline of {monitor_of(constraints)} found",
            hint="make the baseline again; how strictly it is held against is set where the check is run",
        )
    return constraints


def monitor_of(constraints: Constraints) -> Monitor:
    """Which monitor constraints are for.

    >>> monitor_of(DataQualityConstraints(()))
    'data-quality'
    >>> monitor_of(AttributionAnalysis(()))
    'attribution'
    """
    if isinstance(constraints, BiasAnalysis):
        return "bias"
    if isinstance(constraints, AttributionAnalysis):
        return "attribution"
    return "data-quality" if isinstance(constraints, DataQualityConstraints) else "model-quality"


def any_constraints_document(constraints: Constraints) -> dict[str, Any]:
    """The content of ``constraints.json``, of whichever monitor."""
    if isinstance(constraints, BiasAnalysis):
        return bias_document(constraints)
    if isinstance(constraints, AttributionAnalysis):
        return attribution_document(constraints)
    if isinstance(constraints, DataQualityConstraints):
        return table_constraints_document(constraints)
    return constraints_document(constraints)
