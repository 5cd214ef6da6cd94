"""Confidence intervals of proportions, F-scores and the area under the ROC curve."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist


def quantile(level: float) -> float:
    """The two-sided standard normal quantile of a confidence level.

    >>> round(quantile(0.95), 6)
    1.959964
    """
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(part: float, whole: float, level: float) -> tuple[float, float] | None:
    """The score interval of a binomial proportion (Wilson 1927); None of no rows.

    >>> tuple(round(x, 4) for x in wilson(16, 28, 0.95))
    (0.3907, 0.7349)
    """
    if whole <= 0:
        return None
    z2 = quantile(level) ** 2
    share = part / whole
    centre = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = math.sqrt(z2 * (share * (1 - share) / whole + z2 / (4 * whole * whole))) / (1 + z2 / whole)
    # At the ends the formula gives the bound itself, but for rounding.
    return (0.0 if part == 0 else max(0.0, centre - half)), (1.0 if part == whole else min(1.0, centre + half))


def f_beta(tp: float, fp: float, fn: float, beta: float, level: float) -> tuple[float, float] | None:
    """The interval of F-beta by the delta method on its logit, log((1+b²)TP) − log(b²FN + FP).

    With multinomial counts the covariances cancel (the logit does not change when all counts grow alike), so its
    variance is 1/TP + (b⁴FN + FP)/(b²FN + FP)². Half a row is added to each count that is zero, so that a perfect
    or a useless classifier has an interval too; the bound at the observed end is then 1 or 0 itself.
    """
    if tp + fp + fn <= 0:
        return None
    weight = beta * beta
    hits, missed, false = (max(count, 0.5) for count in (tp, fn, fp))
    if fn > 0 and fp == 0:
        false = 0.0
    if fp > 0 and fn == 0:
        missed = 0.0
    errors = weight * missed + false
    logit = math.log((1 + weight) * hits / errors)
    half = quantile(level) * math.sqrt(1 / hits + (weight * weight * missed + false) / (errors * errors))
    lower, upper = (logistic(logit + side * half) for side in (-1, 1))
    return (0.0 if tp == 0 else lower), (1.0 if fp + fn == 0 else upper)


def area(auc: float, variance: float, positives: float, negatives: float, level: float) -> tuple[float, float]:
    """The interval of a ROC area from its DeLong variance, on the logit scale so that it stays inside [0, 1].

    A perfect separation has no DeLong variance; there the score interval of :func:`newcombe` is used.
    """
    if variance <= 0 or not 0 < auc < 1:
        return newcombe(auc, positives, negatives, level)
    logit = math.log(auc / (1 - auc))
    half = quantile(level) * math.sqrt(variance) / (auc * (1 - auc))
    lower, upper = (logistic(logit + side * half) for side in (-1, 1))
    return lower, upper


def logistic(x: float) -> float:
    """The inverse of the logit, without overflow on either side."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def newcombe(auc: float, positives: float, negatives: float, level: float) -> tuple[float, float]:
    """Method 5 of Newcombe (Statistics in Medicine 25, 2006): the areas whose own standard error just reaches the
    observed one, with the variance of Hanley and McNeil; solved by bisection."""
    z = quantile(level)
    extra = (positives + negatives) / 2 - 1

    def reach(theta: float, side: int) -> float:
        spread = 1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return theta - side * z * math.sqrt(max(0.0, theta * (1 - theta) * spread / (positives * negatives)))

    return _solve(lambda t: reach(t, -1) >= auc, auc, 0.0), _solve(lambda t: reach(t, 1) <= auc, auc, 1.0)


def _solve(inside: Callable[[float], bool], start: float, end: float) -> float:
    """The last theta on the way from start to end that is still inside."""
    if inside(end) or start == end:
        return end
    for _ in range(60):
        middle = (start + end) / 2
        start, end = (middle, end) if inside(middle) else (start, middle)
    return start
