"""The calibration of a multiclass baseline's probability vectors, and the estimate of a window's metrics from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from driftline.analyzers.confusion import ConfusionMatrix
from driftline.monitors.quality.estimation import History, unreadable, unusable, why_unusable
from driftline.stats.calibrator import Condition
from driftline.stats.estimation import Estimate
from driftline.stats.masses import Masses
from driftline.stats.multiclass_estimation import MulticlassCalibrator, estimate_multiclass, fit_multiclass


def calibration_document(said: Masses, confusion: ConfusionMatrix, classes: Sequence[str]) -> dict[str, Any]:
    """What a baseline stores so that later windows can be estimated: the calibrator, or why there is none."""
    found = _fitted(said, confusion, classes)
    if isinstance(found, Condition):
        return unusable(found)
    return {"classes": list(classes), "calibrator": found.to_builtins()}


def estimate(
    calibration: Mapping[str, Any], said: Masses, classes: Sequence[str], *, seed: int, history: History = ()
) -> Estimate:
    """The estimate of all predictions of a window; without metrics where it must not be made."""
    return estimate_multiclass(_calibrator(calibration, classes), said, seed=seed, history=history)


def _fitted(said: Masses, confusion: ConfusionMatrix, classes: Sequence[str]) -> MulticlassCalibrator | Condition:
    strange = sorted(set(confusion.labels) - set(classes))
    if strange:
        return Condition("other_classes", f"the baseline has labels or predictions of no class: {strange[:3]}", {})
    if confusion.weighted:
        return Condition("weighted_baseline", "a baseline of weighted rows cannot calibrate probabilities", {})
    place = [classes.index(label) for label in confusion.labels]
    actual = np.zeros((len(classes), len(classes)), dtype=np.int64)
    # The matrix is [actual, predicted]; the calibrator wants what was predicted first.
    actual[np.ix_(place, place)] = np.rint(confusion.cells.T).astype(np.int64)
    return fit_multiclass(said, actual)


def _calibrator(calibration: Mapping[str, Any], classes: Sequence[str]) -> MulticlassCalibrator | Condition | None:
    reason = why_unusable(calibration)
    if reason is not None or "calibrator" not in calibration:
        return reason
    if calibration.get("classes") != list(classes):
        return Condition("other_classes", "the baseline was calibrated for other classes, or in another order", {})
    try:
        return MulticlassCalibrator.from_builtins(calibration["calibrator"])
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(error) from None
