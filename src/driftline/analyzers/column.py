"""One column of a table: what is in it, whatever its type is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.analyzers.categories import Categories, CategoryState
from driftline.analyzers.numbers import Numbers, NumberState, with_not_finite
from driftline.analyzers.quantiles import (
    EXACT_DISTINCT,
    Quantiles,
    QuantileState,
    certainly_many,
    sorted_runs,
    starts_of,
)
from driftline.analyzers.texts import BOOLEAN, INTEGRAL, numbers_of, texts
from driftline.core.errors import InputError
from driftline.core.state import State, pack, unpack

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_TABLE_OF_INTEGERS = 1 << 16
_EXACT_INTEGERS = 2.0**53
_PROBE = 1024
_PARTS: dict[str, type[State]] = {
    "numbers": NumberState,
    "sketch": QuantileState,
    "texts": CategoryState,
    "numerals": CategoryState,
}
_NO_NUMBERS, _NO_SKETCH, _NO_TEXTS = NumberState(), QuantileState(), CategoryState()


@dataclass(frozen=True, eq=False)
class ColumnState(State):
    """The values of one column.

    ``place`` is the least place it had in a table. ``rows`` are those of the batches that had the column; of them
    ``missing`` are null, or text that is empty or blank. ``types`` counts the present values as
    :class:`driftline.core.table_statistics.TypeCounts` does, in its order. ``numbers`` and ``sketch`` are of all values
    that are numbers, the sketch of the finite ones; ``texts`` counts the texts that are no numbers, ``numerals`` those
    that are, only while there are no more than 256 different ones. ``error`` says why a batch could not be analysed;
    its values are counted nowhere but in ``rows``.
    """

    place: int = 0
    rows: int = 0
    missing: int = 0
    types: tuple[int, ...] = (0, 0, 0, 0, 0)
    numbers: NumberState = _NO_NUMBERS
    sketch: QuantileState = _NO_SKETCH
    texts: CategoryState = _NO_TEXTS
    numerals: CategoryState = _NO_TEXTS
    error: str = ""

    @property
    def present(self) -> int:
        """How many values are there."""
        return sum(self.types)

    @property
    def nbytes(self) -> int:
        """About how many bytes of memory it takes."""
        texts = sum(len(one.text) + one.ends.nbytes * 2 + one.hashes.nbytes for one in (self.texts, self.numerals))
        return self.sketch.values.nbytes + texts + 2000

    def save(self) -> bytes:
        """The state as bytes."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return pack("ColumnState", values | {name: values[name].save() for name in _PARTS})

    @classmethod
    def load(cls, data: bytes) -> Self:
        """The state that :meth:`save` wrote; raises :class:`InputError` for any other bytes."""
        values = unpack("ColumnState", data)
        try:
            parts = {name: kind.load(values[name]) for name, kind in _PARTS.items()}
            return cls(**values | parts | {"types": tuple(values["types"])})
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("these bytes are no saved column", evidence=str(error)[:100], hint="rebuild it") from None


class _Numeric(NamedTuple):
    """Numbers as states; ``values`` and ``counts`` of the distinct ones, None where there are many."""

    numbers: NumberState
    sketch: QuantileState
    values: Floats | None = None
    counts: Ints | None = None

    @property
    def distinct(self) -> list[float]:
        return [] if self.values is None else self.values.tolist()


