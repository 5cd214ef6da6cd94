"""Distributions of numbers as ascending values with weights: exact samples, and sketches of larger ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS = 10


class Distribution(NamedTuple):
    """Values in ascending order, equal ones perhaps several times, and the weight of each; ``rank_error`` bounds how
    far a share of values up to a point may be from the truth (0: nothing was left out)."""

    values: Floats
    weights: Floats
    rank_error: float = 0.0

    @property
    def total(self) -> float:
        """How many values it stands for."""
        return float(self.weights.sum())


def from_levels(levels: Sequence[Sequence[float]], k: float) -> Distribution:
    """The distribution of a KLL sketch, value ``j`` of ``levels[i]`` standing for 2**i values.

    With more than one level in use, ``rank_error`` is 2.446 / k**0.9433: the error of a difference of two ranks that
    Apache DataSketches publishes for KLL sketches, at 99 %.
    """
    parts: list[Any] = [np.asarray(level, dtype=np.float64) for level in levels]
    values = np.concatenate(parts) if parts else np.empty(0)
    weights = np.repeat(2.0 ** np.arange(len(parts)), [len(part) for part in parts])
    exact = not any(len(part) for part in parts[1:])
    if len(values) > 1 and not bool((values[1:] >= values[:-1]).all()):
        order = np.argsort(values, kind="stable")
        values, weights = values[order], weights[order]
    return Distribution(values, weights, 0.0 if exact else 2.446 / k**0.9433)


def quantiles(distribution: Distribution, shares: Floats) -> Floats:
    """The smallest value up to which at least each share of the weight lies. There must be a value.

    >>> quantiles(from_levels([[1.0, 2.0, 3.0, 4.0]], 2048), np.array([0.25, 0.26, 1.0])).tolist()
    [1.0, 2.0, 4.0]
    """
    reached = np.cumsum(distribution.weights)
    # Shares such as 0.7 are not exact, so a little less than the wanted weight will do.
    wanted = shares * reached[-1] * (1 - 1e-12)
    found: Floats = distribution.values[np.minimum(np.searchsorted(reached, wanted), len(reached) - 1)]
    return found


def edges(distribution: Distribution, bins: int = BINS) -> Floats:
    """The inner bounds of bins with equal shares of a distribution; a bin holds its upper bound.

    A value that has half of such a share alone has a bin of its own, so that it can be left in both directions.
    """
    inner = np.unique(quantiles(distribution, np.arange(1, bins) / bins))
    with np.errstate(over="ignore"):  # before the smallest of all numbers comes minus infinity
        before = np.nextafter(inner, -np.inf)
    alone = _reached(distribution, inner) - _reached(distribution, before)
    return np.unique(np.concatenate((inner, before[alone >= 0.5 / bins])))


def shares(distribution: Distribution, bounds: Floats) -> Floats:
    """The share of the weight in each bin between ascending bounds, from minus to plus infinity."""
    return np.diff(np.concatenate(([0.0], _reached(distribution, bounds), [1.0])))


def _reached(distribution: Distribution, points: Floats) -> Floats:
    """The share of the weight up to each point."""
    reached = np.concatenate(([0.0], np.cumsum(distribution.weights)))
    found: Floats = reached[np.searchsorted(distribution.values, points, side="right")] / reached[-1]
    return found
