"""Writing a compacted file: under another name first, read back and compared with the originals, then renamed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import duckdb
import numpy as np
import pyarrow as pa

from driftline.core.errors import InputError, SetupError
from driftline.engine.compacted.form import FIELDS, SCHEMA, Original, footer_of, name_of
from driftline.engine.compacted.lines import write_originals
from driftline.engine.compacted.parsing import parsed
from driftline.engine.compacted.standing import size_of
from driftline.engine.sources import RECORD_FIELDS, record_of
from driftline.engine.sql import MOMENT

UNFINISHED = ".compacting"
"""What the name of a file ends in that is not a compacted file yet."""
_AT_ONCE = 32 << 20
"""Bytes of originals in a row group, as far as whole files allow it."""
_MEMORY = "384MB"
# The rows of which the fields are not what a second reader, of the line alone, finds in it.
_OTHERS = f"""SELECT count(*) FROM (
        SELECT {", ".join(FIELDS)}, unnest(record) FROM (
            SELECT {", ".join(FIELDS)}, {record_of("line", RECORD_FIELDS)} FROM read_parquet($compacted)
            WHERE place IS NOT NULL))
    WHERE {" OR ".join(f"{name} IS DISTINCT FROM {at}" for name, at in FIELDS.items())}"""


def write_compacted(folder: Path, files: Mapping[str, Path], held: Mapping[str, str]) -> Path:
    """Write the compacted file of a folder and give its path; nothing else is changed.

    ``files`` are the originals that stand as files, by name; ``held`` those that only an older compacted file holds,
    by name with that file's path. Raises :class:`InputError` when a file changed meanwhile or what was written is not
    what was read, :class:`SetupError` for a full disk. Whatever happens, there is the whole file or none.
    """
    unfinished = folder / f".{uuid4().hex}{UNFINISHED}"
    try:
        with ExitStack() as stack:
            spill = stack.enter_context(TemporaryDirectory(prefix="driftline-"))
            every = dict(files) | _taken_out(held, Path(spill))
            db = stack.enter_context(_database(spill))
            originals, digest = _write(db, unfinished, dict(sorted(every.items())))
            _check(db, unfinished, originals, digest)
            _unchanged(files, originals)
        _synced(unfinished)
        target = folder / name_of(originals)
        unfinished.replace(target)
        _synced(folder)
    except OSError as error:
        raise SetupError(
            f"the captures of {folder} cannot be compacted",
            evidence=f"{type(error).__name__}: {error.strerror or error}",
            hint="free some disk space, or correct the permissions of the data folder; the captures are untouched",
        ) from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return target


def _taken_out(held: Mapping[str, str], spill: Path) -> dict[str, Path]:
    """Originals of an older compacted file as files again."""
    folder = spill / "originals"
    folder.mkdir()
    found = {name: folder / name for name in held}
    for path in set(held.values()):
        write_originals(path, {name: target for name, target in found.items() if held[name] == path})
    return found


def _database(spill: str) -> duckdb.DuckDBPyConnection:
    settings: dict[str, Any] = {"memory_limit": _MEMORY, "temp_directory": spill, "preserve_insertion_order": True}
    db = duckdb.connect(":memory:", config=settings)
    db.execute(MOMENT)
    return db


def _write(db: duckdb.DuckDBPyConnection, target: Path, files: Mapping[str, Path]) -> tuple[list[Original], bytes]:
    """The originals written, and a digest of all their bytes."""
    from pyarrow.parquet import ParquetWriter

    read, originals = hashlib.sha256(), []
    options = {
        # Lines are for keeping, and inputs long; the other fields are for reading.
        "compression": {name: "zstd" if name in ("line", "input") else "lz4" for name in SCHEMA.names},
        "use_dictionary": ["file", "output_encoding", "input_encoding", "moment"],
        "write_statistics": ["file"],
        "column_encoding": {"number": "DELTA_BINARY_PACKED", "place": "DELTA_BINARY_PACKED"},
    }
    with ParquetWriter(target, SCHEMA, **options) as writer:
        for some in _groups(files):
            table, found, content = parsed(db, some)
            read.update(content)
            originals += found
            writer.write_table(table, row_group_size=max(1, table.num_rows))
        writer.add_key_value_metadata(footer_of(originals))
    return originals, read.digest()


def _groups(files: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    group: dict[str, Path] = {}
    size = 0
    for name, path in files.items():
        length = size_of(path) or 0
        if group and size + length > _AT_ONCE:
            yield group
            group, size = {}, 0
        group[name] = path
        size += length
    if group:
        yield group


def _check(db: duckdb.DuckDBPyConnection, written: Path, originals: list[Original], digest: bytes) -> None:
    """Read back: every byte of the originals in its order, every record's fields as its line has them."""
    from pyarrow.parquet import ParquetFile

    found = hashlib.sha256()
    with ParquetFile(written) as file:
        for number in range(file.num_row_groups):
            for line in file.read_row_group(number, ["line"]).column("line").chunks:
                found.update(_bytes_of(line))
    records = "SELECT count(*) FROM read_parquet($compacted) WHERE place IS NOT NULL"
    there = db.execute(records, {"compacted": str(written)}).fetchall()[0][0]
    others = db.execute(_OTHERS, {"compacted": str(written)}).fetchall()[0][0]
    if found.digest() != digest or there != sum(one.records for one in originals) or others:
        raise InputError(
            f"what was compacted of {written.parent} is not what was read, and was thrown away",
            evidence=f"{there} records, {others} of which differ from their lines",
            hint="the captures are untouched; look for a failing disk or memory",
        )


def _bytes_of(lines: pa.BinaryArray) -> memoryview:
    _, offsets, content = lines.buffers()
    edges = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(content or b"")[int(edges[0]) : int(edges[-1])] if len(edges) else memoryview(b"")


def _unchanged(files: Mapping[str, Path], originals: list[Original]) -> None:
    for one in originals:
        if one.name in files and size_of(files[one.name]) != one.size:
            raise InputError(
                f"{files[one.name]} changed while it was compacted",
                hint="it is left as it is, and is looked at again",
            )


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
