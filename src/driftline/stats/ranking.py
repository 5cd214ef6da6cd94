"""Exact curves and areas from a table of distinct scores with the positives and negatives that have each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.float64]


class ScoreTable(NamedTuple):
    """Distinct scores in ascending order and, for each, the weight of the positives and negatives that have it."""

    scores: Floats
    positives: Counts
    negatives: Counts


class Area(NamedTuple):
    """A ROC area with its DeLong variance and the class sizes; the area is None without both classes."""

    auc: float | None
    variance: float
    positives: float
    negatives: float


def roc_auc(table: ScoreTable) -> Area:
    """The probability that a positive outranks a negative, ties counting half, with its variance.

    The variance is that of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988): the variances of the two sets of
    structural components over their sizes. It holds for rows of equal weight. Sums of counts are exact up to 2**53.
    """
    p, n = float(table.positives.sum()), float(table.negatives.sum())
    if p == 0 or n == 0:
        return Area(None, 0.0, p, n)
    # Twice the negatives ranked below each score, ties counting one of the two halves.
    below = 2 * (np.cumsum(table.negatives) - table.negatives) + table.negatives
    above = 2 * (p - np.cumsum(table.positives)) + table.positives
    auc = float(np.dot(table.positives, below)) / (2 * p * n)
    spread_p = float(np.dot(table.positives, (below / (2 * n) - auc) ** 2))
    spread_n = float(np.dot(table.negatives, (above / (2 * p) - auc) ** 2))
    variance = spread_p / (p * max(p - 1, 1.0)) + spread_n / (n * max(n - 1, 1.0))
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
    return fp[kept] / (fp[-1] or 1.0), tp[kept] / (tp[-1] or 1.0)


def precision_recall_curve(table: ScoreTable, points: int) -> tuple[Floats, Floats]:
    """Precision and recall from the strictest threshold to the laxest, starting at recall 0 with precision 1."""
    tp = np.cumsum(table.positives[::-1])
    flagged = tp + np.cumsum(table.negatives[::-1])
    kept = thin(np.arange(len(tp)), points - 1)
    precision = np.concatenate(([1.0], tp[kept] / np.where(flagged[kept] > 0, flagged[kept], 1.0)))
    recall = np.concatenate(([0.0], tp[kept] / ((tp[-1] if len(tp) else 0.0) or 1.0)))
    return precision, recall


def ties_bound(table: ScoreTable) -> float:
    """How far rounded scores can have moved the area: half the share of positive-negative pairs that they made equal.

    Such a pair counts a half where the exact scores would have counted it 0 or 1.
    """
    p, n = float(table.positives.sum()), float(table.negatives.sum())
    return float(np.dot(table.positives, table.negatives)) / (2 * p * n) if p > 0 and n > 0 else 0.0


def thin(indices: npt.NDArray[np.int64], points: int) -> npt.NDArray[np.int64]:
    """At most ``points`` of the indices, evenly spread, the first and the last among them."""
    if len(indices) <= points:
        return indices
    return indices[np.linspace(0, len(indices) - 1, points).round().astype(np.int64)]
