"""How far predictions of a number were off: the sums behind every regression metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.sampling import GROUPS
from driftline.core.state import State

Floats = npt.NDArray[np.float64]


class Moments(NamedTuple):
    """Weight, mean and summed squared distance from it of sets of rows; the mean is the sum of two numbers, of which
    ``rest`` holds the digits that the first has no room for."""

    weight: Floats
    mean: Floats
    rest: Floats
    spread: Floats


@dataclass(frozen=True, eq=False)
class ResidualState(State):
    """By group (a hash of the row's id, 0 to 63) the sums over its rows; every array has 64 values.

    ``weight`` of the rows, ``absolute`` and ``squared`` errors, the true values' ``mean`` with its ``rest`` (the digits
    it has no room for) and their summed squared distance from it, ``spread``. They are merged by the formula of Chan,
    Golub and LeVeque (1983), which loses no digits when the mean is large against the spread.
    """

    weight: Floats
    absolute: Floats
    squared: Floats
    mean: Floats
    rest: Floats
    spread: Floats
    rows: int = 0

    @property
    def moments(self) -> Moments:
        """What :func:`combined` puts together."""
        return Moments(self.weight, self.mean, self.rest, self.spread)


class Residuals:
    """Sums errors. A batch needs ``actual`` and ``predicted`` (double), ``group`` (uint8) and ``weight`` (double)."""

    name = "residuals"

    def identity(self) -> ResidualState:
        """The state of no rows."""
        none = np.zeros(GROUPS)
        return ResidualState(none, none, none, none, none, none)

    @np.errstate(over="ignore", invalid="ignore")
    def update(self, batch: pa.RecordBatch) -> ResidualState:
        """The sums of one batch; where numbers are too large for them, they are infinite or NaN."""
        actual, predicted, weight = (
            batch.column(name).to_numpy(zero_copy_only=False) for name in ("actual", "predicted", "weight")
        )
        group = batch.column("group").to_numpy(zero_copy_only=False).astype(np.int64)
        total = _by_group(group, weight)
        # Summed around the batch's own median: the mean of large numbers close together keeps its digits, and
        # numbers that are all the same have no spread at all.
        centre = float(np.partition(actual, len(actual) // 2)[len(actual) // 2]) if len(actual) else 0.0
        error = np.abs(predicted - actual)
        shift = np.divide(_by_group(group, weight * (actual - centre)), total, out=np.zeros(GROUPS), where=total > 0)
        mean, rest = (np.where(total > 0, part, 0.0) for part in _sum(np.full(GROUPS, centre), shift))
        return ResidualState(
            total,
            _by_group(group, weight * error),
            _by_group(group, weight * error * error),
            mean,
            rest,
            _by_group(group, weight * (actual - centre - shift[group]) ** 2),
            batch.num_rows,
        )

    def merge(self, states: Sequence[ResidualState]) -> ResidualState:
        """The sums of all the rows the states saw."""
        merged = self.identity()
        for state in states:
            merged = _pair(merged, state) if merged.rows else state
        return merged

    def result(self, state: ResidualState) -> ResidualState:
        """The sums themselves: the metrics are functions of them (:mod:`driftline.stats.regression`)."""
        return state


def _by_group(group: npt.NDArray[np.int64], values: Floats) -> Floats:
    sums: Floats = np.bincount(group, weights=values, minlength=GROUPS).astype(np.float64)
    return sums


@np.errstate(over="ignore", invalid="ignore")
def _pair(first: ResidualState, second: ResidualState) -> ResidualState:
    moments = combined(first.moments, second.moments)
    return ResidualState(
        moments.weight,
        first.absolute + second.absolute,
        first.squared + second.squared,
        moments.mean,
        moments.rest,
        moments.spread,
        first.rows + second.rows,
    )


@np.errstate(over="ignore", invalid="ignore")
def combined(a: Moments, b: Moments) -> Moments:
    """The moments of two sets of rows together."""
    weight, some = a.weight + b.weight, a.weight > 0
    share = np.divide(b.weight, weight, out=np.zeros_like(weight), where=weight > 0)
    gap = np.where(some & (b.weight > 0), (b.mean - a.mean) + (b.rest - a.rest), 0.0)
    mean, rest = _sum(np.where(some, a.mean, b.mean), np.where(some, a.rest, b.rest) + gap * share)
    return Moments(weight, mean, rest, a.spread + b.spread + gap * gap * a.weight * share)


def _sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The rounded sum and what the rounding took away (Knuth's TwoSum)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)
