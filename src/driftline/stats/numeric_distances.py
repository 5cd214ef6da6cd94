"""Distances between two distributions of numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from driftline.stats import share_distances
from driftline.stats.weighted import Distribution, Floats, edges, shares


class Gaps(NamedTuple):
    """How much more of ``now`` than of ``before`` lies up to each distinct value of either, in ascending order."""

    values: Floats
    gaps: Floats

    @property
    def largest(self) -> float:
        """The largest absolute gap: the statistic of Kolmogorov and Smirnov, the original service's "Simple"."""
        return float(np.max(np.abs(self.gaps), initial=0.0))

    @property
    def both_sides(self) -> float:
        """The largest gap upwards and the largest downwards together: Kuiper's statistic (1960)."""
        return float(np.max(self.gaps, initial=0.0) - np.min(self.gaps, initial=0.0))


def gaps(now: Distribution, before: Distribution) -> Gaps:
    """The difference of the two cumulative distributions. Neither may be empty."""
    values = np.concatenate((now.values, before.values))
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    # Each side is summed in its own whole numbers, so that equal shares are equal to the last bit.
    up = np.cumsum(np.concatenate((now.weights, np.zeros(len(before.values))))[order])[last]
    down = np.cumsum(np.concatenate((np.zeros(len(now.values)), before.weights))[order])[last]
    return Gaps(ordered[last], up / up[-1] - down / down[-1])


def wasserstein(between: Gaps, before: Distribution, deviation: float | None = None) -> float:
    """The mean way that values must move from one distribution to the other (Wasserstein-1, the area between the
    cumulative distributions), in standard deviations of the baseline.

    ``deviation`` is the baseline's, where it is known better than from its sketch. Where the baseline is constant there
    is no such unit; the distance is then the share of values that are not that constant.
    """
    values = between.values
    scale = float(np.max(np.abs(values), initial=0.0)) or 1.0
    unit = (deviation / scale) if deviation else spread(Distribution(before.values / scale, before.weights))
    if before.values[0] == before.values[-1] or unit == 0:
        here = np.diff(np.concatenate(([0.0], between.gaps)))[values == before.values[0]]
        return float(-np.sum(here))
    return float(np.sum(np.abs(between.gaps[:-1]) * np.diff(values / scale))) / unit


def spread(distribution: Distribution) -> float:
    """The standard deviation of the population. Values must be small enough to be squared."""
    share = distribution.weights / distribution.total
    centre = float(np.dot(share, distribution.values))
    return float(np.sqrt(np.dot(share, (distribution.values - centre) ** 2)))


def stability_index(now: Distribution, before: Distribution) -> float:
    """The population stability index over the baseline's deciles."""
    return share_distances.stability_index(*_binned(now, before))


def jensen_shannon(now: Distribution, before: Distribution) -> float:
    """The Jensen–Shannon distance over the baseline's deciles."""
    return share_distances.jensen_shannon(*_binned(now, before))


def _binned(now: Distribution, before: Distribution) -> tuple[Floats, Floats]:
    bounds = edges(before)
    return shares(now, bounds), shares(before, bounds)
