"""Binary metrics estimated before labels arrive, and held against the truth once they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from driftline.analyzers.scores import ScoreDistribution
from driftline.core.documents import Metric
from driftline.core.errors import InputError
from driftline.stats import estimation, hindsight
from driftline.stats.calibrator import Calibrator, Condition, fit
from driftline.stats.estimability import Unlabelled

KEY = "estimated_binary_classification_metrics"
CALIBRATION = "score_calibration"
ENOUGH_LABELS = 0.9
History = Sequence[Mapping[str, bool | None]]


def calibration_document(scores: ScoreDistribution, *, threshold: float, seed: int) -> dict[str, Any]:
    """What a baseline stores so that later windows can be estimated: the calibrator, or why there is none."""
    if scores.rounding:
        return {"unusable": {"code": "rounded_scores", "message": "the baseline has too many distinct scores"}}
    found = fit(scores.table, threshold=threshold, seed=seed)
    if isinstance(found, Condition):
        return {"unusable": {"code": found.code, "message": found.message}}
    return {"threshold": threshold, "calibrator": found.to_builtins()}


def estimate_document(
    calibration: Mapping[str, Any], decided: ScoreDistribution, *, threshold: float, seed: int, history: History = ()
) -> dict[str, Any]:
    """The estimate of all predictions of a window, marked as one; without metrics where it must not be made.

    ``decided`` is the distribution of scores with the decision in the place of the label. ``history`` tells of earlier
    windows whether their metrics, when labels came, lay within their estimates; oldest first.
    """
    table = decided.table
    counts, flagged = (np.rint(part).astype(np.int64) for part in (table.positives + table.negatives, table.positives))
    found = estimation.estimate(
        _calibrator(calibration, threshold),
        Unlabelled(table.scores, counts, flagged),
        threshold=threshold,
        seed=seed,
        history=history,
    )
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


def _calibrator(calibration: Mapping[str, Any], threshold: float) -> Calibrator | Condition | None:
    unusable = calibration.get("unusable")
    if unusable is not None:
        return Condition(str(unusable.get("code")), str(unusable.get("message")), {})
    if "calibrator" not in calibration:
        return None
    if calibration.get("threshold") != threshold:
        message = f"the baseline was calibrated for the threshold {calibration.get('threshold')}, not {threshold}"
        return Condition("other_threshold", message, {})
    try:
        return Calibrator.from_builtins(calibration["calibrator"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            "the baseline's score calibration cannot be read", evidence=str(error)[:200], hint="make the baseline again"
        ) from None
