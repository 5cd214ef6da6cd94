"""From files to the state of a window: piece by piece, each read at most once where pieces are kept."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa

from driftline.core.errors import InputError
from driftline.core.sampling import hash_ids
from driftline.core.window import Window
from driftline.engine.files import list_files
from driftline.engine.rejects import Reject, summed
from driftline.monitors.quality.rows import Tally
from driftline.pipeline.decoded import DECODING_MEMORY, DecodedCaptures, decoded_folder
from driftline.pipeline.pieces import (
    Hashes,
    Piece,
    Pieces,
    collected,
    cut,
    fingerprint,
    fingerprints,
    lag_counts,
    seen_of,
)
from driftline.pipeline.run import LabelledRun, MergingRun
from driftline.pipeline.steps import Recorder

if TYPE_CHECKING:
    from driftline.engine.local import LocalEngine
    from driftline.engine.reading import Found

LABEL_LOOKBACK = timedelta(days=1)
MEMORY = "512MB"
"""What reading and joining may hold in memory; beyond it they go through files."""
_NO_COUNTS = {"capture_records": 0, "predictions": 0, "duplicate_events": 0, "capture_files_read": 0}


class Measured(msgspec.Struct, frozen=True):
    """The state of a window, how many records it comes from, what was refused, and how many pieces were kept ones."""

    state: Any
    counts: dict[str, int]
    rejects: tuple[Reject, ...]
    kept: int = 0
    lags: dict[int, int] = {}


class Joining(Protocol):
    """A monitor of rows that were joined with labels. Its states have a ``tally``."""

    def measure(self, batches: Iterable[pa.RecordBatch]) -> Any:
        """The state of rows: ``id``, ``row``, ``score``, ``prediction``, ``label``, and the columns asked for."""

    def merge(self, states: Sequence[Any]) -> Any:
        """The state of all rows of some states."""

    def save(self, state: Any) -> bytes:
        """A state as bytes."""

    def load(self, data: bytes) -> Any:
        """The state of these bytes."""


class Beside(msgspec.Struct, frozen=True):
    """Captured columns that a monitor wants beside prediction and label, as text; in the batches they are called
    ``column_0``, ``column_1`` … ``every_row`` says that kept hours are of no use."""

    columns: tuple[str, ...] = ()
    every_row: bool = False

    @property
    def roles(self) -> tuple[str, ...]:
        """What the columns are called in the batches."""
        return tuple(f"column_{place}" for place in range(len(self.columns)))


def measure(run: LabelledRun, monitor: Joining, recorder: Recorder, beside: Beside | None = None) -> Measured:
    """Read and join what has to be, and merge it with what is kept."""
    with ExitStack() as stack:
        return _Measuring(run, monitor, recorder, stack, beside or Beside()).all()


def pieces_of(run: LabelledRun) -> Pieces | None:
    """Where the pieces of a run are kept, by everything that its numbers depend on but the window and the labels."""
    if run.pieces is None or run.window is None:
        return None
    # How the folders lie to one another is the same on every machine that has such a data folder.
    read = [folder and os.path.relpath(folder, run.pieces) for folder in (run.captures, run.labels)]
    return Pieces(run.pieces, [*read, *run.way])


def windows_of(run: LabelledRun) -> list[Window | None]:
    """The windows that are measured by themselves."""
    return [run.window] if run.window is None or run.pieces is None else [*cut(run.window)]


def label_files(run: MergingRun) -> list[str]:
    """The label files that may hold labels for a run: of the hours from a day before it up to ``as_of``."""
    if run.labels is None or not Path(run.labels).exists():
        return []
    if run.window is None or run.as_of is None:
        return list_files(run.labels, None)
    until = max(run.as_of, run.window.end) + timedelta(microseconds=1)
    return list_files(run.labels, Window(run.window.start - LABEL_LOOKBACK, until))


class _Measuring:
    """One run's reading. The engine is opened when the first piece has to be read."""

    def __init__(
        self, run: LabelledRun, monitor: Joining, recorder: Recorder, stack: ExitStack, beside: Beside
    ) -> None:
        self._run, self._monitor, self._recorder, self._stack = run, monitor, recorder, stack
        self._beside = beside
        self._pieces = pieces_of(run)
        self._engine: LocalEngine | None = None
        self._label_files = label_files(run)
        self._seen = fingerprints(self._label_files, run.labels) if self._pieces is not None else {}
        self._marks = seen_of(self._seen)
        self._labels: Found | None = None

    def all(self) -> Measured:
        windows = windows_of(self._run)
        kept = {} if self._beside.every_row else {window: one for window in windows if (one := self._kept(window))}
        current = self._current(kept)
        parts = [current.get(window) or self._read(window) for window in windows]
        monitor = self._monitor
        state = monitor.merge(
            [monitor.load(part.state) if isinstance(part.state, bytes) else part.state for part in parts]
        )
        rejects = [*(reject for part in parts for reject in part.rejects), *self._label_rejects(state.tally)]
        lags = Counter[int]()
        for part in parts:
            lags.update(part.lags)
        counts = self._counts([part.counts for part in parts], state.tally) | lag_counts(lags)
        return Measured(state, counts, summed(rejects), len(current))

    def _kept(self, window: Window | None) -> Piece | None:
        """What is kept of a window, if it was made of the captures that are there now."""
        piece = None if self._pieces is None or window is None else self._pieces.load(window)
        if piece is None or piece.captures != fingerprint(list_files(self._run.captures, window), self._run.captures):
            return None
        return msgspec.structs.replace(piece, counts=piece.counts | {"capture_files_read": 0})

    def _current(self, kept: dict[Window | None, Piece]) -> dict[Window | None, Piece]:
        """The kept pieces that no label file touches which came after them."""
        came = {file: None for piece in kept.values() for file in piece.unseen(self._seen).values()}
        if not came or self._pieces is None:
            return kept
        named = self._recorder.step("read new labels", len(came), lambda: self._open().label_ids(list(came)), _total)
        hashes = np.concatenate(list(named.values()))
        current: dict[Window | None, Piece] = {}
        for window, piece in kept.items():
            if window is not None and not piece.touched(hashes).any():
                current[window] = msgspec.structs.replace(piece, seen=self._marks)
                self._pieces.save(window, current[window])
        return current

    def _read(self, window: Window | None) -> Any:
        """The piece of a window from its files."""
        files = list_files(self._run.captures, window)
        if not files:
            return self._keep(window, "", self._monitor.merge([]), dict(_NO_COUNTS), (), ([], []))
        engine, mark = self._open(), fingerprint(files, self._run.captures)
        decoded = self._decoded(window)
        captures = self._recorder.step(
            "read captures",
            len(files),
            lambda: self._load(engine, files, window, decoded),
            lambda found: found.usable,
            engine.share_done,
        )
        counts = {
            "capture_records": captures.records,
            "predictions": captures.usable,
            "duplicate_events": captures.duplicates,
            "capture_files_read": 0 if decoded.reused else len(files),
        }
        if not captures.usable:
            return self._keep(window, mark, self._monitor.merge([]), counts, captures.rejects, ([], []))
        self._load_labels()
        noted: tuple[list[Hashes], list[Any]] = ([], [])
        if self._beside.columns:
            engine.load_columns(self._column_rows(decoded, files, window), self._beside.roles)
        batches = self._recorder.told("merge", engine.joined(), captures.usable)
        state = self._recorder.step(
            "merge",
            captures.usable,
            lambda: self._monitor.measure(_noted(batches, noted) if self._pieces else batches),
            lambda s: s.tally.rows - s.tally.unlabelled,
        )
        lags = self._lags(engine, window)
        return self._keep(window, mark, state, counts, (*captures.rejects, *engine.mismatches()), noted, lags)

    def _decoded(self, window: Window | None) -> DecodedCaptures:
        """The decoded hours that all monitors share."""
        from driftline.engine.payload import Reading

        spill = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-"))
        run = self._run
        reading = Reading(run.names, of_inputs=run.names_of_inputs)
        return DecodedCaptures(decoded_folder(run, window), reading, spill=spill, memory_limit=DECODING_MEMORY)

    def _load(self, engine: LocalEngine, files: list[str], window: Window | None, decoded: DecodedCaptures) -> Found:
        """The records of the window: of what is decoded where there is any, else of the lines, and of those no more
        than is needed."""
        with decoded.records(files, window) as records:
            return engine.load_captures(files, self._run.attributes, window, records)

    def _column_rows(
        self, decoded: DecodedCaptures, files: list[str], window: Window | None
    ) -> Iterator[pa.RecordBatch]:
        """Event, row, and the columns that are wanted beside, as text."""
        from driftline.engine.payload import features, keys

        for batch in decoded.batches(files, window):
            found, known = features(batch), keys(batch)
            columns = [known.column(1), known.column(2)]
            columns += [_column(found, name) for name in self._beside.columns]
            yield pa.RecordBatch.from_arrays(columns, names=["event", "row", *self._beside.roles])

    def _keep(
        self,
        window: Window | None,
        mark: str,
        state: Any,
        counts: dict[str, int],
        rejects: tuple[Reject, ...],
        noted: tuple[list[Hashes], list[Any]],
        lags: dict[int, int] | None = None,
    ) -> Any:
        part = Measured(state, counts, rejects, lags=lags or {})
        # A window that goes on while it is read is not kept: its captures are still growing.
        if self._pieces is None or window is None or (self._run.as_of is not None and window.end > self._run.as_of):
            return part
        ids, labelled = _distinct(*noted)
        piece = Piece(
            captures=mark or fingerprint([], self._run.captures),
            state=self._monitor.save(state),
            counts=counts,
            rejects=rejects,
            ids=ids.tobytes(),
            labelled=labelled.tobytes(),
            lags=part.lags,
            seen=self._marks,
        )
        self._pieces.save(window, piece)
        return part

    def _lags(self, engine: LocalEngine, window: Window | None) -> dict[int, int]:
        """How many labels came how many minutes after the middle of the window."""
        if self._pieces is None or window is None or not self._label_files:
            return {}
        middle, found = window.start + (window.end - window.start) / 2, Counter[int]()
        for file, count in engine.matched_by_file(self._label_files).items():
            moment = collected(file)
            if moment is not None:
                found[max(0, int((moment - middle).total_seconds() // 60))] += count
        return dict(found)

    def _open(self) -> LocalEngine:
        from driftline.engine.local import LocalEngine

        if self._engine is None:
            spill = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-"))
            self._engine = self._stack.enter_context(LocalEngine(spill=spill, memory_limit=MEMORY))
        return self._engine

    def _load_labels(self) -> None:
        """Once a run, and only when there is a prediction to join them with."""
        from driftline.engine.reading import Found

        if self._labels is not None:
            return
        engine, files = self._open(), self._label_files
        if not files:
            engine.without_labels()
            self._labels = Found(0, 0, 0, ())
            return
        self._labels = self._recorder.step(
            "read labels", len(files), lambda: engine.load_labels(files), lambda found: found.usable, engine.share_done
        )

    def _label_rejects(self, tally: Tally) -> tuple[Reject, ...]:
        odd = (Reject("labels", "not_a_class", tally.not_a_class),) if tally.not_a_class else ()
        return (*(() if self._labels is None else self._labels.rejects), *odd)

    def _counts(self, parts: list[dict[str, int]], tally: Tally) -> dict[str, int]:
        """The counts of all pieces; of labels, where none were read, those that are known to be there."""
        matched = tally.rows - tally.unlabelled
        labels = self._labels
        return {name: sum(part.get(name, 0) for part in parts) for name in _NO_COUNTS} | {
            "label_records": matched if labels is None else labels.records,
            "labels": matched if labels is None else labels.usable,
            "duplicate_labels": 0 if labels is None else labels.duplicates,
            "matched": matched,
            "unlabelled": tally.unlabelled,
            "judged": matched - tally.not_a_class,
        }


def _column(batch: pa.RecordBatch, name: str) -> pa.Array[Any]:
    if name not in batch.schema.names:
        raise InputError(
            f"there is no captured column {name!r}",
            evidence=f"the columns are: {', '.join(batch.schema.names)[:300]}",
            hint="name one of them; inputs without names are called as the baseline's columns when they are as many (so"
            " leave out of it what is no input, with --exclude), or can be named with --names",
        )
    return batch.column(name).cast(pa.string())


def _total(named: dict[str, Hashes]) -> int:
    return sum(map(len, named.values()))


def _noted(batches: Iterable[pa.RecordBatch], noted: tuple[list[Hashes], list[Any]]) -> Iterator[pa.RecordBatch]:
    """The batches as they pass, their ids' hashes and which have a label written down."""
    for batch in batches:
        noted[0].append(hash_ids(batch.column("id")))
        noted[1].append(batch.column("label").is_valid().to_numpy(zero_copy_only=False))
        yield batch


def _distinct(hashes: list[Hashes], labelled: list[Any]) -> tuple[Hashes, Any]:
    if not hashes:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint8)
    every, known = np.concatenate(hashes), np.concatenate(labelled).astype(np.uint8)
    order = np.argsort(every, kind="stable")
    ids, first = np.unique(every[order], return_index=True)
    return ids, np.maximum.reduceat(known[order], first) if len(first) else known
