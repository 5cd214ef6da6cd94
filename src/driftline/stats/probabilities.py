"""How far probabilities can be taken at their word."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS = 10


class Reliability(NamedTuple):
    """A reliability curve of ten bins of equal width over [0, 1]; empty bins have weight 0 and NaN shares."""

    scores: Floats
    positives: Floats
    weights: Floats


def curve(scores: Floats, positives: Floats, negatives: Floats) -> Reliability | None:
    """Mean score and share of positives in each bin, from a score table; None when a score is no probability.

    A bin holds (i/10, (i+1)/10]; the first also holds 0.
    """
    if len(scores) and not (scores[0] >= 0 and scores[-1] <= 1):
        return None
    weight = positives + negatives
    places = np.maximum(np.searchsorted(np.arange(BINS) / BINS, scores) - 1, 0)
    weights = np.bincount(places, weights=weight, minlength=BINS)
    with np.errstate(invalid="ignore"):
        means = np.bincount(places, weights=scores * weight, minlength=BINS) / weights
        shares = np.bincount(places, weights=positives, minlength=BINS) / weights
    return Reliability(means, shares, weights.astype(np.float64))


def expected_calibration_error(curve: Reliability) -> float | None:
    """The mean gap between score and share of positives over the bins, weighted by rows (Naeini et al. 2015)."""
    full = curve.weights > 0
    if not full.any():
        return None
    gaps = np.abs(curve.scores[full] - curve.positives[full])
    return float(gaps @ curve.weights[full] / curve.weights[full].sum())


def brier(scores: Floats, positives: Floats, negatives: Floats) -> float | None:
    """The mean squared difference between score and outcome (Brier 1950); None without rows."""
    total = float(positives.sum() + negatives.sum())
    if total <= 0:
        return None
    return float(positives @ (1 - scores) ** 2 + negatives @ scores**2) / total
