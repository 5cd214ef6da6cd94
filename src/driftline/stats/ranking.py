"""Exact curves and areas from a table of distinct scores with the positives and negatives that have each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class ScoreTable(NamedTuple):
    """Distinct scores in ascending order and, for each, how many positives and negatives have it."""

    scores: Floats
    positives: Counts
    negatives: Counts


class Area(NamedTuple):
    """A ROC area with its DeLong variance and the class sizes; the area is None without both classes."""

    auc: float | None
    variance: float
    positives: int
    negatives: int


def roc_auc(table: ScoreTable) -> Area:
    """The probability that a positive outranks a negative, ties counting half, with its variance.

    The variance is that of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988): the variances of the two sets of
    structural components over their sizes. Counts are summed as integers, so the area does not depend on how the
    rows were split.
    """
    p, n = int(table.positives.sum()), int(table.negatives.sum())
    if p == 0 or n == 0:
        return Area(None, 0.0, p, n)
    # Twice the negatives ranked below each score, ties counting one of the two halves.
    below = 2 * (np.cumsum(table.negatives) - table.negatives) + table.negatives
    above = 2 * (p - np.cumsum(table.positives)) + table.positives
    auc = int(np.dot(table.positives, below)) / (2 * p * n)
    spread_p = float(np.dot(table.positives, (below / (2 * n) - auc) ** 2))
    spread_n = float(np.dot(table.negatives, (above / (2 * p) - auc) ** 2))
    variance = spread_p / (p * max(p - 1, 1)) + spread_n / (n * max(n - 1, 1))
    return Area(auc, variance, p, n)


def roc_curve(table: ScoreTable, points: int) -> tuple[Floats, Floats]:
    """False and true positive rates from the strictest threshold to the laxest, starting at (0, 0).

    Points on a straight line are left out; of what remains at most ``points`` are kept, evenly, with both ends.
    """
    tp = np.concatenate(([0], np.cumsum(table.positives[::-1])))
    fp = np.concatenate(([0], np.cumsum(table.negatives[::-1])))
    # A corner is where the direction changes; cross products of integers are exact.
    turn = np.diff(fp[:-1]) * np.diff(tp[1:]) - np.diff(fp[1:]) * np.diff(tp[:-1])
    corners = np.flatnonzero(np.concatenate(([True], turn != 0, [True]))[: len(tp)])
    kept = thin(corners, points)
    return fp[kept] / max(int(fp[-1]), 1), tp[kept] / max(int(tp[-1]), 1)


def precision_recall_curve(table: ScoreTable, points: int) -> tuple[Floats, Floats]:
    """Precision and recall from the strictest threshold to the laxest, starting at recall 0 with precision 1."""
    tp = np.cumsum(table.positives[::-1])
    flagged = tp + np.cumsum(table.negatives[::-1])
    kept = thin(np.arange(len(tp)), points - 1)
    precision = np.concatenate(([1.0], tp[kept] / np.maximum(flagged[kept], 1)))
    recall = np.concatenate(([0.0], tp[kept] / max(int(tp[-1]) if len(tp) else 0, 1)))
    return precision, recall


def thin(indices: npt.NDArray[np.int64], points: int) -> npt.NDArray[np.int64]:
    """At most ``points`` of the indices, evenly spread, the first and the last among them."""
    if len(indices) <= points:
        return indices
    return indices[np.linspace(0, len(indices) - 1, points).round().astype(np.int64)]