class Column:
    """Measures one column. ``most_categories`` bounds the distinct texts that are counted exactly."""

    def __init__(self, *, most_categories: int) -> None:
        self.numbers = Numbers()
        self.quantiles = Quantiles()
        self.texts = Categories(most=most_categories)
        self.numerals = Categories(most=EXACT_DISTINCT, frequent=False)

    def of(self, column: pa.Array[Any], place: int = 0) -> ColumnState:
        """The state of an Arrow array of any type; where that fails, the state says why."""
        try:
            return self._measured(column, place)
        except MemoryError:
            raise
        except Exception as error:
            lines = str(error).splitlines() or [type(error).__name__]
            return ColumnState(place, len(column), error=f"{column.type} cannot be analysed: {lines[0][:200]}")

    def merge(self, states: Sequence[ColumnState]) -> ColumnState:
        """The state of all the values the states saw."""
        if len(states) == 1:
            return states[0]
        return ColumnState(
            min(state.place for state in states),
            sum(state.rows for state in states),
            sum(state.missing for state in states),
            tuple(map(sum, zip(*(state.types for state in states), strict=True))),
            self.numbers.merge([state.numbers for state in states]),
            self.quantiles.merge([state.sketch for state in states]),
            self.texts.merge([state.texts for state in states]),
            self.numerals.merge([state.numerals for state in states]),
            min((state.error for state in states if state.error), default=""),
        )

    def _measured(self, column: pa.Array[Any], place: int) -> ColumnState:
        rows, kind = len(column), column.type
        if pa.types.is_dictionary(kind) and _is_text(kind.value_type):
            return self._of_texts(*_dictionary_counts(column), place, rows)
        if pa.types.is_dictionary(kind):
            return self._measured(column.dictionary_decode(), place)
        column = column.drop_null()
        if pa.types.is_integer(kind):
            return self._of_integers(column.to_numpy(zero_copy_only=False), place, rows)
        if pa.types.is_floating(kind):
            return self._of_floats(column.cast(pa.float64()).to_numpy(zero_copy_only=False), place, rows)
        if pa.types.is_boolean(kind):
            return self._of_booleans(column, place, rows)
        text = column if _is_text(kind) else column.cast(pa.large_string())
        return self._of_text_column(text, place, rows)

    def _of_integers(self, values: Any, place: int, rows: int) -> ColumnState:
        found, n = self._integers(values), len(values)
        if n and max(-int(values.min()), int(values.max())) > _EXACT_INTEGERS:
            # Integers that are equal as doubles are different texts.
            distinct, counts = np.unique(values, return_counts=True)
            few = len(distinct) <= EXACT_DISTINCT
            numerals = (
                self.numerals.of(_text_array(distinct.astype(str).tolist()), counts) if few else self.numerals.lost(n)
            )
        else:
            numerals = self._counted_numerals(found, n, lambda value: str(int(value)))
        return ColumnState(place, rows, rows - n, _kinds(INTEGRAL, n), found.numbers, found.sketch, numerals=numerals)

    def _of_floats(self, values: Floats, place: int, rows: int) -> ColumnState:
        found, n = self._floats(values), len(values)
        whole = int(np.count_nonzero(np.floor(values) == values)) - found.numbers.above - found.numbers.below
        numerals = self._counted_numerals(found, n, repr)
        types = (0, whole, n - whole, 0, 0)
        return ColumnState(place, rows, rows - n, types, found.numbers, found.sketch, numerals=numerals)

    def _of_booleans(self, column: pa.Array[Any], place: int, rows: int) -> ColumnState:
        true, present = pc.sum(column).as_py() or 0, len(column)
        counts = np.array([present - true, true])
        names = _text_array(["false", "true"]).filter(pa.array(counts > 0))
        counted = self.texts.of(names, counts[counts > 0])
        return ColumnState(place, rows, rows - present, _kinds(BOOLEAN, present), texts=counted)

    def _of_text_column(self, column: pa.Array[Any], place: int, rows: int) -> ColumnState:
        some = pc.not_equal(column, "")
        if not pc.all(some).as_py():
            column = column.filter(some)
        if _many_different(column) and (plain := numbers_of(column)) is not None:
            values, types = plain
            found = self._floats(values)
            if found.counts is None or len(found.counts) > EXACT_DISTINCT:
                lost, missing = self.numerals.lost(len(values)), rows - len(values)
                return ColumnState(place, rows, missing, types, found.numbers, found.sketch, numerals=lost)
        counted = column.value_counts()
        return self._of_texts(counted.field(0), counted.field(1).to_numpy(), place, rows)

    def _of_texts(self, names: pa.Array[Any], counts: Ints, place: int, rows: int) -> ColumnState:
        """Of distinct texts with their counts."""
        found = texts(names, counts)
        numeric = found.numeric
        numbers = self._counted_numbers(found.numbers[numeric], found.counts[numeric])
        return ColumnState(
            place,
            rows,
            rows - int(found.counts.sum()),
            found.types(),
            numbers.numbers,
            numbers.sketch,
            self.texts.of(found.names.filter(pa.array(~numeric)), found.counts[~numeric]),
            self.numerals.of(found.names.filter(pa.array(numeric)), found.counts[numeric]),
        )

    def _integers(self, values: Any) -> _Numeric:
        if not len(values):
            return self._floats(values.astype(np.float64))
        low, high = int(values.min()), int(values.max())
        if high - low >= _TABLE_OF_INTEGERS or high > np.iinfo(np.int64).max:
            return self._floats(values.astype(np.float64))
        counts = np.bincount(values.astype(np.int64) - low)
        places = np.flatnonzero(counts)
        return self._distinct((places + low).astype(np.float64), counts[places])

    def _floats(self, values: Floats) -> _Numeric:
        """The states of numbers in any order; every value takes part in one sort."""
        if certainly_many(values):
            runs, rest = sorted_runs(values)
            if np.isfinite(runs[:, [0, -1]]).all() and np.isfinite(rest).all():
                return _Numeric(self.numbers.of(values), self.quantiles.of_runs(runs, rest))
        finite = np.isfinite(values)
        if not finite.all():
            found = self._floats(values[finite])
            return found._replace(numbers=with_not_finite(found.numbers, values[~finite]))
        ordered = values + 0.0  # -0.0 and 0.0 are one value
        ordered.sort()
        starts = starts_of(ordered)
        if len(starts) > EXACT_DISTINCT and 2 * len(starts) > len(ordered):
            return _Numeric(self.numbers.of(ordered), self.quantiles.of_sorted(ordered))
        return self._distinct(ordered[starts], np.diff(np.append(starts, len(ordered))))

    def _counted_numbers(self, values: Floats, counts: Ints) -> _Numeric:
        """The states of numbers in any order, each of which occurs ``counts`` times."""
        finite = np.isfinite(values)
        distinct, places = np.unique(values[finite] + 0.0, return_inverse=True)
        sums = np.zeros(len(distinct), dtype=np.int64)
        np.add.at(sums, places, counts[finite])
        found = self._distinct(distinct, sums)
        return found._replace(numbers=with_not_finite(found.numbers, np.repeat(values[~finite], counts[~finite])))

    def _distinct(self, values: Floats, counts: Ints) -> _Numeric:
        """The states of ascending distinct numbers with their counts."""
        numbers = self.numbers.of_counted(values, counts)
        return _Numeric(numbers, self.quantiles.of_counted(values, counts), values, counts)

    def _counted_numerals(self, found: _Numeric, n: int, shown: Callable[[float], str]) -> CategoryState:
        """The counts of numbers by their text."""
        if found.counts is None or len(found.counts) > EXACT_DISTINCT:
            return self.numerals.lost(n)
        odd = found.numbers
        names = [*map(shown, found.distinct), "nan", "inf", "-inf"]
        counts = np.concatenate((found.counts, [odd.nan, odd.above, odd.below]))
        return self.numerals.of(_text_array(names).filter(pa.array(counts > 0)), counts[counts > 0])


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _text_array(names: Sequence[str]) -> pa.Array[Any]:
    return pa.array(names, pa.large_string())


def _kinds(kind: int, n: int) -> tuple[int, ...]:
    """The counts of a column of which all values are of one kind."""
    return tuple(n if one == kind else 0 for one in range(5))


def _many_different(column: pa.Array[Any]) -> bool:
    """Whether most of the first values are different: then it pays to try whether all are numbers."""
    distinct: int = len(column.slice(0, _PROBE).unique())
    return len(column) > _PROBE and 2 * distinct > _PROBE


def _dictionary_counts(column: pa.DictionaryArray) -> tuple[pa.Array[Any], Ints]:
    """The texts of a dictionary that occur, and how often; those that are null are left out."""
    names = column.dictionary
    counts = np.bincount(column.indices.drop_null().to_numpy(zero_copy_only=False), minlength=len(names))
    used = (counts > 0) & names.is_valid().to_numpy(zero_copy_only=False)
    return names.filter(pa.array(used)), counts[used]
