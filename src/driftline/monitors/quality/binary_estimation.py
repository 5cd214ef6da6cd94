"""The calibration of a binary baseline's scores, and the estimate of a window's metrics from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from driftline.analyzers.scores import ScoreDistribution
from driftline.monitors.quality.estimation import History, unreadable, unusable, why_unusable
from driftline.stats import estimation
from driftline.stats.calibrator import Calibrator, Condition, fit
from driftline.stats.estimability import Unlabelled


def calibration_document(scores: ScoreDistribution, *, threshold: float, seed: int) -> dict[str, Any]:
    """What a baseline stores so that later windows can be estimated: the calibrator, or why there is none."""
    if scores.rounding:
        return unusable(Condition("rounded_scores", "the baseline has too many distinct scores", {}))
    found = fit(scores.table, threshold=threshold, seed=seed)
    if isinstance(found, Condition):
        return unusable(found)
    return {"threshold": threshold, "calibrator": found.to_builtins()}


def estimate(
    calibration: Mapping[str, Any], decided: ScoreDistribution, *, threshold: float, seed: int, history: History = ()
) -> estimation.Estimate:
    """The estimate of all predictions of a window; without metrics where it must not be made.

    ``decided`` is the distribution of scores with the decision in the place of the label. ``history`` tells of earlier
    windows whether their metrics, when labels came, lay within their estimates; oldest first.
    """
    table = decided.table
    counts, flagged = (np.rint(part).astype(np.int64) for part in (table.positives + table.negatives, table.positives))
    return estimation.estimate(
        _calibrator(calibration, threshold),
        Unlabelled(table.scores, counts, flagged),
        threshold=threshold,
        seed=seed,
        history=history,
    )


def _calibrator(calibration: Mapping[str, Any], threshold: float) -> Calibrator | Condition | None:
    reason = why_unusable(calibration)
    if reason is not None or "calibrator" not in calibration:
        return reason
    if calibration.get("threshold") != threshold:
        message = f"the baseline was calibrated for the threshold {calibration.get('threshold')}, not {threshold}"
        return Condition("other_threshold", message, {})
    try:
        return Calibrator.from_builtins(calibration["calibrator"])
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(error) from None
