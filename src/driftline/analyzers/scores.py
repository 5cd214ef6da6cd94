"""How the scores of positives and negatives are distributed: the state behind ROC, precision-recall and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.sampling import GROUPS
from driftline.core.state import State
from driftline.stats.ranking import ScoreTable

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
MOST_ENTRIES = 1 << 21
# Zero, infinity and minus infinity for every class and group: no rounding brings them together.
LEAST_ENTRIES = 3 * 2 * GROUPS
_MANTISSA, _MOST_DROPPED = 52, 63


@dataclass(frozen=True, eq=False)
class ScoreState(State):
    """Distinct (code, score) pairs in ascending order with the weight of the rows of each.

    ``codes`` are the row's group, plus 64 for a positive. ``dropped`` is how many of the 52 bits of a score's
    fraction were rounded away so that no more than ``MOST_ENTRIES`` pairs are kept: 0 while the state is exact.
    ``rows`` is the number of rows.
    """

    codes: Bytes
    scores: Floats
    weights: Floats
    dropped: int = 0
    rows: int = 0


@dataclass(frozen=True)
class ScoreDistribution:
    """The score table of all rows; for a score of the table and a group, ``entries`` (place, code, weight).

    ``rounding`` bounds the relative error of a score: 0 while the state is exact.
    """

    table: ScoreTable
    places: npt.NDArray[np.int64]
    codes: Bytes
    weights: Floats
    rounding: float
    rows: int

    def part(self, groups: npt.NDArray[np.bool_]) -> ScoreTable:
        """The score table of the rows in some of the 64 groups."""
        return self._table(np.where(groups[self.codes % GROUPS], self.weights, 0.0))

    def area(self, groups: npt.NDArray[np.bool_]) -> float | None:
        """The ROC area of the rows in some of the groups: that of :meth:`part`, straight from the sorted entries."""
        chosen = np.concatenate([groups, groups]).astype(np.float64)
        first = np.arange(2 * GROUPS) < GROUPS
        negatives, positives = (self.weights * (chosen * side)[self.codes] for side in (first, ~first))
        if len(self.table.scores) < len(self.places):
            negatives, positives = (
                np.bincount(self.places, weights=part).astype(np.float64) for part in (negatives, positives)
            )
        n, p = float(negatives.sum()), float(positives.sum())
        if n <= 0 or p <= 0:
            return None
        below = np.cumsum(negatives)
        below -= negatives / 2
        return float(positives @ below) / (p * n)

    def areas_without(self) -> list[float | None]:
        """The ROC area with each group that has rows left out, in one pass over the entries for all of them.

        Of all pairs of a positive and a negative those with either of the two in the group go; those with both in it
        went twice and are given back.
        """
        positive, group = self.codes >= GROUPS, (self.codes % GROUPS).astype(np.int64)
        pos, neg = np.where(positive, self.weights, 0.0), np.where(positive, 0.0, self.weights)
        below, above = _pairs(self.places, pos, neg)
        order = np.argsort(group, kind="stable")
        inside, _ = _pairs(
            group[order] * len(self.table.scores) + self.places[order], pos[order], neg[order], group[order]
        )
        p, n, either, both = (
            np.bincount(part, weights=values, minlength=GROUPS)
            for part, values in (
                (group, pos), (group, neg), (group, pos * below + neg * above), (group[order], pos[order] * inside)
            )
        )  # fmt: skip
        every = float(pos @ below)
        left = (p.sum() - p) * (n.sum() - n)
        pairs = every - either + both
        return [float(pairs[one] / left[one]) if left[one] > 0 else None for one in np.flatnonzero(p + n > 0)]

    def _table(self, weights: Floats) -> ScoreTable:
        size, positive = len(self.table.scores), self.codes >= GROUPS
        sums: list[Any] = [
            np.bincount(self.places[rows], weights=weights[rows], minlength=size) for rows in (positive, ~positive)
        ]
        return ScoreTable(self.table.scores, *sums)


class Scores:
    """Weighs rows by score and class; exactly up to 2,097,152 distinct (score, class, group), beyond that rounded.

    A batch needs ``score`` (double, no nulls and no NaN; ±inf rank last and first), ``positive`` (bool), ``group``
    (uint8) and ``weight`` (double).
    """

    name = "scores"

    def __init__(self, *, most_entries: int = MOST_ENTRIES) -> None:
        if most_entries < LEAST_ENTRIES:
            raise ValueError(f"most_entries must be {LEAST_ENTRIES} or more, not {most_entries}")
        self.most_entries = most_entries

    def identity(self) -> ScoreState:
        """The state of no rows."""
        return ScoreState(np.zeros(0, dtype=np.uint8), np.zeros(0), np.zeros(0))

    def update(self, batch: pa.RecordBatch) -> ScoreState:
        """The distribution of one batch."""
        # Adding zero turns -0.0 into 0.0: they are equal, so they must be one score.
        scores = batch.column("score").to_numpy(zero_copy_only=False) + 0.0
        positive = batch.column("positive").to_numpy(zero_copy_only=False).view(np.uint8)
        codes = batch.column("group").to_numpy(zero_copy_only=False) + positive * np.uint8(GROUPS)
        weights = batch.column("weight").to_numpy(zero_copy_only=False)
        return self._bounded(codes, scores, weights, 0, batch.num_rows)

    def merge(self, states: Sequence[ScoreState]) -> ScoreState:
        """The distribution of all the rows the states saw."""
        states = [state for state in states if state.rows]
        if not states:
            return self.identity()
        if len(states) == 1:
            return states[0]
        dropped = max(state.dropped for state in states)
        return self._bounded(
            np.concatenate([state.codes for state in states]),
            np.concatenate([_rounded(state.scores, dropped) for state in states]),
            np.concatenate([state.weights for state in states]),
            dropped,
            sum(state.rows for state in states),
        )

    def result(self, state: ScoreState) -> ScoreDistribution:
        """The score table, and what its parts by group need."""
        order = np.argsort(state.scores)
        ordered = state.scores[order]
        first = np.ones(len(ordered), dtype=bool)
        # inf - inf is NaN, so neighbours are compared, not subtracted.
        first[1:] = ordered[1:] != ordered[:-1]
        places = np.cumsum(first) - 1
        none = np.zeros(0)
        empty = ScoreTable(ordered[first], none, none)
        rounding = 2.0 ** (state.dropped - _MANTISSA - 1) if state.dropped else 0.0
        codes, weights = state.codes[order], state.weights[order]
        found = ScoreDistribution(empty, places, codes, weights, rounding, state.rows)
        return ScoreDistribution(found._table(weights), places, codes, weights, rounding, state.rows)

    def _bounded(self, codes: Bytes, scores: Floats, weights: Floats, dropped: int, rows: int) -> ScoreState:
        """The canonical state, with as many bits of the scores dropped as the bound asks for, and no more.

        Rounding to fewer bits is a function of what rounding to more bits gives, so the bits that must go depend only
        on the rows seen, not on how or in what order they were merged.
        """
        state = _canonical(codes, scores, weights, dropped, rows)
        if len(state.scores) <= self.most_entries:
            return state
        low, high = dropped, _MOST_DROPPED
        while high - low > 1:
            middle = (low + high) // 2
            fits = int(_first(state.codes, _rounded(state.scores, middle)).sum()) <= self.most_entries
            low, high = (low, middle) if fits else (middle, high)
        # Rounding keeps the order, so what it makes equal stands side by side.
        starts = np.flatnonzero(_first(state.codes, _rounded(state.scores, high)))
        sums = np.add.reduceat(state.weights, starts)
        return ScoreState(state.codes[starts], _rounded(state.scores[starts], high), sums, high, rows)


def _pairs(
    keys: npt.NDArray[np.int64], pos: Floats, neg: Floats, part: npt.NDArray[np.int64] | None = None
) -> tuple[Floats, Floats]:
    """For every entry the weight of the negatives below it and of the positives above it, equals counting half.

    ``keys`` ascend and are equal where scores are; with ``part``, which ascends too, only its own part counts.
    """
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)])
    run = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(keys))))
    p, n = (np.add.reduceat(side, starts) if len(starts) else side for side in (pos, neg))
    below, above = np.cumsum(n) - n / 2, p.sum() - np.cumsum(p) + p / 2
    if part is not None:
        first = np.searchsorted(part[starts], part[starts])
        below -= np.concatenate(([0.0], np.cumsum(n)))[first]
    return below[run], above[run]


def _canonical(codes: Bytes, scores: Floats, weights: Floats, dropped: int, rows: int) -> ScoreState:
    # Equal weights need not be carried along, and sorting values is several times faster than ordering them.
    order = np.argsort(codes, kind="stable")
    codes, scores = codes[order], scores[order]
    uniform = len(weights) > 0 and bool((weights == weights[0]).all())
    if not uniform:
        weights = weights[order]
    bounds = np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=2 * GROUPS))))
    for low, high in pairwise(bounds.tolist()):
        if uniform:
            scores[low:high].sort()
        else:
            inside = np.argsort(scores[low:high], kind="stable")
            scores[low:high], weights[low:high] = scores[low:high][inside], weights[low:high][inside]
    starts = np.flatnonzero(_first(codes, scores))
    if uniform:
        sums = np.diff(np.append(starts, len(scores))) * weights[0]
    else:
        sums = np.add.reduceat(weights, starts) if len(starts) else weights
    return ScoreState(codes[starts], scores[starts], sums, dropped, rows)


def _first(codes: Bytes, scores: Floats) -> npt.NDArray[np.bool_]:
    """Which of ordered entries are the first of their kind."""
    first = np.ones(len(scores), dtype=bool)
    first[1:] = (scores[1:] != scores[:-1]) | (codes[1:] != codes[:-1])
    return first


def _rounded(scores: Floats, dropped: int) -> Floats:
    """Scores with their last bits rounded to the middle of what they stand for.

    Beyond the fraction's 52 bits those of the exponent go too; there the lower end stands for all, as the middle
    could be infinite.
    """
    if not dropped:
        return scores
    step = np.uint64(1) << np.uint64(dropped)
    bits: Any = np.ascontiguousarray(scores).view(np.uint64)
    finite = np.isfinite(scores) & (scores != 0)
    middle = bits & ~(step - np.uint64(1))
    if dropped <= _MANTISSA:
        middle |= step >> np.uint64(1)
    # Adding zero again, because small negative scores can end as -0.0.
    return np.where(finite, middle.view(np.float64), scores) + 0.0
