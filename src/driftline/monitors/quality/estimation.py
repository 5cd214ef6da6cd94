"""Metrics estimated before labels arrive: the documents of baselines and windows, and what the truth made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftline.core.documents import FAMILIES, Metric
from driftline.core.errors import InputError
from driftline.stats import estimation, hindsight
from driftline.stats.calibrator import Condition

CALIBRATION = "score_calibration"
ENOUGH_LABELS = 0.9
History = Sequence[Mapping[str, bool | None]]


def estimate_key(problem_type: str) -> str:
    """Where the statistics of a run keep the estimate.

    >>> estimate_key("BinaryClassification")
    'estimated_binary_classification_metrics'
    """
    return f"estimated_{FAMILIES[problem_type]}_metrics"


def estimate_of(statistics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The estimate that the statistics of a run hold, of whatever problem type; empty where they hold none."""
    found = (statistics.get(estimate_key(problem_type)) for problem_type in FAMILIES)
    return next((document for document in found if document), {})


def estimate_document(found: estimation.Estimate) -> dict[str, Any]:
    """An estimate as it stands in the statistics, marked as one; without metrics where none must be made."""
    return {
        "is_estimate": True,
        "method": found.method,
        "rows": found.rows,
        "level": found.level,
        "metrics": {name: metric._asdict() for name, metric in found.metrics.items()},
        "conditions": [condition._asdict() for condition in found.conditions],
    }


def held_against(document: Mapping[str, Any], realised: Mapping[str, Metric]) -> dict[str, bool | None]:
    """For each estimated metric whether the measured one lies in its interval; None where either has no value."""
    estimated = {name: estimation.Estimated(**metric) for name, metric in document["metrics"].items()}
    return hindsight.check(estimated, {name: metric.value for name, metric in realised.items()})


def unusable(condition: Condition) -> dict[str, Any]:
    """The calibration of a baseline that none can be made of, and why."""
    return {"unusable": {"code": condition.code, "message": condition.message}}


def why_unusable(calibration: Mapping[str, Any]) -> Condition | None:
    """The condition that :func:`unusable` wrote."""
    reason = calibration.get("unusable")
    return None if reason is None else Condition(str(reason.get("code")), str(reason.get("message")), {})


def unreadable(error: Exception) -> InputError:
    """A baseline's calibration that was written by something else, or changed."""
    return InputError(
        "the baseline's score calibration cannot be read", evidence=str(error)[:200], hint="make the baseline again"
    )
