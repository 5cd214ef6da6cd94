"""Rows of a script, kept until all have come: only then is it known which columns there are and what they hold."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.batches import BATCH_ROWS
from driftline.scripts.protocol import INTEGER, NUMBER, TEXT, TRUTH, Part

_IN_MEMORY = 64 << 20
_KINDS = {TEXT: pa.string(), INTEGER: pa.int64(), NUMBER: pa.float64(), TRUTH: pa.bool_()}


class Spool:
    """Takes batches of values by key and kind, gives batches of one schema. Beyond 64 MB it is a file.

    A column is what all its values are: whole numbers, numbers, truth values; text where they differ in kind, and where
    there is none. A key that a row has not is null there. A context manager: the file goes with it.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with the object
        self._kinds: dict[str, set[int]] = {}
        self._batches = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, parts: Sequence[Part], rows: int) -> None:
        """The rows of one batch."""
        names, arrays = ["rows"], [pa.nulls(rows)]
        for part in parts:
            array = pa.array(part.values, _KINDS[part.kind])
            kinds = self._kinds.setdefault(part.name, set())
            if array.null_count < rows:
                kinds.add(part.kind)
            names.append(_key(part.name, part.kind))
            arrays.append(array)
        batch = pa.RecordBatch.from_arrays(arrays, names=names)
        with pa.ipc.new_stream(self._file, batch.schema) as writer:
            writer.write_batch(batch)
        self._batches += 1

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Everything that was taken, in its order; at last a batch without rows where there is nothing else."""
        schema = pa.schema([(name, _kind(kinds)) for name, kinds in self._kinds.items()])
        self._file.seek(0)
        waiting: list[pa.RecordBatch] = []
        for _ in range(self._batches if schema else 0):
            waiting.append(self._unified(self._read(), schema))
            if sum(batch.num_rows for batch in waiting) >= BATCH_ROWS:
                yield from _together(waiting)
                waiting.clear()
        yield from _together(waiting or [pa.RecordBatch.from_pylist([], schema=schema)])

    def _read(self) -> pa.RecordBatch:
        with pa.ipc.open_stream(self._file) as reader:
            found = reader.read_next_batch()
            # Each batch is a stream of its own, whose end must be read before the next begins.
            for _ in reader:
                pass
        return found

    def _unified(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        columns = [self._column(batch, field) for field in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _column(self, batch: pa.RecordBatch, field: Any) -> Any:
        found = [batch.column(key) for kind in _KINDS if (key := _key(field.name, kind)) in batch.schema.names]
        cast = [pc.cast(array, field.type, safe=False) for array in found if array.null_count < len(array)]
        if not cast:
            return pa.nulls(batch.num_rows, field.type)
        return cast[0] if len(cast) == 1 else pc.coalesce(*cast)


def _together(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """The rows of small batches in one, or few."""
    found = pa.Table.from_batches(batches).combine_chunks().to_batches(BATCH_ROWS)
    return found or [batches[0]]


def _key(name: str, kind: int) -> str:
    return f"{kind}{name}"


def _kind(kinds: set[int]) -> Any:
    if kinds == {INTEGER, NUMBER}:
        return _KINDS[NUMBER]
    return _KINDS[next(iter(kinds))] if len(kinds) == 1 else pa.string()


def lines_of(records: Any) -> Iterator[bytes]:
    """The lines of an iterable of lines, or of Arrow batches whose only column holds them."""
    return chain.from_iterable(
        item.column(0).to_pylist() if isinstance(item, pa.RecordBatch) else (item,) for item in records
    )
