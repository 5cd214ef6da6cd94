"""From the text of labels and predictions to classes: one spelling for each class, decided once a distinct value."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TRUTH = {"true": "1", "false": "0"}


def canonical(text: str) -> str:
    """One spelling for numbers that are equal; any other text as it is.

    >>> canonical("1.0"), canonical("+1"), canonical("0.50"), canonical(" cat "), canonical("1e400")
    ('1', '1', '0.5', 'cat', '1e400')
    """
    text = text.strip()
    if _NUMBER.fullmatch(text) is None:
        return text
    number = float(text)
    if not math.isfinite(number):
        return text
    if abs(number) < 2**53:
        return str(int(number)) if number == int(number) else repr(number)
    # Beyond 2**53 not every whole number is a float: digit by digit, so that identifiers stay apart.
    digits = f"{Decimal(text):f}"
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits).removeprefix("+")


def binary(text: str) -> str | None:
    """``0`` or ``1``, from a number or from true/false in any case; None for anything else."""
    name = canonical(_TRUTH.get(text.strip().lower(), text))
    return name if name in ("0", "1") else None


def binary_codes(column: pa.Array[Any]) -> npt.NDArray[np.int8]:
    """For every value of a column 1, 0, or −1 where it is null or no binary class. A text is decided once a value."""
    if pa.types.is_int64(column.type) and column.null_count == 0:
        whole = column.to_numpy()
        codes: npt.NDArray[np.int8] = whole.astype(np.int8)
        codes[whole.view(np.uint64) > 1] = -1
        return codes
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
        given = pc.cast(column, pa.float64(), safe=False).fill_null(-1).to_numpy(zero_copy_only=False)
        return np.where((given == 0) | (given == 1), given, -1).astype(np.int8)
    column = text_of(column)
    encoded = column.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    table = np.array([-1 if (name := binary(text)) is None else int(name) for text in names] + [-1], dtype=np.int8)
    places = pc.fill_null(encoded.indices, len(names)).to_numpy(zero_copy_only=False)
    found: npt.NDArray[np.int8] = table[places]
    return found


def text_of(column: pa.Array[Any]) -> pa.Array[Any]:
    """A column as text; text stays as it is."""
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def canonical_classes(column: pa.Array[Any]) -> pa.DictionaryArray:
    """A column as classes, each under its one spelling; nulls stay null."""
    column = text_of(column)
    encoded = column.dictionary_encode()
    names = [canonical(text) for text in encoded.dictionary.to_pylist()]
    distinct = sorted(set(names))
    where = {name: place for place, name in enumerate(distinct)}
    places = np.array([where[name] for name in names], dtype=np.int32)
    indices = encoded.indices
    if list(names) != distinct:
        indices = pc.take(pa.array(places), indices)
    return pa.DictionaryArray.from_arrays(indices, pa.array(distinct, type=pa.string()))


def numbers(column: pa.Array[Any]) -> npt.NDArray[np.float64]:
    """A text or number column as numbers, true and false as 1 and 0; NaN where it is null or no number."""
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        given: npt.NDArray[np.float64] = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
        return given
    text = pc.utf8_trim_whitespace(column)
    for name, value in _TRUTH.items():
        text = pc.if_else(pc.equal(text, name), value, text)
    readable = pc.match_substring_regex(text, f"^(?:{_NUMBER.pattern})$")
    values: npt.NDArray[np.float64] = pc.cast(pc.if_else(readable, text, None), pa.float64()).to_numpy(
        zero_copy_only=False
    )
    return values
