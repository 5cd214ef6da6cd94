"""Columns of texts as columns of numbers, where no text is lost by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Array = Any  # pa.Array; its stubs are not part of pyarrow
_HEAD = 256
_FRACTIONAL = "[.eEnN]"


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
    return column if numbers is None or pa.types.is_string(numbers.type) else numbers


def without_blanks(texts: Array) -> Array:
    """The texts with null in the place of each that is empty or holds blanks only."""
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if column.type != pa.string():
        column = pc.cast(column, pa.string())
    content = content_of(column)
    if b" " not in content and b"\t" not in content and pc.min(pc.binary_length(column)).as_py() != 0:
        return column
    empty = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(column)), 0)
    return pc.if_else(empty, pa.scalar(None, pa.string()), column)


def content_of(column: Array) -> bytes:
    """The bytes of all texts, one after another with nothing between them."""
    if not len(column):
        return b""
    offsets, data = column.buffers()[1:]
    first, last = np.frombuffer(offsets, np.int32)[[column.offset, column.offset + len(column)]].tolist()
    return b"" if data is None else data.slice(first, last - first).to_pybytes()


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
    """The texts without blanks around them; None where none has any, or the first ones are no numbers all the same."""
    head = pc.utf8_trim_whitespace(column.slice(0, _HEAD))
    if _cast(head, pa.float64()) is None:
        return None
    trimmed = pc.utf8_trim_whitespace(column)
    return None if trimmed.equals(column) else trimmed


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
    content = content_of(column)
    return b"x" in content or b"X" in content


def _doubles(column: Array) -> Array | None:
    """Numbers, or the texts themselves where some are integers; None where there is another text."""
    found = _cast(column, pa.float64())
    if found is None:
        return None
    return column if shows_integers(column.filter(pa.array(whole(found)))) else found
