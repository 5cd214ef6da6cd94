"""Joined rows on their way to a monitor: labels of several lines are laid against the rows of their requests, and what
tasks told is taken out of the stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.sampling import hash_ids
from driftline.engine import sql
from driftline.engine.part import KEY_ALONE, NO_ROW
from driftline.engine.rejects import SAMPLES, Reject
from driftline.engine.spark.told import Told, decode

Hashes = npt.NDArray[np.uint64]
_BESIDE = ("of", "told", "label", "plain", "file", "key", "number")
# As the local engine's table of label rows has them; NULL where there is no label.
_LINES = """CASE WHEN label IS NULL THEN NULL WHEN plain THEN [label]
    ELSE list_transform(body_lines(label), lambda x: trim(x, ' "')) END"""
_LAID = f"""SELECT * EXCLUDE (lines), len(lines) <> of AS mismatched,
    CASE WHEN len(lines) = of THEN lines[row + 1] END AS laid FROM (SELECT *, {_LINES} AS lines FROM given)"""


class Seen(msgspec.Struct, frozen=True):
    """What was seen beside the rows: what tasks told; ids (hashes, as bytes) whose label is of another length than
    a request, with the first of them as samples; how many rows the label files gave their label, by place; and the keys
    (as bytes) of events that stand in several groups of files."""

    told: tuple[Told, ...] = ()
    mismatched: bytes = b""
    samples: tuple[str, ...] = ()
    by_file: dict[int, int] = {}
    repeated: bytes = b""

    def mismatches(self) -> tuple[Reject, ...]:
        """The mismatches as the local engine tells of them."""
        count = len(self.mismatched) // 8
        samples = tuple(f"label for id {one}" for one in self.samples)
        return (Reject("labels", "row_count", count, samples),) if count else ()


def merged(seen: Sequence[Seen]) -> Seen:
    """All of it together."""
    by_file: dict[int, int] = {}
    for one in seen:
        for file, count in one.by_file.items():
            by_file[file] = by_file.get(file, 0) + count
    mismatched = np.unique(np.concatenate([_hashes(b""), *(_hashes(one.mismatched) for one in seen)]))
    samples = sorted({sample for one in seen for sample in one.samples})[:SAMPLES]
    told = tuple(told for one in seen for told in one.told)
    repeated = b"".join(one.repeated for one in seen)
    return Seen(told, mismatched.tobytes(), tuple(samples), by_file, repeated)


class Laying:
    """Lays labels against rows. A context manager; :meth:`seen` tells after the last batch what else there was."""

    def __init__(self) -> None:
        self._db = duckdb.connect(":memory:", config={"threads": 1})
        for macro in sql.MACROS:
            self._db.execute(macro)
        self._seen: list[Seen] = []
        self._keys: list[Any] = []
        self._numbers: list[Any] = []

    def __enter__(self) -> Laying:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Of the joined rows those that a monitor measures, as :meth:`driftline.engine.local.LocalEngine.joined` gives
        them."""
        for batch in batches:
            told = batch.column("told")
            if told.null_count < len(told):
                self._seen.append(Seen(tuple(map(decode, told.drop_null().to_pylist()))))
            rows = self._without_keys(batch.filter(told.is_null()))
            if rows.num_rows:
                yield from self._laid(rows)

    def seen(self) -> Seen:
        """What was seen beside the rows."""
        return merged([*self._seen, Seen(repeated=_repeated(self._keys, self._numbers))])

    def _without_keys(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows but those that only tell of an event; all events are written down."""
        self._keys.append(batch.column("key").to_numpy())
        self._numbers.append(batch.column("number").to_numpy())
        return batch.filter(pc.not_equal(batch.column("row"), KEY_ALONE))

    def _laid(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        labels = batch.column("label")
        if not _single(batch):
            batch, labels = self._lines(batch)
        usable = pc.not_equal(batch.column("row"), NO_ROW)
        self._count_files(batch, usable)
        names = [name for name in batch.schema.names if name not in _BESIDE]
        columns = {name: batch.column(name) for name in names}
        columns = {
            **{name: columns.pop(name) for name in ("id", "row", "score", "prediction")},
            "label": labels,
            **columns,
        }
        made = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        yield made.filter(usable)

    def _lines(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Any]:
        self._db.register("given", batch)
        table = self._db.sql(_LAID).to_arrow_table().combine_chunks()
        self._db.unregister("given")
        ids = table.column("id").filter(table.column("mismatched")).unique()
        if len(ids):
            first = tuple(ids.sort()[:SAMPLES].to_pylist())
            self._seen.append(Seen(mismatched=np.unique(hash_ids(ids)).tobytes(), samples=first))
        laid = table.column("laid").combine_chunks()
        [again] = table.select(batch.schema.names).to_batches()
        return again, laid

    def _count_files(self, batch: pa.RecordBatch, usable: Any) -> None:
        files = batch.column("file").filter(usable).drop_null()
        found = pc.value_counts(files)
        counts = dict(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True))
        if counts:
            self._seen.append(Seen(by_file=counts))


def _single(batch: pa.RecordBatch) -> bool:
    """Whether every request of the batch has one row, and every label one line."""
    plain = pc.fill_null(batch.column("plain"), True)
    return bool(pc.all(pc.and_(plain, pc.equal(batch.column("of"), 1))).as_py())


def _repeated(keys: Sequence[Any], numbers: Sequence[Any]) -> bytes:
    """The keys that come with several numbers."""
    if not keys:
        return b""
    key, number = np.concatenate(keys), np.concatenate(numbers)
    order = np.lexsort((number, key))
    key, number = key[order], number[order]
    again = (key[1:] == key[:-1]) & (number[1:] != number[:-1])
    return np.unique(key[1:][again]).tobytes()


def _hashes(data: bytes) -> Hashes:
    return np.frombuffer(data, dtype=np.uint64)
