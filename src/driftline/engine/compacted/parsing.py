"""Files of JSON lines as the rows of a compacted file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.errors import InputError
from driftline.engine.compacted.form import FIELDS, SCHEMA, Original
from driftline.engine.files import exact
from driftline.engine.reading import read_files
from driftline.engine.rejects import ends_in_half_line
from driftline.engine.sources import RECORD_FIELDS, read_lines

Places = npt.NDArray[np.int64]
_READ = f"""SELECT filename, {", ".join(f"{at} AS {name}" for name, at in FIELDS.items())}
    FROM {read_lines(RECORD_FIELDS, filename=True)}"""


def parsed(db: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> tuple[pa.Table, list[Original], bytes]:
    """The rows of some files, by their names; the originals; and all their bytes.

    ``db`` keeps the order of what it reads, and has the macro ``moment_of``. Raises :class:`InputError` when a file was
    written meanwhile.
    """
    contents = [path.read_bytes() for path in files.values()]
    lines, of = _lines(contents)
    filled = pc.not_equal(pc.binary_length(pc.ascii_trim_whitespace(lines)), 0).to_numpy(zero_copy_only=False)
    columns = _fields(db, files, of[filled])
    places = np.full(len(of), -1, np.int64)
    places[filled] = np.arange(int(filled.sum()))
    rows = pa.table(columns).take(pa.array(places, mask=~filled))
    names = pa.DictionaryArray.from_arrays(pa.array(of, pa.int32()), pa.array(list(files), pa.string()))
    begun = np.searchsorted(of, of)
    counted = np.cumsum(filled)
    before = np.concatenate([[0], counted])[begun]
    table = pa.table(
        {
            "file": names.cast(pa.string()),
            "number": pa.array(np.arange(len(of)) - begun + 1),
            "place": pa.array(counted - before, mask=~filled),
            "line": lines.view(pa.binary()),
            **{name: rows.column(name) for name in FIELDS},
        }
    ).cast(SCHEMA)
    records = np.bincount(of[filled], minlength=len(files)).tolist()
    originals = [
        Original(name, len(content), count, count > 0 and ends_in_half_line(str(path)))
        for (name, path), content, count in zip(files.items(), contents, records, strict=True)
    ]
    return table, originals, b"".join(contents)


def _lines(contents: list[bytes]) -> tuple[pa.StringArray, Places]:
    """Every line with its line end, and the number of the file that it is of."""
    ends = np.cumsum([len(content) for content in contents], dtype=np.int64)
    content = np.frombuffer(b"".join(contents), np.uint8)
    edges = np.unique(np.concatenate([[0], np.flatnonzero(content == ord("\n")) + 1, ends])).astype(np.int32)
    lines = pa.StringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges), pa.py_buffer(content))
    return lines, np.searchsorted(ends, edges[:-1], side="right")


def _fields(db: duckdb.DuckDBPyConnection, files: Mapping[str, Path], of: Places) -> dict[str, pa.ChunkedArray]:
    """The fields of every line that is not blank, as readers of the files find them."""
    paths = [str(path) for path in files.values()]
    if not len(of):
        return {name: pa.chunked_array([], SCHEMA.field(name).type) for name in FIELDS}
    read_files(db, f"CREATE OR REPLACE TEMP TABLE read_rows AS {_READ}", {"files": list(map(exact, paths))})
    found: Any = db.table("read_rows").to_arrow_table()
    expected = pa.array(paths, pa.string()).take(pa.array(of))
    if len(expected) != found.num_rows or not pc.all(pc.equal(found.column("filename"), expected)).as_py():
        raise InputError(
            "capture files cannot be compacted: reading them does not give a record for each line",
            evidence=f"{len(expected)} lines, {found.num_rows} records in {len(paths)} files from {paths[0]}",
            hint="were they written meanwhile? they are left as they are, and are looked at again",
        )
    return {name: found.column(name) for name in FIELDS}
