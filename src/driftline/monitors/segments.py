"""A monitor for every value of a column, in one pass: states by segment, and which segments do worst."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.errors import InputError

MOST_SEGMENTS = 1000
MISSING = "(missing)"


class Segmentation(msgspec.Struct, frozen=True):
    """How rows are divided: by the values of a column, or by ``edges`` in ascending order, which cut numbers into bins.

    Bins are half open: with the edges 18 and 30 they are below 18, [18, 30), and 30 and above.
    """

    column: str
    edges: tuple[float, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Segmentation:
        """``plan`` or ``age:18,30,50``; raises :class:`InputError` for edges that are no ascending numbers.

        >>> Segmentation.parse("age:18,30")
        Segmentation(column='age', edges=(18.0, 30.0))
        >>> Segmentation.parse("plan").edges
        ()
        """
        column, colon, after = text.rpartition(":")
        if not colon:
            return cls(text)
        try:
            edges = tuple(float(edge) for edge in after.split(","))
        except ValueError:
            return cls(text)
        if not all(np.isfinite(edges)) or any(low >= high for low, high in pairwise(edges)):
            raise InputError(
                f"{text!r} divides nothing", evidence=f"edges {after}", hint="write ascending edges, as in age:18,30,50"
            )
        return cls(column, edges)

    def keys(self, column: pa.Array[Any]) -> pa.DictionaryArray:
        """The segment of every row, as text."""
        if not self.edges:
            text = column.cast(pa.string()) if not pa.types.is_dictionary(column.type) else column
            return pc.fill_null(_text(text), MISSING).dictionary_encode()
        numbers = _numbers(column)
        places = np.searchsorted(np.array(self.edges), numbers, side="right")
        places[np.isnan(numbers)] = len(self.edges) + 1
        return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), pa.array([*self._bins(), MISSING]))

    def _bins(self) -> list[str]:
        first, last = self.edges[0], self.edges[-1]
        inner = [f"[{low:g}, {high:g})" for low, high in pairwise(self.edges)]
        return [f"below {first:g}", *inner, f"{last:g} and above"]


class Measured(Protocol):
    """A monitor as far as segments need it."""

    def update(self, batch: pa.RecordBatch) -> Any:
        """The state of one batch."""

    def merge(self, states: Sequence[Any]) -> Any:
        """The state of all the rows that the given states saw."""


class Segments:
    """A monitor's states by segment: one more dimension around its own ``update`` and ``merge``.

    A state is a mapping from segment to the monitor's state.
    """

    def __init__(self, monitor: Measured, segmentation: Segmentation) -> None:
        self._monitor, self.segmentation = monitor, segmentation

    def update(self, batch: pa.RecordBatch) -> dict[str, Any]:
        """The states of one batch, which must have the column that divides it.

        Raises :class:`InputError` where it has not, or where it has more than 1,000 values.
        """
        column = self.segmentation.column
        if column not in batch.schema.names:
            raise InputError(
                f"no column {column!r} to divide rows by",
                evidence=f"the columns are: {', '.join(batch.schema.names)[:300]}",
                hint="name one of them",
            )
        keys = self.segmentation.keys(batch.column(column))
        codes = keys.indices.to_numpy(zero_copy_only=False)
        order = np.argsort(codes, kind="stable")
        found, first = np.unique(codes[order], return_index=True)
        self._check(len(found))
        parts = zip(found.tolist(), np.split(order, first[1:]), strict=True) if len(found) else ()
        return {keys.dictionary[code].as_py(): self._monitor.update(batch.take(pa.array(rows))) for code, rows in parts}

    def merge(self, states: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The states of all the rows that the given states saw."""
        names = sorted({name for state in states for name in state})
        self._check(len(names))
        return {name: self._monitor.merge([state[name] for state in states if name in state]) for name in names}

    def measure(self, batches: Iterable[pa.RecordBatch]) -> dict[str, Any]:
        """The states of all batches."""
        state: dict[str, Any] = {}
        for batch in batches:
            state = self.merge([state, self.update(batch)])
        return state

    def _check(self, number: int) -> None:
        if number > MOST_SEGMENTS:
            raise InputError(
                f"{self.segmentation.column} has more than {MOST_SEGMENTS:,} values, which are no segments",
                hint=f"divide numbers into bins, as in {self.segmentation.column}:10,20,50, or choose another column",
            )


def _text(column: pa.Array[Any]) -> pa.Array[Any]:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _numbers(column: pa.Array[Any]) -> Any:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        matched = pc.match_substring_regex(column, r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")
        column = pc.utf8_trim_whitespace(pc.if_else(matched, column, None))
    return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
