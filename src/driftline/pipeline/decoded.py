"""Decoded captures, kept: an hour's captures are read once, by whichever monitor comes first, then as typed Parquet.

Below a folder, ``yyyy/mm/dd/hh/KEY/`` holds parts (Parquet, one schema each) and a manifest that names them; KEY is a
hash of everything that the columns depend on, which names are not: they are given when the parts are read. The manifest
is written last, so what it names is whole. It holds as long as the hour's captures are the same files of the same
size. Runs that want the same hour at the same time wait for the first of them. Deleting any of it costs time and
nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from driftline.core.window import Window, partition
from driftline.engine.batches import BATCH_ROWS, row_groups
from driftline.pipeline.kept_parts import FORMAT, Keeper, Manifest, load, locked, opened
from driftline.pipeline.pieces import fingerprint
from driftline.pipeline.run import ColumnsRun, LabelledRun

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

    from driftline.engine.payload import Reading
    from driftline.engine.reading import Found


DECODING_MEMORY = "160MB"
"""What reading may hold in memory; beyond it records go through files."""


def decoded_folder(run: LabelledRun | ColumnsRun, window: Window | None) -> str | None:
    """Where the decoded rows of a window are kept; nowhere while the window goes on, as its captures still grow."""
    over = window is not None and (run.as_of is None or window.end <= run.as_of)
    return run.decoded if over else None


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
        text = msgspec.json.encode([FORMAT, version("driftline"), reading and reading.header], order="deterministic")
        self._folder = None if folder is None else Path(folder)
        self._key = hashlib.sha256(text).hexdigest()[:12]
        self._reading = reading
        self._names = () if reading is None else reading.names
        self._options: dict[str, Any] = {"spill": spill, "memory_limit": memory_limit, "threads": threads}
        self._found: Found | None = None
        self.reused = False
        """Whether the last piece was read from what is kept."""

    def batches(self, files: Sequence[str], window: Window | None) -> Iterator[pa.RecordBatch]:
        """The batches of a window from these files, as :meth:`driftline.engine.payload.Decoding.batches` has them; the
        files are not read when the window is kept. Without a window nothing is. A disk that is full keeps nothing and
        fails nothing."""
        from driftline.engine.payload import Reading, named

        self._found, self.reused = None, False
        mark, place = fingerprint(files), self._place(window)
        with ExitStack() as stack:
            parts = self._parts(place, mark, stack)
            if parts is None and place is not None:
                # Another run may be at it: then what it makes is read.
                stack.enter_context(locked(place))
                parts = self._parts(place, mark, stack)
            if parts is None:
                yield from self._decode(files, window, mark, place)
                return
            self.reused = True
            manifest, kept = parts
            for part in kept:
                for batch in row_groups(part, BATCH_ROWS):
                    yield named(batch, self._reading or Reading())
            self._found = _found_of(manifest)

    def kept(self, files: Sequence[str], window: Window, cells: int) -> Iterator[pa.RecordBatch]:
        """The rows of a window that is kept, in batches of some so many cells; none of another window. Nothing is
        decoded, and nobody is waited for."""
        from driftline.engine.payload import Reading, named

        with ExitStack() as stack:
            parts = self._parts(self._place(window), fingerprint(files), stack)
            for part in () if parts is None else parts[1]:
                for batch in row_groups(part, max(1, cells // max(1, part.metadata.num_columns))):
                    yield named(batch, self._reading or Reading())

    @contextmanager
    def records(self, files: Sequence[str], window: Window | None) -> Iterator[pa.RecordBatchReader | None]:
        """The records of a window as :meth:`driftline.engine.local.LocalEngine.load_captures` takes them; the window
        is decoded where it is not kept. None where it cannot be kept."""
        mark, place = fingerprint(files), self._place(window)
        with ExitStack() as stack:
            found = self._record_parts(place, mark, stack)
            if found is None and place is not None:
                for _ in self.batches(files, window):
                    pass
                found = self._record_parts(place, mark, stack)
            else:
                self.reused = found is not None
            yield None if found is None else _reader(found)

    def found(self) -> Found:
        """What reading the last piece found; after its last batch."""
        if self._found is None:
            raise RuntimeError("found() is asked before the last batch was taken")
        return self._found

    def _decode(
        self, files: Sequence[str], window: Window | None, mark: str, place: Path | None
    ) -> Iterator[pa.RecordBatch]:
        from driftline.engine.payload import Decoding

        with Keeper(place) as keeper:
            watch = (lambda batch: keeper.add(batch, "records")) if keeper.keeps else None
            with Decoding(files, window, self._reading, watch=watch, **self._options) as decoding:
                for batch in decoding.batches():
                    keeper.add(batch)
                    yield batch
                self._found = found = decoding.found()
                names = self._names if decoding.undecided else None
            # A file that grew meanwhile has another mark, so what was read of it is not taken for all of it.
            if fingerprint(files) == mark:
                keeper.keep(Manifest(mark, found.records, found.usable, found.duplicates, found.rejects, names))

    def _place(self, window: Window | None) -> Path | None:
        if self._folder is None or window is None:
            return None
        length = int((window.end - window.start).total_seconds() * 1_000_000)
        return self._folder / partition(window.start) / f"{self._key}-{window.start:%M%S%f}-{length}"

    def _parts(self, place: Path | None, mark: str, stack: ExitStack) -> tuple[Manifest, list[ParquetFile]] | None:
        """The manifest and all parts of rows, unless they were made with other names that mattered."""
        manifest = None if place is None else load(place, mark)
        if manifest is None or place is None or manifest.names not in (None, self._names):
            return None
        parts = opened(place, manifest.parts, stack)
        return None if parts is None else (manifest, parts)

    def _record_parts(self, place: Path | None, mark: str, stack: ExitStack) -> list[ParquetFile] | None:
        manifest = None if place is None else load(place, mark)
        return None if manifest is None or place is None else opened(place, manifest.record_parts, stack) or None


def _reader(parts: Sequence[ParquetFile]) -> pa.RecordBatchReader:
    batches = (batch for part in parts for batch in row_groups(part, BATCH_ROWS))
    return pa.RecordBatchReader.from_batches(parts[0].schema_arrow, batches)


def _found_of(manifest: Manifest) -> Found:
    from driftline.engine.reading import Found

    return Found(manifest.records, manifest.usable, manifest.duplicates, manifest.rejects)
