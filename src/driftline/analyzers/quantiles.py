"""Quantiles of numbers from a small sample with weights: the KLL sketch of Karnin, Lang and Liberty (2016).

The sketch is our own because its choices must be the same on every run: which half of the values a compaction keeps
is a hash of the level, the number and the bits of the values, where other implementations draw it at random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.errors import InputError
from driftline.core.sampling import mix
from driftline.core.state import State
from driftline.core.table_statistics import KLL_C, KLL_K

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# The rank of a value is off by more than this share of n in one of a hundred questions at most.
RANK_ERROR = 0.0014
# With no more distinct values than this every value keeps its exact weight.
EXACT_DISTINCT = 256
_SMALLEST_LEVEL = 8
_PROBE = 1024
_RUN, _STEP, _STEP_LEVEL = 256, 4, 2
# Fewer values are sorted at once: runs of them would add more to the error than the compaction does.
_SORTED_WHOLE = 1 << 16
_MOST_LEVELS = 62
_ODD = 0x9E3779B97F4A7C15


def _none() -> Floats:
    return np.zeros(0)


def _no_sizes() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class QuantileState(State):
    """Finite numbers with weights, level after level: ``sizes[i]`` ascending ``values`` that weigh 2**i each.

    No value occurs twice in a level and the highest level is not empty. The weights sum to the number of values seen,
    exactly. While few distinct values were seen every one has its exact weight, by the binary digits of its count.
    """

    values: Floats = field(default_factory=_none)
    sizes: Ints = field(default_factory=_no_sizes)

    @property
    def n(self) -> int:
        """How many values were seen."""
        return sum(size << level for level, size in enumerate(self.sizes.tolist()))

    def levels(self) -> tuple[Floats, ...]:
        """The values of every level, those of weight 1 first."""
        return tuple(np.split(self.values, np.cumsum(self.sizes)[:-1])) if len(self.sizes) else ()

    def weighted(self) -> tuple[Floats, Ints]:
        """The distinct values in ascending order, and the weight of each."""
        weights = np.repeat(np.int64(1) << np.arange(len(self.sizes)), self.sizes)
        order = np.argsort(self.values, kind="stable")
        values, weights = self.values[order], weights[order]
        starts = starts_of(values)
        return values[starts], np.add.reduceat(weights, starts) if len(starts) else weights

    def below(self, points: Any, *, inclusive: bool = True) -> Ints:
        """How many values are at most each of the points; strictly below it when not ``inclusive``."""
        values, weights = self.weighted()
        sums = np.concatenate(([0], np.cumsum(weights)))
        found: Ints = sums[np.searchsorted(values, points, side="right" if inclusive else "left")]
        return found

    def cdf(self, points: Any) -> Floats:
        """The share of values that are at most each of the points; NaN where no value was seen."""
        return self.below(points) / self.n if self.n else np.full(np.shape(points), np.nan)

    def quantile(self, shares: Any) -> Floats:
        """For each share (0 to 1) the least value of which at least that share of all values is not above it.

        NaN where no value was seen. The definition is numpy's ``inverted_cdf``.
        """
        values, weights = self.weighted()
        if not len(values):
            return np.full(np.shape(shares), np.nan)
        places = np.searchsorted(np.cumsum(weights), np.asarray(shares) * self.n, side="left")
        found: Floats = values[np.minimum(places, len(values) - 1)]
        return found

    def heaviest(self) -> int:
        """The weight of the value that weighs most; 0 of none."""
        return int(self.weighted()[1].max(initial=0))


class Quantiles:
    """Sketches numbers. A batch needs ``value`` (double); nulls, NaN and infinities are left out.

    ``k`` bounds the size: at most about k / (1 - c) values, ``most``, are kept, and up to as many every value is. With
    k = 2048 and c = 0.64 these are 6,000, and the rank of a value is off by at most 0.14 % of the number of values
    seen, in 99 of 100 questions.
    """

    name = "quantiles"

    def __init__(self, *, k: int = KLL_K, c: float = KLL_C) -> None:
        if k < _SMALLEST_LEVEL or not 0.5 < c < 1:
            raise ValueError(f"k must be {_SMALLEST_LEVEL} or more and c between 0.5 and 1, not {k} and {c}")
        self.k = k
        self.c = c
        self.most = sum(self._room(level, _MOST_LEVELS) for level in range(_MOST_LEVELS))

    def identity(self) -> QuantileState:
        """The state of no values."""
        return QuantileState()

    def update(self, batch: pa.RecordBatch) -> QuantileState:
        """The sketch of one batch."""
        values = batch.column("value").drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
        return self.of(values[np.isfinite(values)])

    def of(self, values: Floats) -> QuantileState:
        """The sketch of finite values in any order."""
        if certainly_many(values):
            return self.of_runs(*sorted_runs(values))
        ordered = values + 0.0  # -0.0 and 0.0 are one value
        ordered.sort()
        return self.of_sorted(ordered)

    def of_sorted(self, values: Floats) -> QuantileState:
        """The sketch of ascending finite values."""
        starts = starts_of(values)
        if len(starts) > self.most:
            return self._compacted([values])
        return self.of_counted(values[starts], np.diff(np.append(starts, len(values))))

    def of_counted(self, values: Floats, counts: Ints) -> QuantileState:
        """The sketch of ascending distinct finite values of which each occurs ``counts`` times."""
        highest = int(counts.max(initial=0)).bit_length()
        return self._compacted([values[(counts >> level) & 1 == 1] for level in range(highest)])

    def of_runs(self, runs: Floats, rest: Floats) -> QuantileState:
        """The sketch of many finite values that :func:`sorted_runs` put in order a row, and the ``rest`` in any order.

        Every fourth value of a row is kept. The place it begins at moves on from row to row, so that what the rows
        are off by cancels out.
        """
        first = _hashed(_STEP_LEVEL, runs)
        kept = [runs[row::_STEP, (first + row) % _STEP :: _STEP].ravel() for row in range(_STEP)]
        return self._compacted([np.sort(rest), _none(), np.sort(np.concatenate(kept))])

    def merge(self, states: Sequence[QuantileState]) -> QuantileState:
        """The sketch of all the values the states saw; their order does not matter.

        Merging in another grouping gives another sketch, of the same accuracy.
        """
        states = [state for state in states if len(state.sizes)]
        if len(states) <= 1:
            return states[0] if states else self.identity()
        parts = [state.levels() for state in states]
        levels = [
            np.concatenate([part[level] for part in parts if level < len(part)]) for level in range(_depth(states))
        ]
        for level in levels:
            level.sort()
        return self._compacted(levels)

    def result(self, state: QuantileState) -> QuantileState:
        """The sketch itself: it answers :meth:`QuantileState.quantile` and :meth:`QuantileState.cdf`."""
        return state

    def _room(self, level: int, depth: int) -> int:
        """How many values a level may hold: k the highest, a share c of the one above it the others."""
        return max(_SMALLEST_LEVEL, math.ceil(self.k * self.c ** (depth - 1 - level)))

    def _compacted(self, levels: list[Floats]) -> QuantileState:
        """The canonical sketch of levels of ascending values, made smaller where it is too large.

        Pairs of equal values go up as one, which loses nothing. Then, while there is too much, of the lowest level
        that is over its size every second value goes up.
        """
        levels = _carried(levels)
        while sum(map(len, levels)) > self.most:
            full = next(i for i, values in enumerate(levels) if len(values) > self._room(i, len(levels)))
            stays, goes = _halved(levels[full], full)
            levels[full] = stays
            above = levels[full + 1] if full + 1 < len(levels) else _none()
            levels[full + 1 : full + 2] = [np.sort(np.concatenate((above, goes)))]
            levels = _carried(levels, full + 1)
        return QuantileState(np.concatenate([_none(), *levels]), np.array([len(one) for one in levels], dtype=np.int64))


def from_levels(levels: Sequence[Sequence[float] | Floats]) -> QuantileState:
    """The state of a sketch that was made elsewhere: ``levels[i]`` are values of weight 2**i in any order.

    Raises :class:`InputError` for values that are not finite, and for more than 62 levels.

    >>> from_levels([[3.0], [2.0, 1.0]]).quantile([0.5, 1]).tolist()
    [2.0, 3.0]
    """
    arrays = [np.sort(np.asarray(level, dtype=np.float64)) + 0.0 for level in levels]
    if len(arrays) > _MOST_LEVELS or not all(np.isfinite(one).all() for one in arrays):
        raise InputError(
            "a sketch has up to 62 levels of finite numbers",
            evidence=f"{len(arrays)} levels",
            hint="make the statistics again",
        )
    carried = _carried(arrays)
    return QuantileState(np.concatenate([_none(), *carried]), np.array([len(one) for one in carried], dtype=np.int64))


def certainly_many(values: Floats) -> bool:
    """Whether it is cheap to see that there are many values, and more distinct ones than are kept exactly."""
    if len(values) <= _SORTED_WHOLE:
        return False
    return len(starts_of(np.sort(values[:_PROBE]))) > EXACT_DISTINCT


def sorted_runs(values: Floats) -> tuple[Floats, Floats]:
    """The values cut into rows of 256, each row in ascending order, and the rest that does not fill a row.

    Short runs are sorted many times faster than all values at once.
    """
    rows = len(values) // _RUN
    runs = values[: rows * _RUN].reshape(rows, _RUN) + 0.0  # -0.0 and 0.0 are one value
    runs.sort(axis=1)
    return runs, values[rows * _RUN :] + 0.0


def _depth(states: Sequence[QuantileState]) -> int:
    return max(len(state.sizes) for state in states)


def starts_of(values: Floats) -> Ints:
    """Where in ascending values a new one begins."""
    first = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return np.flatnonzero(first)


def _carried(levels: list[Floats], first: int = 0) -> list[Floats]:
    """Levels of ascending values, from ``first`` on without pairs of equal values, and without empty top levels."""
    levels = list(levels)
    level = first
    while level < len(levels):
        values = levels[level]
        starts = starts_of(values)
        if len(starts) < len(values):
            runs, once = np.diff(np.append(starts, len(values))), values[starts]
            levels[level] = once[runs % 2 == 1]
            above = levels[level + 1] if level + 1 < len(levels) else _none()
            levels[level + 1 : level + 2] = [np.sort(np.concatenate((above, np.repeat(once, runs // 2))))]
        level += 1
    while levels and not len(levels[-1]):
        levels.pop()
    return levels


def _halved(values: Floats, level: int) -> tuple[Floats, Floats]:
    """What of a level stays, at most one value, and every second of the others."""
    hashed = _hashed(level, values)
    stays = values[:0]
    if len(values) % 2:
        stays, values = (values[:1], values[1:]) if hashed & 2 else (values[-1:], values[:-1])
    return stays, values[hashed & 1 :: 2]


def _hashed(level: int, values: Floats) -> int:
    """A number that depends on all of the values, and looks like any other."""
    bits = int(np.ascontiguousarray(values).view(np.uint64).sum())
    word = (bits + (values.size * 64 + level + 1) * _ODD) & 0xFFFFFFFFFFFFFFFF
    return int(mix(np.array([word], dtype=np.uint64))[0])
