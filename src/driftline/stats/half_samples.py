"""Balanced half-samples: a standard error for a metric that moves in jumps, such as one of a ranking.

Leaving out one group in 64 seldom changes a ranking, and then changes it by a jump: the ordinary jackknife of such a
metric is nothing in one window and far too much in the next. Leaving out half of the rows is consistent for metrics
that are not smooth, too (Shao and Wu 1989, "A General Theory for Jackknife Variance Estimation").
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from driftline.stats.jackknife import student_quantile

Floats = npt.NDArray[np.float64]


def balanced(groups: int) -> npt.NDArray[np.bool_]:
    """Which groups belong to each of 2·(groups − 1) halves [halves, groups]; ``groups`` is a power of two.

    Every half holds half of the groups, every two groups are together in as many halves as apart (McCarthy 1969,
    "Pseudo-replication: Half samples"; the rows of Sylvester's Hadamard matrix), so that nothing is drawn.

    >>> balanced(4).astype(int).tolist()
    [[1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 1, 0]]
    """
    signs = np.ones((1, 1))
    while len(signs) < groups:
        signs = np.block([[signs, signs], [signs, -signs]])
    kept = signs[1:] > 0
    return np.concatenate([kept, ~kept])


def standard_error(value: float, halves: Floats) -> float:
    """The root of the mean squared distance of the metric's values in the halves from its value in all rows.

    Of a mean over groups of one size it is the textbook s/√groups, exactly. NaN where a half has no value.

    >>> means = [np.mean(np.array([1.0, 2.0, 3.0, 4.0])[half]) for half in balanced(4)]
    >>> round(standard_error(2.5, np.array(means)), 4), round(float(np.std([1, 2, 3, 4], ddof=1)) / 2, 4)
    (0.6455, 0.6455)
    """
    return float(np.sqrt(np.mean((halves - value) ** 2))) if len(halves) else math.nan


def interval(value: float, halves: Floats, level: float, highest: float = math.inf) -> tuple[float, float] | None:
    """An interval around the value by Student's t, not beyond ``highest``; None where a half has no value.

    Without any spread it is the value itself.
    """
    error = standard_error(value, halves)
    if not math.isfinite(error):
        return None
    reach = student_quantile(level, len(halves) // 2) * error
    return value - reach, min(value + reach, highest)
