"""The folder of a decoded hour: its parts as Parquet, a manifest that names them, and a lock for whoever makes them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import pyarrow as pa

from driftline.core.errors import DriftlineError
from driftline.engine.rejects import Reject
from driftline.storage.files import write_atomic

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile, ParquetWriter

FORMAT = 2
MANIFEST = "manifest.json"
_MOST_WRITERS = 16


class Manifest(msgspec.Struct, frozen=True):
    """What is kept of a window: the fingerprint of its captures, what reading them found, and the names of the parts:
    of rows, and of records as model quality reads them. ``names`` are those that told names from data, where only
    they could; None where the rows are the same whatever names are given."""

    captures: str
    records: int
    usable: int
    duplicates: int
    rejects: tuple[Reject, ...]
    names: tuple[str, ...] | None = None
    parts: tuple[str, ...] = ()
    record_parts: tuple[str, ...] = ()
    format: int = FORMAT


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until nobody else works in a folder, and keep others out; the lock goes with the process that holds it.

    A folder that cannot be made or locked is not locked: whoever works there does it for nothing, and harms nobody.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def load(folder: Path, mark: str) -> Manifest | None:
    """What is kept in a folder of captures with this fingerprint; None where nothing is, or it cannot be read."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None
    return manifest if manifest.captures == mark and manifest.format == FORMAT else None


def opened(folder: Path, names: Iterable[str], stack: ExitStack) -> list[ParquetFile] | None:
    """All parts, open, so that nobody can take one away; None where not all are there and whole."""
    from pyarrow.parquet import ParquetFile

    try:
        return [stack.enter_context(ParquetFile(folder / name)) for name in names]
    except (OSError, pa.ArrowInvalid):
        return None


class Keeper:
    """Writes batches as they pass by. A context manager: what was not kept when it ends is deleted."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._generation = uuid4().hex[:12]
        self._writers: dict[tuple[str, pa.Schema, bytes], ParquetWriter] = {}
        self._names: dict[str, list[str]] = {"part": [], "records": []}
        self._kept = False

    @property
    def keeps(self) -> bool:
        """Whether anything is kept of what passes by."""
        return self._folder is not None

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, pa.ArrowInvalid):
            self._close()
        if not self._kept:
            self._delete(self._all())

    def add(self, batch: pa.RecordBatch, kind: str = "part") -> None:
        """Write a batch to the part of its kind (``part`` or ``records``) and schema, the schema's metadata with it."""
        if self._folder is None:
            return
        told = b"".join(value for _, value in sorted((batch.schema.metadata or {}).items()))
        try:
            key = (kind, batch.schema, told)
            writer = self._writers.get(key) or self._new_writer(self._folder, key)
            writer.write_batch(batch)
        except OSError:
            self._give_up()

    def keep(self, manifest: Manifest) -> None:
        """Make the parts what is kept of the window, in the place of older ones."""
        if self._folder is None:
            return
        try:
            self._close()
            before = {path.name for path in self._folder.glob("*.parquet")} - set(self._all())
            parts, records = (tuple(names) for names in self._names.values())
            whole = msgspec.structs.replace(manifest, parts=parts, record_parts=records)
            write_atomic(self._folder / MANIFEST, msgspec.json.encode(whole))
            self._kept = True
            self._delete(before)
        except (OSError, DriftlineError):
            self._give_up()

    def _new_writer(self, folder: Path, key: tuple[str, pa.Schema, bytes]) -> ParquetWriter:
        from pyarrow.parquet import ParquetWriter

        if len(self._writers) == _MOST_WRITERS:
            self._writers.pop(next(iter(self._writers))).close()
        folder.mkdir(parents=True, exist_ok=True)
        kind, schema, _ = key
        name = f"{kind}-{len(self._names[kind])}-{self._generation}.parquet"
        self._names[kind].append(name)
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        options = {"compression": "lz4", "use_dictionary": texts or False, "write_statistics": False}
        self._writers[key] = ParquetWriter(folder / name, schema, **options)
        return self._writers[key]

    def _all(self) -> list[str]:
        return [name for names in self._names.values() for name in names]

    def _close(self) -> None:
        while self._writers:
            self._writers.popitem()[1].close()

    def _give_up(self) -> None:
        with suppress(OSError, pa.ArrowInvalid):
            self._close()
        self._delete(self._all())
        self._folder = None

    def _delete(self, names: Iterable[str]) -> None:
        if self._folder is not None:
            for name in names:
                with suppress(OSError):
                    (self._folder / name).unlink(missing_ok=True)
