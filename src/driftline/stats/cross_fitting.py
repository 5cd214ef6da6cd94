"""How far calibrated probabilities are from what came true, judged on rows that the calibration did not see."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftline.stats.intervals import quantile
from driftline.stats.isotonic import isotonic

Integers = npt.NDArray[np.int64]

FOLDS, GROUPS = 5, 10


def calibration_error(positives: Integers, negatives: Integers, seed: int) -> tuple[float, float]:
    """The expected calibration error, each fold judged by the map of the others, and what chance lets it reach.

    The error is that of Guo et al. (ICML 2017): the rows' mean distance, by group of cells, between the mean of
    what was said and the share that came true. A group's distance has by chance the mean √(2/π)·s of a folded
    normal, and the sum a deviation too; the second number is the 97.5 % point, with s² of the rows and of the map.
    """
    random = np.random.default_rng(seed)
    wins, losses = (_dealt(random, part) for part in (positives, negatives))
    rows = wins + losses
    kept = rows.sum(axis=0) - rows
    safe = np.maximum(kept, 0.5)
    said = (isotonic((wins.sum(axis=0) - wins) / safe, safe) * rows).sum(axis=0)
    total = rows.sum(axis=0)
    group = ((np.cumsum(total) - total / 2) * GROUPS / total.sum()).astype(np.intp)
    n, came, told = (np.bincount(group, weights=x, minlength=GROUPS) for x in (total, wins.sum(axis=0), said))
    weight, share = n / total.sum(), (told + 0.5) / (n + 1)
    deviation = weight * np.sqrt(2 * share * (1 - share) / np.maximum(n, 1))
    chance = np.sqrt(2 / np.pi) * deviation.sum()
    chance += quantile(0.95) * np.sqrt((1 - 2 / np.pi) * (deviation**2).sum())
    return float(np.abs(came - told).sum() / total.sum()), float(chance)


def _dealt(random: np.random.Generator, counts: Integers) -> Integers:
    """Each cell's rows dealt to the folds at random, one fold a row."""
    left, folds = counts.copy(), []
    for remaining in range(FOLDS, 1, -1):
        folds.append(random.binomial(left, 1 / remaining))
        left = left - folds[-1]
    return np.stack([*folds, left])
