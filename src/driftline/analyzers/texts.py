"""What texts are: whole numbers, other numbers, true or false, or anything else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
INTEGRAL, WHOLE, FRACTIONAL, BOOLEAN, STRING = range(5)
_KINDS = 5
_DIGITS = r"^[+-]?[0-9]+$"
_NUMBER = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$|^(?i:[+-]?(?:inf|infinity|nan))$"
_MARK_POINT, _MARK_OTHER = 1, 2
_FEW = 64


class Texts(NamedTuple):
    """Texts without blanks around them: ``counts`` of each, its kind, and its number (NaN where it is none)."""

    names: pa.Array[Any]
    counts: Ints
    kinds: Bytes
    numbers: Floats

    @property
    def numeric(self) -> npt.NDArray[np.bool_]:
        """Which of the texts are numbers; ``nan`` and ``inf`` are."""
        return self.kinds <= FRACTIONAL

    def types(self) -> tuple[int, ...]:
        """How many values are of each kind."""
        return kind_counts(self.kinds, self.counts)


def kind_counts(kinds: Bytes, counts: Ints | None = None) -> tuple[int, ...]:
    """How often each of the five kinds occurs."""
    if counts is None:
        return tuple(np.bincount(kinds, minlength=_KINDS).tolist())
    return tuple(int(counts[kinds == kind].sum()) for kind in range(_KINDS))


def texts(names: pa.Array[Any], counts: Ints) -> Texts:
    """Texts, not null, with their counts, as distinct texts without surrounding blanks; empty ones are left out.

    ``1``, ``+1`` and ``007`` are integral, ``1.``, ``.5``, ``1e5``, ``nan`` and ``-Infinity`` are other numbers;
    ``0x1F``, ``1_000`` and ``1,000`` are none.

    >>> found = texts(pa.array([" 2", "1e3", "yes"]), np.array([1, 1, 1]))
    >>> found.types(), found.numbers.tolist()
    ((1, 1, 0, 0, 1), [2.0, 1000.0, nan])
    """
    trimmed = pc.utf8_trim_whitespace(names.cast(pa.large_string()))
    some = pc.not_equal(trimmed, "")
    if not pc.all(some).as_py():
        trimmed, counts = trimmed.filter(some), counts[some.to_numpy(zero_copy_only=False)]
    kinds, numbers = _classified(trimmed)
    return Texts(trimmed, counts, kinds, numbers)


def numbers_of(column: pa.Array[Any]) -> tuple[Floats, tuple[int, ...]] | None:
    """All texts of a column as numbers and how many are of each kind, or None when any is not a plain number.

    For a column of many different numbers: a text need not be looked up among the distinct ones. Neither null nor the
    empty text may be in it.
    """
    # A cast that fails is ten times slower than one that succeeds, so it is tried on a few texts first.
    if _cast(column.slice(0, _FEW)) is None:
        return None
    marks = _marks(column)
    if (marks & _MARK_OTHER).any():  # an infinity, NaN, or something odd
        return None
    numbers = _cast(column)
    if numbers is None:
        return None
    kinds = np.where(marks == 0, INTEGRAL, np.where(_whole(numbers), WHOLE, FRACTIONAL)).astype(np.uint8)
    return numbers, kind_counts(kinds)


def _cast(column: pa.Array[Any]) -> Floats | None:
    try:
        numbers: Floats = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return numbers


def _classified(names: pa.Array[Any]) -> tuple[Bytes, Floats]:
    numeric = pc.match_substring_regex(names, _NUMBER)
    where = numeric.to_numpy(zero_copy_only=False)
    chosen = names.filter(numeric)
    found = pc.cast(chosen, pa.float64()).to_numpy(zero_copy_only=False)
    kinds = np.full(len(names), STRING, dtype=np.uint8)
    integral = pc.match_substring_regex(chosen, _DIGITS).to_numpy(zero_copy_only=False)
    kinds[where] = np.where(integral, INTEGRAL, np.where(_whole(found), WHOLE, FRACTIONAL))
    truth = pc.is_in(pc.ascii_lower(names), pa.array(["true", "false"], names.type))
    kinds[truth.to_numpy(zero_copy_only=False)] = BOOLEAN
    numbers = np.full(len(names), np.nan)
    numbers[where] = found
    return kinds, numbers


def _whole(numbers: Floats) -> npt.NDArray[np.bool_]:
    whole: npt.NDArray[np.bool_] = (np.floor(numbers) == numbers) & np.isfinite(numbers)
    return whole


def _table() -> Bytes:
    table = np.full(256, _MARK_OTHER, dtype=np.uint8)
    table[list(b"0123456789+-")] = 0
    table[list(b".eE")] = _MARK_POINT
    return table


_TABLE = _table()


def _marks(column: pa.Array[Any]) -> Bytes:
    """For every text, none of them empty, which marks its bytes have."""
    text = column.cast(pa.large_string())
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    marks = _TABLE[np.frombuffer(text.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]]
    found: Bytes = np.bitwise_or.reduceat(marks, offsets[:-1] - offsets[0])
    return found
