"""From the text of labels and predictions to classes: one spelling for each class, decided once a distinct value."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
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
    if number in (float("inf"), float("-inf")):
        return text
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(number)


def binary(text: str) -> str | None:
    """``0`` or ``1``, from a number or from true/false in any case; None for anything else."""
    name = canonical(_TRUTH.get(text.strip().lower(), text))
    return name if name in ("0", "1") else None


def binary_codes(column: pa.Array[Any]) -> npt.NDArray[np.int8]:
    """For every value of a text column 1, 0, or −1 where it is null or no binary class."""
    encoded = column.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    table = np.array([-1 if (name := binary(text)) is None else int(name) for text in names] + [-1], dtype=np.int8)
    places = pc.fill_null(encoded.indices, len(names)).to_numpy(zero_copy_only=False)
    codes: npt.NDArray[np.int8] = table[places]
    return codes
