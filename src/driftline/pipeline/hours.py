"""A window hour by hour: what is kept of an hour is not measured again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import msgspec
import pyarrow as pa

from driftline.core.window import Window
from driftline.engine.files import list_files
from driftline.engine.payload import Reading
from driftline.engine.rejects import Reject, summed
from driftline.pipeline.decoded import DECODING_MEMORY, DecodedCaptures, decoded_folder
from driftline.pipeline.pieces import Piece, Pieces, cut, fingerprint
from driftline.pipeline.run import ColumnsRun

NO_ROWS = {"capture_records": 0, "rows": 0, "duplicate_events": 0, "capture_files_read": 0}


class Part(msgspec.Struct, frozen=True):
    """The state of an hour's rows, how many records it comes from, and what was refused."""

    state: Any
    counts: dict[str, int]
    rejects: tuple[Reject, ...] = ()


class Hours:
    """The hours of a run's window. ``pieces`` is where their states are kept, None where they are not; ``save`` and
    ``load`` make bytes of a state and a state of bytes."""

    def __init__(
        self, run: ColumnsRun, pieces: Pieces | None, save: Callable[[Any], bytes], load: Callable[[bytes], Any]
    ) -> None:
        self._run, self._pieces, self._save, self._load = run, pieces, save, load

    def windows(self) -> list[Window | None]:
        """The pieces of the window that are read by themselves."""
        return windows_of(self._run, keeping=self._pieces is not None)

    def parts(self, read: Callable[[list[str], Window | None], Part]) -> list[Part]:
        """What is known of each hour: kept, or read of its capture files."""
        return [self._of(window, read) for window in self.windows()]

    def _of(self, window: Window | None, read: Callable[[list[str], Window | None], Part]) -> Part:
        files = list_files(self._run.captures, window)
        mark = fingerprint(files, self._run.captures)
        kept = None if self._pieces is None or window is None else self._pieces.load(window)
        if kept is not None and kept.captures == mark:
            return Part(self._load(kept.state), kept.counts | {"capture_files_read": 0}, kept.rejects)
        found = read(files, window)
        # A window that goes on while it is read is not kept: its captures are still growing.
        over = window is not None and (self._run.as_of is None or window.end <= self._run.as_of)
        if self._pieces is not None and window is not None and over:
            self._pieces.save(window, Piece(mark, self._save(found.state), found.counts, found.rejects, b"", b""))
        return found


def windows_of(run: ColumnsRun, *, keeping: bool) -> list[Window | None]:
    """The pieces of a run's window that are read by themselves: hours, where anything of them is kept."""
    window = run.window
    return [*cut(window)] if window is not None and (keeping or run.decoded is not None) else [window]


def decoded_batches(
    run: ColumnsRun, reading: Reading, files: list[str], window: Window | None, stack: ExitStack
) -> tuple[Iterator[pa.RecordBatch], Callable[[], tuple[dict[str, int], tuple[Reject, ...]]]]:
    """The decoded rows of capture files, and a function that tells after the last of them what was found."""
    spill = stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-"))
    folder = decoded_folder(run, window)
    decoded = DecodedCaptures(folder, reading, spill=spill, memory_limit=DECODING_MEMORY)

    def found() -> tuple[dict[str, int], tuple[Reject, ...]]:
        told = decoded.found()
        counts = {"capture_records": told.records, "rows": told.usable, "duplicate_events": told.duplicates}
        return counts | {"capture_files_read": 0 if decoded.reused else len(files)}, told.rejects

    return decoded.batches(files, window), found


def total(parts: Sequence[Part]) -> tuple[dict[str, int], tuple[Reject, ...]]:
    """The counts and rejects of all parts together."""
    counts = {name: sum(part.counts[name] for part in parts) for name in NO_ROWS}
    return counts, summed([reject for part in parts for reject in part.rejects])
