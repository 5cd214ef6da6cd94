"""What the baseline of a schedule asks of a metric of model quality, for charts that show a limit nobody has broken."""

from __future__ import annotations

from sqlalchemy import Connection

from driftline.core.constraint_documents import read_any_constraints
from driftline.core.documents import ModelQualityConstraints
from driftline.core.errors import InputError
from driftline.storage import baselines, schedules


def threshold_of(db: Connection, schedule: str, metric: str) -> float | None:
    """The threshold of a metric; None where there is no baseline, or it asks nothing of that metric."""
    name = schedules.get(db, schedule).baseline
    document = None if name is None else baselines.constraints_of(db, name)
    if document is None:
        return None
    try:
        found = read_any_constraints(document, f"the baseline {name}", "model-quality")
    except InputError:
        # A page must not fail on a document that the run itself refuses, with its reason.
        return None
    limit = found.constraints.get(metric) if isinstance(found, ModelQualityConstraints) else None
    return None if limit is None else limit.threshold
