"""Decoded captures, kept: an hour's bodies are decoded once, then read as typed Parquet.

Below a folder, ``yyyy/mm/dd/hh/KEY/`` holds parts (Parquet, one schema each) and a manifest that names them; KEY is a
hash of everything that the columns depend on. The manifest is written last, so what it names is whole. It holds as long
as the hour's captures are the same files of the same size. Deleting any of it costs time and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pyarrow as pa

from driftline.core.errors import DriftlineError
from driftline.core.window import Window, partition
from driftline.engine.batches import BATCH_ROWS, row_groups
from driftline.engine.rejects import Reject
from driftline.pipeline.pieces import fingerprint
from driftline.storage.files import write_atomic

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile, ParquetWriter

    from driftline.engine.payload import Reading
    from driftline.engine.reading import Found

_FORMAT = 1
_MOST_WRITERS = 16
_MANIFEST = "manifest.json"


class Manifest(msgspec.Struct, frozen=True):
    """What is kept of a window: the fingerprint of its captures, what reading them found, and the parts' names."""

    captures: str
    records: int
    usable: int
    duplicates: int
    rejects: tuple[Reject, ...]
    parts: tuple[str, ...]
    format: int = _FORMAT


class DecodedCaptures:
    """The decoded captures of an endpoint, by pieces of its time; :func:`driftline.pipeline.pieces.cut` makes them.

    ``folder`` is where they are kept, None where they are not. Other options are those of
    :class:`driftline.engine.payload.Decoding`.
    """

    def __init__(
        self,
        folder: str | Path | None,
        reading: Reading | None = None,
        *,
        spill: str | None = None,
        memory_limit: str | None = None,
        threads: int | None = None,
    ) -> None:
        text = msgspec.json.encode([_FORMAT, version("driftline"), reading], order="deterministic")
        self._folder = None if folder is None else Path(folder)
        self._key = hashlib.sha256(text).hexdigest()[:12]
        self._reading = reading
        self._options: dict[str, Any] = {"spill": spill, "memory_limit": memory_limit, "threads": threads}
        self._found: Found | None = None
        self.reused = False
        """Whether the last piece was read from what is kept."""

    def batches(self, files: Sequence[str], window: Window | None) -> Iterator[pa.RecordBatch]:
        """The batches of a window from these files, as :meth:`driftline.engine.payload.Decoding.batches` has them; the
        files are not read when the window is kept. Without a window nothing is. A disk that is full keeps nothing and
        fails nothing."""
        self._found, self.reused = None, False
        mark = fingerprint(files)
        with ExitStack() as stack:
            opened = self._open(window, mark, stack)
            if opened is not None:
                manifest, parts = opened
                self.reused = True
                for part in parts:
                    yield from row_groups(part, BATCH_ROWS)
                self._found = _found_of(manifest)
                return
        yield from self._decode(files, window, mark)

    def found(self) -> Found:
        """What reading the last piece found; after its last batch."""
        if self._found is None:
            raise RuntimeError("found() is asked before the last batch was taken")
        return self._found

    def _decode(self, files: Sequence[str], window: Window | None, mark: str) -> Iterator[pa.RecordBatch]:
        from driftline.engine.payload import Decoding

        with Decoding(files, window, self._reading, **self._options) as decoding, self._keeper(window) as keeper:
            for batch in decoding.batches():
                keeper.add(batch)
                yield batch
            self._found = found = decoding.found()
            # A file that grew meanwhile has another mark, so what was read of it is not taken for all of it.
            if fingerprint(files) == mark:
                keeper.keep(Manifest(mark, found.records, found.usable, found.duplicates, found.rejects, ()))

    def _keeper(self, window: Window | None) -> _Keeper:
        return _Keeper(None if self._folder is None or window is None else self._place(self._folder, window))

    def _place(self, folder: Path, window: Window) -> Path:
        length = int((window.end - window.start).total_seconds() * 1_000_000)
        hour = folder / partition(window.start)
        return hour / f"{self._key}-{window.start:%M%S%f}-{length}"

    def _open(self, window: Window | None, mark: str, stack: ExitStack) -> tuple[Manifest, list[ParquetFile]] | None:
        """The manifest and all parts, open, so that nobody can take one away; None where not all is there and whole."""
        from pyarrow.parquet import ParquetFile

        if self._folder is None or window is None:
            return None
        place = self._place(self._folder, window)
        try:
            manifest = msgspec.json.decode((place / _MANIFEST).read_bytes(), type=Manifest)
            if manifest.captures != mark or manifest.format != _FORMAT:
                return None
            return manifest, [stack.enter_context(ParquetFile(place / name)) for name in manifest.parts]
        except (OSError, msgspec.DecodeError, pa.ArrowInvalid):
            return None


class _Keeper:
    """Writes batches as they pass by. A context manager: what was not kept when it ends is deleted."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._generation = uuid4().hex[:12]
        self._writers: dict[pa.Schema, ParquetWriter] = {}
        self._names: list[str] = []
        self._kept = False

    def __enter__(self) -> _Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, pa.ArrowInvalid):
            self._close()
        if not self._kept:
            self._delete(self._names)

    def add(self, batch: pa.RecordBatch) -> None:
        """Write a batch to the part of its schema."""
        if self._folder is None:
            return
        try:
            writer = self._writers.get(batch.schema) or self._new_writer(self._folder, batch.schema)
            writer.write_batch(batch)
        except OSError:
            self._give_up()

    def keep(self, manifest: Manifest) -> None:
        """Make the parts what is kept of the window, in the place of older ones."""
        if self._folder is None:
            return
        try:
            self._close()
            before = {path.name for path in self._folder.glob("part-*.parquet")} - set(self._names)
            whole = msgspec.structs.replace(manifest, parts=tuple(self._names))
            write_atomic(self._folder / _MANIFEST, msgspec.json.encode(whole))
            self._kept = True
            self._delete(before)
        except (OSError, DriftlineError):
            self._give_up()

    def _new_writer(self, folder: Path, schema: pa.Schema) -> ParquetWriter:
        from pyarrow.parquet import ParquetWriter

        if len(self._writers) == _MOST_WRITERS:
            self._writers.pop(next(iter(self._writers))).close()
        folder.mkdir(parents=True, exist_ok=True)
        name = f"part-{len(self._names)}-{self._generation}.parquet"
        self._names.append(name)
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        options = {"compression": "lz4", "use_dictionary": texts or False, "write_statistics": False}
        self._writers[schema] = ParquetWriter(folder / name, schema, **options)
        return self._writers[schema]

    def _close(self) -> None:
        while self._writers:
            self._writers.popitem()[1].close()

    def _give_up(self) -> None:
        with suppress(OSError, pa.ArrowInvalid):
            self._close()
        self._delete(self._names)
        self._folder = None

    def _delete(self, names: Any) -> None:
        if self._folder is not None:
            for name in names:
                with suppress(OSError):
                    (self._folder / name).unlink(missing_ok=True)


def _found_of(manifest: Manifest) -> Found:
    from driftline.engine.reading import Found

    return Found(manifest.records, manifest.usable, manifest.duplicates, manifest.rejects)
