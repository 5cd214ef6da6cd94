"""The lines of originals out of a compacted file, byte for byte."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.compacted.form import originals_of

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData


def lines_of(path: str, names: Collection[str]) -> Iterator[tuple[str, list[bytes]]]:
    """The lines of some originals of a compacted file, each with its line end, some at a time with their original's
    name."""
    wanted = pa.array(sorted(names), pa.string())
    for batch in _batches(path, ["file", "line"], names):
        rows = batch.filter(pc.is_in(batch.column("file"), value_set=wanted))
        files = rows.column("file")
        for run in _runs(files):
            yield files[run.start].as_py(), rows.column("line").slice(run.start, len(run)).to_pylist()


def write_originals(path: str, targets: Mapping[str, Path]) -> int:
    """Write originals of a compacted file as they were, each to a new file; how many line ends they have."""
    for target in targets.values():
        target.touch(exist_ok=False)
    ends = 0
    for name, lines in lines_of(path, targets):
        with targets[name].open("ab") as file:
            file.writelines(lines)
        ends += sum(line.endswith(b"\n") for line in lines)
    return ends


def line_at(path: str, name: str, place: int) -> tuple[int, bytes] | None:
    """The number and the bytes of an original's line that is the ``place``-th of those that are not blank."""
    for batch in _batches(path, ["file", "place", "number", "line"], [name]):
        here = pc.and_(pc.equal(batch.column("file"), name), pc.equal(batch.column("place"), place))
        rows = batch.filter(pc.fill_null(here, False))
        if rows.num_rows:
            return rows.column("number")[0].as_py(), rows.column("line")[0].as_py()
    return None


def last_place(path: str, name: str) -> int:
    """The place of an original's last line that is not blank."""
    return next((one.records for one in originals_of(path) if one.name == name), 0)


def _batches(path: str, columns: list[str], names: Collection[str]) -> Iterator[pa.RecordBatch]:
    """The columns of the row groups that may hold rows of some originals."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            if _may_hold(file.metadata, number, names):
                for batch in file.read_row_group(number, columns).to_batches():
                    yield batch.cast(pa.schema([batch.schema.field(name) for name in columns]))


def _may_hold(metadata: FileMetaData, group: int, names: Collection[str]) -> bool:
    statistics = metadata.row_group(group).column(0).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return any(statistics.min <= name <= statistics.max for name in names)


def _runs(files: pa.Array) -> Iterator[range]:
    """Rows that follow each other and are of one file."""
    count = len(files)
    if not count:
        return
    changes = pc.not_equal(files.slice(1), files.slice(0, count - 1)).to_numpy(zero_copy_only=False)
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), count]
    yield from (range(edges[i], edges[i + 1]) for i in range(len(edges) - 1))
