"""All columns of a table: what is in each of them, whatever its type is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import pyarrow as pa

from driftline.analyzers.categories import MOST_CATEGORIES
from driftline.analyzers.column import Column, ColumnState
from driftline.core.errors import InputError
from driftline.core.state import State, pack, unpack

Over = Callable[[Callable[[Any], ColumnState], Iterable[Any]], Iterable[ColumnState]]


@dataclass(frozen=True, eq=False)
class ColumnsState(State):
    """The columns of ``rows`` rows by name, in the order of the table.

    A column that a batch does not have has no rows there: neither present nor missing ones.
    """

    rows: int = 0
    names: tuple[str, ...] = ()
    columns: tuple[ColumnState, ...] = ()

    def __iter__(self) -> Iterator[tuple[str, ColumnState]]:
        return zip(self.names, self.columns, strict=True)

    @property
    def nbytes(self) -> int:
        """About how many bytes of memory it takes."""
        return sum(column.nbytes for column in self.columns)

    def save(self) -> bytes:
        """The state as bytes."""
        columns = [column.save() for column in self.columns]
        return pack("ColumnsState", {"rows": self.rows, "names": list(self.names), "columns": columns})

    @classmethod
    def load(cls, data: bytes) -> Self:
        """The state that :meth:`save` wrote; raises :class:`InputError` for any other bytes."""
        values = unpack("ColumnsState", data)
        try:
            columns = tuple(ColumnState.load(column) for column in values["columns"])
            return cls(values["rows"], tuple(values["names"]), columns)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("these bytes are no saved table", evidence=str(error)[:100], hint="rebuild it") from None


class Columns:
    """Measures every column of a batch as a feature: integers, floats, booleans, text, dictionaries, decimals, times.

    Batches may have different columns, and other types under the same name. A column that cannot be analysed has a
    state that says why. ``over`` works on the columns, as ``map`` does; the ``map`` of a thread pool makes use of
    several processors.
    """

    name = "columns"

    def __init__(self, *, most_categories: int = MOST_CATEGORIES, over: Over = map) -> None:
        self.column = Column(most_categories=most_categories)
        self.over = over

    def identity(self) -> ColumnsState:
        """The state of no rows."""
        return ColumnsState()

    def update(self, batch: pa.RecordBatch) -> ColumnsState:
        """The state of one batch. Without rows there are no columns either.

        Of columns of one name the first is analysed, and its state has an error.
        """
        if not batch.num_rows:
            return self.identity()
        names = batch.schema.names
        places = {name: place for place, name in reversed(list(enumerate(names)))}
        kept = sorted(places.values())
        found = list(self.over(lambda place: self.column.of(batch.column(place), place), kept))
        if len(kept) < len(names):
            found = [_told(column, names.count(names[column.place])) for column in found]
        return ColumnsState(batch.num_rows, tuple(names[place] for place in kept), tuple(found))

    def merge(self, states: Sequence[ColumnsState]) -> ColumnsState:
        """The state of all the rows the states saw."""
        if len(states) == 1:
            return states[0]
        parts: dict[str, list[ColumnState]] = {}
        for state in states:
            for name, column in state:
                parts.setdefault(name, []).append(column)
        merged = zip(parts, self.over(self.column.merge, parts.values()), strict=True)
        ordered = sorted(merged, key=lambda pair: (pair[1].place, pair[0]))
        rows = sum(state.rows for state in states)
        return ColumnsState(rows, tuple(name for name, _ in ordered), tuple(column for _, column in ordered))

    def result(self, state: ColumnsState) -> dict[str, ColumnState]:
        """The columns by name, in the order of the table."""
        return dict(state)


def _told(column: ColumnState, times: int) -> ColumnState:
    return column if times == 1 else replace(column, error=f"{times} columns have this name; the first was analysed")
