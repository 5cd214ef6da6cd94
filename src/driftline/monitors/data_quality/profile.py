"""What is known of a table's columns: from batches of rows to the statistics of every column."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from itertools import pairwise

import numpy as np
import pyarrow as pa

from driftline.analyzers.categories import MOST_CATEGORIES, Categories
from driftline.analyzers.column import ColumnState
from driftline.analyzers.columns import Columns, ColumnsState
from driftline.analyzers.numbers import Numbers
from driftline.analyzers.quantiles import RANK_ERROR
from driftline.core.table_statistics import (
    Bucket,
    FeatureStatistics,
    InferredType,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
    TypeCounts,
)

BUCKETS = 10
_MOST_HELD, _MOST_BYTES = 16, 1 << 28


class Profile:
    """Measures tables. Every column of a batch is a feature.

    ``executor`` works on several columns at a time, where it is given; the caller ends it. Up to ``most_categories``
    distinct texts of a column are counted exactly.
    """

    def __init__(self, *, executor: Executor | None = None, most_categories: int = MOST_CATEGORIES) -> None:
        over = map if executor is None else executor.map
        self.columns = Columns(most_categories=most_categories, over=over)

    def update(self, batch: pa.RecordBatch) -> ColumnsState:
        """The state of one batch of rows."""
        return self.columns.update(batch)

    def merge(self, states: Sequence[ColumnsState]) -> ColumnsState:
        """The state of all the rows that the given states saw."""
        return self.columns.merge(states)

    def measure(self, batches: Iterable[pa.RecordBatch]) -> ColumnsState:
        """The state of all batches.

        At most 16 states, of 256 MB together, are held at a time, so that memory grows neither with the number of
        rows nor with that of the columns.
        """
        held: list[ColumnsState] = []
        size = 0
        for batch in batches:
            held.append(self.update(batch))
            size += held[-1].nbytes
            if len(held) == _MOST_HELD or (len(held) > 1 and size > _MOST_BYTES):
                held = [self.merge(held)]
                size = held[0].nbytes
        return self.merge(held)

    def result(self, state: ColumnsState) -> TableStatistics:
        """The statistics of every column, in the order of the table."""
        return TableStatistics(state.rows, tuple(_feature(name, column) for name, column in state))


def save_state(state: ColumnsState) -> bytes:
    """The state as bytes, so that an hour need not be measured twice."""
    return state.save()


def load_state(data: bytes) -> ColumnsState:
    """The state that :func:`save_state` wrote; raises :class:`driftline.core.errors.InputError` for other bytes."""
    return ColumnsState.load(data)


def inferred_type(types: TypeCounts) -> InferredType:
    """What a column is, by what its present values are.

    Any text makes it String, and so do booleans, alone or among numbers: there is no type for them.

    >>> inferred_type(TypeCounts(integral=5, whole=1)), inferred_type(TypeCounts(integral=5, boolean=1))
    ('Fractional', 'String')
    """
    if types.string or types.boolean:
        return "String"
    if types.whole or types.fractional:
        return "Fractional"
    return "Integral" if types.integral else "Unknown"


def _feature(name: str, column: ColumnState) -> FeatureStatistics:
    types = TypeCounts(*column.types)
    kind = inferred_type(types)
    return FeatureStatistics(
        name,
        kind,
        column.present,
        column.missing,
        _numerical(column) if kind in ("Integral", "Fractional") else None,
        _string(column) if kind == "String" else None,
        types,
        column.error or None,
    )


def _numerical(column: ColumnState) -> NumericalStatistics:
    found = Numbers().result(column.numbers)
    return NumericalStatistics(
        found.mean,
        found.sum,
        found.std_dev,
        found.min,
        found.max,
        _buckets(column),
        tuple(tuple(level.tolist()) for level in column.sketch.levels()),
        not_finite=column.numbers.not_finite,
    )


def _buckets(column: ColumnState) -> tuple[Bucket, ...]:
    """Ten buckets of equal width between the extremes; a single one of no width where all values are the same."""
    low, high, n = column.numbers.low, column.numbers.high, column.numbers.count
    if not n:
        return ()
    shares = np.arange(1, BUCKETS) / BUCKETS
    # The width of all may be infinite where no edge is.
    width = high - low
    inner = low + width / BUCKETS * np.arange(1, BUCKETS) if np.isfinite(width) else low * (1 - shares) + high * shares
    edges = [low, *inner.tolist(), high]
    if any(a >= b for a, b in pairwise(edges)):
        return (Bucket(low, high, float(n)),)
    below = [0, *column.sketch.below(inner, inclusive=False).tolist(), n]
    return tuple(Bucket(edges[i], edges[i + 1], float(below[i + 1] - below[i])) for i in range(BUCKETS))


def _string(column: ColumnState) -> StringStatistics:
    """All texts, those that are numbers too; of the latter none is listed where there are too many different ones."""
    texts, numerals = Categories().result(column.texts), Categories().result(column.numerals)
    if not numerals.error:
        categories = sorted(texts.categories + numerals.categories, key=lambda pair: (-pair[1], pair[0]))
        return StringStatistics(texts.distinct + numerals.distinct, tuple(categories), not texts.error, texts.error)
    # What is not listed has no count at all: it is too small by what the most frequent number can have.
    heaviest = column.sketch.heaviest() + math.ceil(2 * RANK_ERROR * column.numbers.count)
    error = max(texts.error, min(heaviest, numerals.n))
    distinct = texts.distinct + len(column.sketch.weighted()[0])
    return StringStatistics(distinct, texts.categories, False, error)
