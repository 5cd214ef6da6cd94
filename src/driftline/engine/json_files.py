"""A file of JSON lines of any size as typed batches, read in blocks of some megabytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.batches import table_rows
from driftline.engine.payload.documents import Documents, mask_of, too_deep
from driftline.engine.payload.json_rows import decode_objects
from driftline.engine.payload.parts import Mask, Places, Side
from driftline.engine.rejects import SAMPLES, Reject
from driftline.engine.text_blocks import checked_text, text_blocks
from driftline.engine.texts import Array


class JsonFile:
    """The rows of a file with a JSON object a line; nested values by dotted names, as in payloads.

    A line that is no object is left out and told by :meth:`rejects`. Batches differ in their columns where lines have
    different keys.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lines = 0
        self._bad: dict[str, int] = {}
        self._samples: dict[str, list[str]] = {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, typed block by block. Raises :class:`InputError` with file and line for what is no text."""
        self._lines, self._bad, self._samples = 0, {}, {}
        json = Documents()
        try:
            for block in text_blocks(self.path):
                checked_text(block, self.path, self._lines)
                yield from self._rows(json, block)
                self._lines += block.count(b"\n")
        finally:
            json.close()

    def rejects(self) -> tuple[Reject, ...]:
        """The lines that were left out."""
        return tuple(
            Reject(self.path, reason, count, tuple(self._samples[reason]))
            for reason, count in sorted(self._bad.items())
        )

    def _rows(self, json: Documents, block: bytes) -> Iterator[pa.RecordBatch]:
        lines = _lines_of(block)
        filled = mask_of(pc.not_equal(pc.binary_length(pc.utf8_trim_whitespace(lines)), 0))
        deep = too_deep(lines)
        self._tell("too_deep", np.flatnonzero(deep), lines)
        usable = filled & ~deep
        usable[usable] = _valid(json, lines.filter(pa.array(usable)))
        usable[usable] = _objects(json, lines.filter(pa.array(usable)))
        self._tell("broken_line", np.flatnonzero(filled & ~deep & ~usable), lines)
        side = Side()
        if usable.any():
            decode_objects(json, lines.filter(pa.array(usable)), np.flatnonzero(usable), side)
        for reason, places in side.faults.items():
            self._tell(reason, np.concatenate(places), lines)
        for part in side.parts:
            batch = pa.RecordBatch.from_arrays(part.columns, names=list(part.names or ()))
            most = table_rows(len(part.columns))
            yield from (batch.slice(first, most) for first in range(0, batch.num_rows, most))

    def _tell(self, reason: str, places: Places, lines: Array) -> None:
        if not len(places):
            return
        self._bad[reason] = self._bad.get(reason, 0) + len(places)
        samples = self._samples.setdefault(reason, [])
        for place in places[: SAMPLES - len(samples)].tolist():
            samples.append(f"{self.path}:{self._lines + place + 1}: {lines[place].as_py()[:160].strip()}")


def _lines_of(block: bytes) -> Array:
    content = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(content == ord("\n")) + 1
    edges = np.unique(np.concatenate([[0], ends, [len(block)]])).astype(np.int32)
    return pa.StringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges), pa.py_buffer(block))


def _valid(json: Documents, lines: Array) -> Mask:
    return mask_of(json.evaluate(lines, found="json_valid(d)")["found"])


def _objects(json: Documents, lines: Array) -> Mask:
    return mask_of(json.evaluate(lines, found="json_type(d) = 'OBJECT'")["found"])
