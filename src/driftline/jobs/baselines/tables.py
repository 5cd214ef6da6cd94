"""A staged dataset as one table whose columns have names, for what takes predictions from a single file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from driftline.core.errors import InputError
from driftline.engine.datasets import Dataset
from driftline.resources.baseline_jobs import TableFormat


def names_of(folder: Path, header: bool | None) -> tuple[str, ...]:
    """The names of a dataset's columns; ``_c0``, ``_c1``, … where its files have none."""
    first = next(iter(Dataset(folder, header=header).batches()), None)
    if first is None:
        raise InputError("the dataset has no rows", hint="a baseline needs rows that can be trusted")
    return tuple(first.schema.names)


def column_of(given: str, names: tuple[str, ...]) -> str:
    """The name of a column that is given by name, or by number from 0.

    >>> column_of("1", ("score", "label")), column_of("score", ("score", "label"))
    ('label', 'score')
    """
    if given in names or not given.isdecimal():
        return given
    if int(given) >= len(names):
        raise InputError(f"there is no column {given}", evidence=f"there are {len(names)}, from 0", hint="name another")
    return names[int(given)]


def one_table(folder: Path, wanted: TableFormat, names: tuple[str, ...], joined: Path) -> Any:
    """The dataset as the path of one file, or as an Arrow table; ``joined`` is where the file is written if need be."""
    files = sorted(folder.iterdir())
    if wanted.kind == "parquet":
        return files[0] if len(files) == 1 else pa.concat_tables(map(pq.read_table, files), promote_options="default")
    if wanted.kind == "json":
        return files[0] if len(files) == 1 else _joined(files, joined.with_suffix(".jsonl"), b"", skip=False)
    headed = _headed(files[0], names) if wanted.header is None else wanted.header
    if headed and len(files) == 1:
        return files[0]
    header = b"" if headed else ",".join(names).encode() + b"\n"
    return _joined(files, joined.with_suffix(".csv"), header, skip=headed)


def _headed(file: Path, names: tuple[str, ...]) -> bool:
    """Whether a file's first line holds the names that were seen in it."""
    with file.open("rb") as opened:
        return names[0].encode() in opened.readline()


def _joined(files: list[Path], path: Path, header: bytes, *, skip: bool) -> Path:
    """The files one after the other; with ``skip`` the first line, their header, comes from the first alone."""
    with path.open("wb") as joined:
        joined.write(header)
        for number, file in enumerate(files):
            with file.open("rb") as opened:
                first = opened.readline()
                if number == 0 or not skip:
                    joined.write(first)
                shutil.copyfileobj(opened, joined)
                _end_line(file, joined)
    return path


def _end_line(file: Path, joined: Any) -> None:
    with file.open("rb") as opened:
        opened.seek(0, 2)
        if opened.tell():
            opened.seek(-1, 2)
            if opened.read(1) != b"\n":
                joined.write(b"\n")
