"""A block of CSV lines that all have as many cells, as typed columns; many threads, no loop over lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from driftline.engine.texts import Array, shows_integers, typed, whole, without_blanks

_BLOCK = 4 << 20
_NEWLINE = 10


def parse_block(
    data: Any, width: int, *, newlines: bool = False, lines: Array | None = None, refused: Refused | None = None
) -> list[Array]:
    """The ``width`` columns of lines of cells, without a header, typed as :func:`driftline.engine.texts.typed` says.

    ``data`` is bytes or a buffer of UTF-8 text; a cell may stand in double quotes, with ``newlines`` also when it holds
    line breaks. A line with another number of cells is left out and goes to ``refused``; without that
    :class:`pyarrow.ArrowInvalid` is raised. ``lines`` are the lines as texts, where they are at hand.

    >>> [column.to_pylist() for column in parse_block(b'1,"a, b"\\n2,\\n', 2)]
    [[1, 2], ['a, b', None]]
    """
    block = _Block(pa.py_buffer(data), width, newlines, lines, refused)
    if not block.data.size:
        return [pa.nulls(0) for _ in range(width)]
    return block.columns()


def joined_lines(lines: Array) -> pa.Buffer:
    """Texts as one block, a line break between them."""
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return pc.binary_join(whole, "\n")[0].as_buffer()


class Refused:
    """The texts of the lines of a block that have another number of cells, in no order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, row: csv.InvalidRow) -> str:
        self.lines.append(row.text)
        return "skip"


class _Block:
    def __init__(self, data: Any, width: int, newlines: bool, lines: Array | None, refused: Refused | None) -> None:
        self.data = data
        self._width = width
        self._newlines = newlines
        self._given_lines = lines
        self._refused = refused

    def columns(self) -> list[Array]:
        found = [column.combine_chunks() for column in self._read(self.data).columns]
        hexadecimal = any(pa.types.is_int64(column.type) for column in found) and self._has_x()
        kinds = [_kind(column, hexadecimal=hexadecimal) for column in found]
        found = [_settled(column) if kind == "text" else column for column, kind in zip(found, kinds, strict=True)]
        unsure = {place for place, kind in enumerate(kinds) if kind == "unsure"}
        mixed = self._mixed({place: found[place] for place, kind in enumerate(kinds) if kind == "double"})
        if unsure or mixed:
            texts = self._read(self.data, sorted(unsure | mixed))
            for place in unsure | mixed:
                column = texts.column(str(place)).combine_chunks()
                found[place] = typed(column) if place in unsure else column
        return found

    def _has_x(self) -> bool:
        """Whether an integer might be written ``0x1F``, which is a text here."""
        content = self.data.to_pybytes()
        return b"x" in content or b"X" in content

    def _mixed(self, doubles: dict[int, Array]) -> set[int]:
        """The columns of doubles among whose texts there are integers.

        Only a whole number can have such a text, so only the lines that hold one are read again.
        """
        masks = {place: whole(column) for place, column in doubles.items()}
        masks = {place: mask for place, mask in masks.items() if mask.any()}
        if not masks:
            return set()
        rows = np.logical_or.reduce(list(masks.values()))
        lines = self._lines(len(rows))
        if lines is None:
            texts, rows = self._read(self.data, list(masks)), np.ones(len(rows), dtype=bool)
        else:
            some = lines.filter(pa.array(rows))
            texts = self._read(joined_lines(some) if self._given_lines is not None else some.buffers()[2], list(masks))
        return {
            place
            for place, mask in masks.items()
            if shows_integers(texts.column(str(place)).filter(pa.array(mask[rows])))
        }

    def _lines(self, rows: int) -> Array | None:
        """The block as an array of its lines; None where a line is not a row."""
        if self._given_lines is not None:
            return self._given_lines
        content = np.frombuffer(self.data, np.uint8)
        ends: npt.NDArray[Any] = np.flatnonzero(content == _NEWLINE) + 1
        if not len(ends) or ends[-1] != len(content):
            ends = np.append(ends, len(content))
        if len(ends) != rows or len(content) >= 1 << 31:
            return None
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), self.data)

    def _read(self, data: Any, texts: Sequence[int] | None = None) -> pa.Table:
        """All columns with types that suit them, or the given ones as text."""
        try:
            return self._read_blocks(data, texts, _BLOCK)
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):
                raise
            if self._refused is not None:
                self._refused.lines.clear()
            return self._read_blocks(data, texts, data.size + 1)

    def _read_blocks(self, data: Any, texts: Sequence[int] | None, size: int) -> pa.Table:
        names = [str(place) for place in range(self._width)]
        chosen = [] if texts is None else [str(place) for place in texts]
        # A line that is left out is met in every read and told once.
        handler = self._refused if texts is None or self._refused is None else Refused()
        return csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(column_names=names, block_size=size),
            parse_options=csv.ParseOptions(
                ignore_empty_lines=False, newlines_in_values=self._newlines, invalid_row_handler=handler
            ),
            convert_options=csv.ConvertOptions(
                null_values=[""],
                strings_can_be_null=True,
                true_values=[],
                false_values=[],
                include_columns=chosen,
                column_types=dict.fromkeys(chosen, pa.string()),
            ),
        )


def _kind(column: Array, *, hexadecimal: bool) -> str:
    if pa.types.is_int64(column.type) or pa.types.is_null(column.type):
        return "unsure" if hexadecimal and pa.types.is_int64(column.type) else "sure"
    if pa.types.is_float64(column.type):
        return "double"
    # Dates and times are texts here, and must be read again to be shown as they were.
    return "text" if pa.types.is_string(column.type) else "unsure"


def _settled(column: Array) -> Array:
    """A column of texts; with blank cells it may be one of numbers after all."""
    texts = without_blanks(column)
    return column if texts.null_count == column.null_count else typed(texts)
