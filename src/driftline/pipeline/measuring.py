"""From files to the state of a window: piece by piece, each read at most once where pieces are kept."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from driftline.core.window import Window
from driftline.engine.files import list_files
from driftline.engine.rejects import Reject, summed
from driftline.monitors.quality.rows import Tally
from driftline.pipeline.joining import Beside, Joined, Joiner, Joining, LocalJoiner, Noted
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
    from driftline.engine.reading import Found

LABEL_LOOKBACK = timedelta(days=1)
_NO_COUNTS = {"capture_records": 0, "predictions": 0, "duplicate_events": 0, "capture_files_read": 0}
_NO_IDS: Noted = (np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint8))


class Measured(msgspec.Struct, frozen=True):
    """The state of a window, how many records it comes from, what was refused, and how many pieces were kept ones."""

    state: Any
    counts: dict[str, int]
    rejects: tuple[Reject, ...]
    kept: int = 0
    lags: dict[int, int] = {}


def measure(run: LabelledRun, monitor: Joining, recorder: Recorder, beside: Beside | None = None) -> Measured:
    """Read and join what has to be, and merge it with what is kept."""
    with ExitStack() as stack:
        return _Measuring(run, monitor, recorder, stack, beside or Beside()).all()


def pieces_of(run: LabelledRun) -> Pieces | None:
    """Where the pieces of a run are kept, by everything that its numbers depend on but the window and the labels."""
    if run.pieces is None or run.window is None:
        return None
    return Pieces(run.pieces, [run.captures, run.labels, *run.way])


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
    """One run's reading."""

    def __init__(
        self, run: LabelledRun, monitor: Joining, recorder: Recorder, stack: ExitStack, beside: Beside
    ) -> None:
        self._run, self._monitor, self._recorder = run, monitor, recorder
        self._beside = beside
        self._pieces = pieces_of(run)
        self._label_files = label_files(run)
        self._seen = fingerprints(self._label_files) if self._pieces is not None else {}
        self._marks = seen_of(self._seen)
        keeping = self._pieces is not None
        self._local = LocalJoiner(run, monitor, beside, self._label_files, recorder, stack, keeping=keeping)
        self._joiner: Joiner = self._local
        if run.spark is not None:
            from driftline.pipeline.spark.joining import SparkJoiner

            options = (monitor, beside, self._label_files, recorder, stack)
            self._joiner = SparkJoiner(run, run.spark, *options, keeping=keeping)

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
        if piece is None or piece.captures != fingerprint(list_files(self._run.captures, window)):
            return None
        return msgspec.structs.replace(piece, counts=piece.counts | {"capture_files_read": 0})

    def _current(self, kept: dict[Window | None, Piece]) -> dict[Window | None, Piece]:
        """The kept pieces that no label file touches which came after them."""
        came = {file: None for piece in kept.values() for file in piece.unseen(self._seen).values()}
        if not came or self._pieces is None:
            return kept
        named = self._recorder.step(
            "read new labels", len(came), lambda: self._local.engine().label_ids(list(came)), _total
        )
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
            return self._keep(window, "", self._monitor.merge([]), dict(_NO_COUNTS), (), _NO_IDS)
        mark = fingerprint(files)
        found = self._joiner.read(files, window)
        counts = {
            "capture_records": found.captures.records,
            "predictions": found.captures.usable,
            "duplicate_events": found.captures.duplicates,
            "capture_files_read": found.files_read,
        }
        rejects = (*found.captures.rejects, *found.mismatches)
        if found.state is None:
            return self._keep(window, mark, self._monitor.merge([]), counts, rejects, _NO_IDS)
        return self._keep(window, mark, found.state, counts, rejects, found.noted, self._lags(found, window))

    def _keep(
        self,
        window: Window | None,
        mark: str,
        state: Any,
        counts: dict[str, int],
        rejects: tuple[Reject, ...],
        noted: Noted | None,
        lags: dict[int, int] | None = None,
    ) -> Any:
        part = Measured(state, counts, rejects, lags=lags or {})
        # A window that goes on while it is read is not kept: its captures are still growing.
        going_on = window is None or (self._run.as_of is not None and window.end > self._run.as_of)
        if self._pieces is None or window is None or going_on or noted is None:
            return part
        ids, labelled = noted
        piece = Piece(
            captures=mark or fingerprint([]),
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

    def _lags(self, found: Joined, window: Window | None) -> dict[int, int]:
        """How many labels came how many minutes after the middle of the window."""
        if self._pieces is None or window is None:
            return {}
        middle, lags = window.start + (window.end - window.start) / 2, Counter[int]()
        for file, count in found.by_file.items():
            moment = collected(file)
            if moment is not None:
                lags[max(0, int((moment - middle).total_seconds() // 60))] += count
        return dict(lags)

    @property
    def _labels_found(self) -> Found | None:
        return self._joiner.labels

    def _label_rejects(self, tally: Tally) -> tuple[Reject, ...]:
        odd = (Reject("labels", "not_a_class", tally.not_a_class),) if tally.not_a_class else ()
        return (*(() if self._labels_found is None else self._labels_found.rejects), *odd)

    def _counts(self, parts: list[dict[str, int]], tally: Tally) -> dict[str, int]:
        """The counts of all pieces; of labels, where none were read, those that are known to be there."""
        matched = tally.rows - tally.unlabelled
        labels = self._labels_found
        return {name: sum(part.get(name, 0) for part in parts) for name in _NO_COUNTS} | {
            "label_records": matched if labels is None else labels.records,
            "labels": matched if labels is None else labels.usable,
            "duplicate_labels": 0 if labels is None else labels.duplicates,
            "matched": matched,
            "unlabelled": tally.unlabelled,
            "judged": matched - tally.not_a_class,
        }


def _total(named: dict[str, Hashes]) -> int:
    return sum(map(len, named.values()))
