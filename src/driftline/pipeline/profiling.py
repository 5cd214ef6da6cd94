"""From captures to the state of their columns: hour by hour, each decoded at most once where that is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import msgspec
import pyarrow as pa

from driftline.analyzers.columns import ColumnsState
from driftline.core.window import Window
from driftline.engine.files import list_files
from driftline.engine.payload import Decoding, Reading, features, keys
from driftline.engine.reading import Found
from driftline.engine.rejects import Reject, summed
from driftline.monitors.data_quality.profile import Profile, load_state, save_state
from driftline.pipeline.pieces import Piece, Pieces, cut, fingerprint
from driftline.pipeline.run import DataQualityRun
from driftline.pipeline.steps import Recorder

MEMORY = "512MB"


class Profiled(msgspec.Struct, frozen=True):
    """The state of a window's columns, how many records it comes from, what was refused."""

    state: ColumnsState
    counts: dict[str, int]
    rejects: tuple[Reject, ...]


class Profiling:
    """One run's reading of its captures."""

    def __init__(self, run: DataQualityRun, recorder: Recorder) -> None:
        self._run, self._recorder = run, recorder
        self._names = run.names or (() if run.baseline is None else tuple(one.name for one in run.baseline.features))
        kept = run.pieces is not None and run.window is not None
        self._pieces = Pieces(run.pieces or "", ["data-quality", self._names, run.exclude]) if kept else None

    def all(self) -> Profiled:
        """Decode what has to be, and merge it with what is kept."""
        with ThreadPoolExecutor() as executor:
            profile = Profile(executor=executor)
            parts = [self._of(window, profile) for window in self._windows()]
            state = profile.merge([part.state for part in parts])
        names = ("capture_records", "rows", "duplicate_events")
        counts = {name: sum(part.counts[name] for part in parts) for name in names}
        return Profiled(state, counts, summed([reject for part in parts for reject in part.rejects]))

    def rows(self) -> Iterator[tuple[pa.Array[Any] | None, pa.RecordBatch]]:
        """The rows of the window once more: their ids and their features."""
        for window in self._windows():
            files = list_files(self._run.captures, window)
            with ExitStack() as stack:
                for batch in self._decoding(files, window, stack).batches() if files else ():
                    yield keys(batch).column(0), self._features(batch)

    def _windows(self) -> list[Window | None]:
        window = self._run.window
        return [window] if window is None or self._pieces is None else [*cut(window)]

    def _of(self, window: Window | None, profile: Profile) -> Profiled:
        files = list_files(self._run.captures, window)
        mark = fingerprint(files)
        kept = None if self._pieces is None or window is None else self._pieces.load(window)
        if kept is not None and kept.captures == mark:
            return Profiled(load_state(kept.state), kept.counts, kept.rejects)
        found = self._read(files, window, profile)
        # A window that goes on while it is read is not kept: its captures are still growing.
        over = window is not None and (self._run.as_of is None or window.end <= self._run.as_of)
        if self._pieces is not None and window is not None and over:
            self._pieces.save(window, Piece(mark, save_state(found.state), found.counts, found.rejects, b"", b""))
        return found

    def _read(self, files: list[str], window: Window | None, profile: Profile) -> Profiled:
        if not files:
            return Profiled(profile.merge([]), {"capture_records": 0, "rows": 0, "duplicate_events": 0}, ())
        with ExitStack() as stack:
            decoding = self._decoding(files, window, stack)
            batches = (self._features(batch) for batch in decoding.batches())
            state = self._recorder.step("decode and analyse", len(files), lambda: profile.measure(batches), _rows)
            found = decoding.found()
        return Profiled(state, _counts(found), found.rejects)

    def _decoding(self, files: list[str], window: Window | None, stack: ExitStack) -> Decoding:
        spill = stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-"))
        reading = Reading(self._names)
        return stack.enter_context(Decoding(files, window, reading, spill=spill, memory_limit=MEMORY))

    def _features(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = features(batch)
        excluded = self._run.exclude
        return found.select([name for name in found.schema.names if name not in excluded]) if excluded else found


def _rows(state: ColumnsState) -> int:
    return state.rows


def _counts(found: Found) -> dict[str, int]:
    return {"capture_records": found.records, "rows": found.usable, "duplicate_events": found.duplicates}
