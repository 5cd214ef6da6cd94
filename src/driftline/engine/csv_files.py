"""A CSV file of any size as typed batches, read in blocks of some megabytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from driftline.core.errors import InputError
from driftline.engine.batches import table_rows
from driftline.engine.csv_blocks import Refused, parse_block
from driftline.engine.names import by_place, cells_of, could_be_names, distinct
from driftline.engine.rejects import SAMPLES, Reject
from driftline.engine.text_blocks import BREAKS, checked_text, text_blocks


class CsvFile:
    """The rows of a CSV file: UTF-8, cells split by commas, in double quotes where they hold commas or line breaks.

    ``header`` says whether the first line holds the columns' names; None looks: it does when all of its cells are
    different, and none is empty or a number. Without a header columns are called ``names``, if there are as many,
    else ``_c0``, ``_c1``, …. A line with another number of cells is left out and told by :meth:`rejects`.
    """

    def __init__(self, path: str, *, header: bool | None = None, names: Sequence[str] = ()) -> None:
        self.path = path
        self._header = header
        self._given = tuple(names)
        self._names: tuple[str, ...] = ()
        self._lines = 0
        self._bad = 0
        self._samples: list[str] = []

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, typed block by block. Raises :class:`InputError` with file and line for what is no text."""
        self._names, self._lines, self._bad, self._samples = (), 0, 0, []
        for block in text_blocks(self.path, _end_of_rows):
            checked_text(block, self.path, self._lines)
            content = block if self._names else self._after_header(self._after_blank_lines(block))
            if content.strip(BREAKS) or (content and len(self._names) == 1):
                yield from self._parsed(content)
            self._lines += content.count(b"\n")

    def rejects(self) -> tuple[Reject, ...]:
        """The lines that were left out."""
        return (Reject(self.path, "broken_line", self._bad, tuple(self._samples)),) if self._bad else ()

    def _after_blank_lines(self, block: bytes) -> bytes:
        content = block.lstrip(BREAKS)
        self._lines += block.count(b"\n", 0, len(block) - len(content))
        return content

    def _after_header(self, block: bytes) -> bytes:
        """The block without its header; the columns have names from here on."""
        if not block:
            return block
        end = _end_of_first_row(block)
        cells = cells_of(block[:end].decode().strip("\r\n"))
        if self._header or (self._header is None and could_be_names(cells)):
            self._names = distinct([cell or name for cell, name in zip(cells, by_place(len(cells)), strict=True)])
            self._lines += block[:end].count(b"\n")
            return block[end:]
        self._names = self._given if len(self._given) == len(cells) else by_place(max(1, len(cells)))
        return block

    def _parsed(self, block: bytes) -> Iterator[pa.RecordBatch]:
        refused = Refused()
        quoted = b'"' in block
        try:
            columns = parse_block(block.rstrip(BREAKS) or b"\n", len(self._names), newlines=quoted, refused=refused)
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{self.path}: the lines from {self._lines + 1} on cannot be read",
                evidence=str(error).splitlines()[0][:300],
                hint="is a quote never closed? A quote inside a quoted cell is written twice",
            ) from None
        self._tell(refused, block)
        batch = pa.RecordBatch.from_arrays(columns, names=list(self._names))
        most = table_rows(len(self._names))
        yield from (batch.slice(first, most) for first in range(0, batch.num_rows, most))

    def _tell(self, refused: Refused, block: bytes) -> None:
        bad = [line for line in refused.lines if line.strip()]
        self._bad += len(bad)
        for line in bad[: SAMPLES - len(self._samples)]:
            number = self._lines + 1 + _line_of(line.encode(), block)
            self._samples.append(f"{self.path}:{number}: {line[:160].strip()}")


def _end_of_rows(data: bytes) -> int:
    """Where the last whole row ends: behind a line break that no quotes are open at."""
    end = data.rfind(b"\n") + 1
    if not end or b'"' not in data:
        return end
    content: Any = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(content == ord("\n"))
    quotes = np.flatnonzero(content == ord('"'))
    closed = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return int(closed[-1]) + 1 if len(closed) else 0


def _end_of_first_row(block: bytes) -> int:
    end = -1
    while (end := block.find(b"\n", end + 1)) >= 0:
        if block.count(b'"', 0, end) % 2 == 0:
            return end + 1
    return len(block)


def _line_of(line: bytes, block: bytes) -> int:
    """The place of a line in a block: how many lines are before it."""
    place = 0 if block.startswith(line) else block.find(b"\n" + line) + 1
    return block.count(b"\n", 0, place)
