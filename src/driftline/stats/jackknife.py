"""The delete-a-group jackknife: a standard error for any metric, from the metric with each group of rows left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal

from driftline.stats.intervals import logistic

Scale = Literal["log", "logit", "log of 1 - value"]
# From the metric to its scale and back, and the ends of its range.
SCALES: dict[Scale, tuple[Callable[[float], float], Callable[[float], float], float, float]] = {
    "log": (math.log, math.exp, 0.0, math.inf),
    "logit": (lambda x: math.log(x / (1 - x)), logistic, 0.0, 1.0),
    "log of 1 - value": (lambda x: math.log1p(-x), lambda y: -math.expm1(y), -math.inf, 1.0),
}


def standard_error(without: Sequence[float]) -> float | None:
    """The standard error of a metric from its values without each of the G groups in turn.

    sqrt((G−1)/G · Σ (m₍ᵢ₎ − m̄)²) (Kott 2001, "The Delete-a-Group Jackknife"); None of fewer than two groups.
    With every row a group of its own this is the ordinary jackknife of Quenouille and Tukey.

    >>> round(standard_error([2.5, 2.0, 1.5]), 4)  # the mean of 1, 2, 3 without each: s/sqrt(n) = 1/sqrt(3)
    0.5774
    """
    groups = len(without)
    if groups < 2:
        return None
    mean = math.fsum(value / groups for value in without)
    return math.sqrt((groups - 1) / groups) * math.hypot(*(value - mean for value in without))


def interval(value: float, without: Sequence[float], level: float, scale: Scale) -> tuple[float, float] | None:
    """An interval from Student's t with one degree of freedom less than there are groups; None without any spread,
    or with more than a float can tell.

    It is symmetric on the metric's ``scale`` and so skewed as the metric is (Efron and Tibshirani 1993, "An
    Introduction to the Bootstrap", 12.6), and never leaves the range the metric can have. Where a value lies on the
    end of its range, which the scale sends to infinity, it is symmetric on the metric itself and cut off there.
    """
    there, back, low, high = SCALES[scale]
    inside = all(low < number < high for number in (value, *without))
    middle, moved = (there(value), [there(left) for left in without]) if inside else (value, without)
    error = standard_error(moved)
    if not error or not math.isfinite(error):
        return None
    half = student_quantile(level, len(without) - 1) * error
    if not inside:
        return max(low, value - half), min(high, value + half)
    try:
        first, second = back(middle - half), back(middle + half)
    except OverflowError:
        return None
    return min(first, second), max(first, second)


@cache
def student_quantile(level: float, freedom: int) -> float:
    """The two-sided quantile of Student's t, for whole degrees of freedom.

    With tan(u) = t/sqrt(freedom) the probability of |T| < t is a finite sum of powers of cos(u) (Abramowitz and
    Stegun 1964, 26.7.3 and 26.7.4); it grows with u and is solved by bisection.

    >>> round(student_quantile(0.95, 63), 3), round(student_quantile(0.95, 1), 3)
    (1.998, 12.706)
    """
    low, high = 0.0, math.pi / 2
    for _ in range(64):
        middle = (low + high) / 2
        low, high = (middle, high) if _probability(middle, freedom) < level else (low, middle)
    return math.tan((low + high) / 2) * math.sqrt(freedom)


def _probability(angle: float, freedom: int) -> float:
    """The probability that |T| is below tan(angle)·sqrt(freedom)."""
    square, odd = math.cos(angle) ** 2, freedom % 2
    term, total = (math.cos(angle) if odd else 1.0), 0.0
    for power in range(1 + odd, freedom, 2):
        total += term
        term *= square * power / (power + 1)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
