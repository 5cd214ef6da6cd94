"""Columns of texts as columns of numbers, where no text is lost by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Array = Any  # pa.Array; its stubs are not part of pyarrow
_HEAD = 256
_FRACTIONAL = "[.eEnN]"
_NINE = ord("9")


def typed(texts: Array) -> Array:
    """A column of texts as int64 where every text is an integer, as float64 where every text is a number with a point
    or an exponent (NaN and infinities among them), else as the texts themselves; without a text as nulls.

    An empty or blank text is missing. A column with ``6`` and ``6.5`` keeps its texts, so that its values can be
    counted by what their text is; so does one whose integers do not fit 64 bits. Blanks around numbers do not matter.

    >>> [typed(pa.array(texts)).type for texts in (["6", ""], ["6.5", "1e3"], ["6", "6.5"], ["6", "six"], [" "])]
    [DataType(int64), DataType(double), DataType(string), DataType(string), DataType(null)]
    """
    column = without_blanks(texts)
    if column.null_count == len(column):
        return pa.nulls(len(column))
    numbers = _numbers(column)
    if numbers is None and (trimmed := _trimmed(column)) is not None:
        numbers = _numbers(trimmed)
    return column if numbers is None else numbers


def without_blanks(texts: Array) -> Array:
    """The texts with null in the place of each that is empty or holds blanks only."""
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if column.type != pa.string():
        column = pc.cast(column, pa.string())
    first = pc.utf8_slice_codeunits(column, 0, 1)
    if not pc.any(pc.is_in(first, pa.array(["", " ", "\t"])), min_count=0).as_py():
        return column
    empty = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(column)), 0)
    return pc.if_else(empty, pa.scalar(None, pa.string()), column)


def shows_integers(texts: Array) -> bool:
    """Whether any of the texts of numbers has neither a point nor an exponent, and is neither NaN nor infinite."""
    return not pc.all(pc.match_substring_regex(texts, _FRACTIONAL), min_count=0).as_py()


def whole(numbers: Array) -> Any:
    """Which numbers are whole: the only ones whose text may be an integer. A mask; nulls are not whole."""
    values = numbers.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        return np.floor(values) == values


def _numbers(column: Array) -> Array | None:
    if _cast(column.slice(0, _HEAD), pa.float64()) is None:
        return None
    integers = _integers(column)
    return _doubles(column) if integers is None else integers


def _trimmed(column: Array) -> Array | None:
    """The texts without blanks around them; None where that makes no numbers of the first ones."""
    head = pc.utf8_trim_whitespace(column.slice(0, _HEAD))
    return pc.utf8_trim_whitespace(column) if _cast(head, pa.float64()) is not None else None


def _cast(column: Array, kind: Any) -> Array | None:
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        return None


def _integers(column: Array) -> Array | None:
    found = _cast(column, pa.int64())
    return None if found is None or _has_letters(column) else found


def _has_letters(column: Array) -> bool:
    """Integers may be written ``0x1F`` for the reader; that is a text here."""
    own = pa.concat_arrays([column]) if column.offset else column
    offsets, data = own.buffers()[1:]
    end = int(np.frombuffer(offsets, np.int32, len(own) + 1)[-1])
    return bool(end) and int(np.frombuffer(data, np.uint8, end).max()) > _NINE


def _doubles(column: Array) -> Array | None:
    found = _cast(column, pa.float64())
    return None if found is None or shows_integers(column.filter(pa.array(whole(found)))) else found
