"""Distances between two lists of shares: of categories, or of bins."""

from __future__ import annotations

import math

import numpy as np

from driftline.stats.weighted import Floats

FLOOR = 1e-4


def stability_index(now: Floats, before: Floats) -> float:
    """The population stability index, the sum of (p − q) ln(p / q) (Siddiqi 2006: Jeffreys' divergence, 1946).

    Shares are at least 0.0001, so that an empty bin costs much and not infinitely much.

    >>> round(stability_index(np.array([0.5, 0.5]), np.array([0.5, 0.5])), 6)
    0.0
    """
    p, q = np.maximum(now, FLOOR), np.maximum(before, FLOOR)
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(now: Floats, before: Floats) -> float:
    """The root of the Jensen–Shannon divergence in bits (Endres and Schindelin 2003): a metric between 0 and 1.

    >>> jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    middle = (now + before) / 2
    divergence = (_relative(now, middle) + _relative(before, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence)))


def _relative(p: Floats, q: Floats) -> float:
    some = p > 0
    return float(np.sum(p[some] * np.log2(p[some] / q[some])))


def largest_difference(now: Floats, before: Floats) -> float:
    """The largest absolute difference of two shares of the same category (L-infinity)."""
    return float(np.max(np.abs(now - before), initial=0.0))


def robust(distance: float, n: float, m: float) -> float:
    """A distance less what chance makes of samples of n and m rows: max(0, d − 1.8·sqrt((n + m) / (n·m))).

    The correction of the original service; 1.8 is about the 0.3 % point of Kolmogorov's distribution.

    >>> robust(0.3, 100, 100) < 0.3 - 0.25
    True
    """
    return max(0.0, distance - 1.8 * math.sqrt((n + m) / (n * m)))
