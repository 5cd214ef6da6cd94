"""What joins captures with labels for a monitor: one piece of a window in, its state and what was found out.

A :class:`Joiner` is one machine's (here) or Spark's (:mod:`driftline.pipeline.spark.joining`). What is kept of pieces,
and which of them are read at all, is the affair of :mod:`driftline.pipeline.measuring`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa

from driftline.core.sampling import hash_ids
from driftline.core.window import Window
from driftline.engine.rejects import Reject
from driftline.pipeline.decoded import DECODING_MEMORY, DecodedCaptures, decoded_folder
from driftline.pipeline.pieces import Hashes
from driftline.pipeline.run import LabelledRun
from driftline.pipeline.steps import Recorder

if TYPE_CHECKING:
    from driftline.engine.local import LocalEngine
    from driftline.engine.reading import Found

MEMORY = "512MB"
"""What reading and joining may hold in memory; beyond it they go through files."""
Noted = tuple[Hashes, Any]
"""Hashes of ids, ascending and each once, and of each whether it has a label (1 or 0)."""


class Joining(Protocol):
    """A monitor of rows that were joined with labels. Its states have a ``tally``. Where tasks on other machines
    measure, it travels to them."""

    @property
    def segments(self) -> tuple[dict[str, Any], ...]:
        """The states of segments of the rows measured so far, of each way to divide them."""
        return ()

    def add_segments(self, states: Sequence[dict[str, Any]]) -> None:
        """Take over the states of segments that were measured elsewhere."""
        return

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


class Joined(msgspec.Struct, frozen=True):
    """A piece of a window that was read: the state of its rows (None where no prediction could be used), what its
    captures are, how many of their files were read, and labels of another length than their requests.

    Where pieces are kept also: the ids (None where they are too many to be kept), and how many predictions each label
    file gave their label.
    """

    state: Any
    captures: Found
    files_read: int
    mismatches: tuple[Reject, ...] = ()
    noted: Noted | None = None
    by_file: dict[str, int] = {}


class Joiner(Protocol):
    """Reads captures and joins them with labels."""

    @property
    def labels(self) -> Found | None:
        """What reading the labels found; None where none had to be read."""

    def read(self, files: list[str], window: Window | None) -> Joined:
        """A piece of the window from its capture files."""


class LocalJoiner:
    """One machine's. The engine is opened when the first piece has to be read; ``keeping`` says that ids are wanted."""

    def __init__(
        self,
        run: LabelledRun,
        monitor: Joining,
        beside: Beside,
        label_files: list[str],
        recorder: Recorder,
        stack: ExitStack,
        *,
        keeping: bool,
    ) -> None:
        self._run, self._monitor, self._beside = run, monitor, beside
        self._label_files, self._recorder, self._stack = label_files, recorder, stack
        self._keeping = keeping
        self._engine: LocalEngine | None = None
        self.labels: Found | None = None

    def engine(self) -> LocalEngine:
        """The engine, open."""
        from driftline.engine.local import LocalEngine

        if self._engine is None:
            spill = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-"))
            self._engine = self._stack.enter_context(LocalEngine(spill=spill, memory_limit=MEMORY))
        return self._engine

    def read(self, files: list[str], window: Window | None) -> Joined:
        """A piece of the window from its capture files."""
        engine, decoded = self.engine(), self._decoded(window)
        captures = self._recorder.step(
            "read captures",
            len(files),
            lambda: self._load(engine, files, window, decoded),
            lambda found: found.usable,
            engine.share_done,
        )
        files_read = 0 if decoded.reused else len(files)
        if not captures.usable:
            return Joined(None, captures, files_read)
        self._load_labels()
        if self._beside.columns:
            engine.load_columns(self._column_rows(decoded, files, window), self._beside.roles)
        batches = self._recorder.told("merge", engine.joined(), captures.usable)
        ids = Ids()
        state = self._recorder.step(
            "merge",
            captures.usable,
            lambda: self._monitor.measure(ids.passing(batches) if self._keeping else batches),
            lambda s: s.tally.rows - s.tally.unlabelled,
        )
        by_file = engine.matched_by_file(self._label_files) if self._keeping and self._label_files else {}
        return Joined(state, captures, files_read, engine.mismatches(), ids.distinct(), by_file)

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
        from driftline.engine.payload import columns_beside

        return columns_beside(decoded.batches(files, window), self._beside.columns, self._beside.roles)

    def _load_labels(self) -> None:
        """Once a run, and only when there is a prediction to join them with."""
        from driftline.engine.reading import Found

        if self.labels is not None:
            return
        engine, files = self.engine(), self._label_files
        if not files:
            engine.without_labels()
            self.labels = Found(0, 0, 0, ())
            return
        self.labels = self._recorder.step(
            "read labels", len(files), lambda: engine.load_labels(files), lambda found: found.usable, engine.share_done
        )


class Ids:
    """The ids of batches that pass by, as hashes, and which of them have a label."""

    def __init__(self) -> None:
        self._hashes: list[Hashes] = []
        self._labelled: list[Any] = []

    def passing(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches as they are; their ids are written down."""
        for batch in batches:
            self._hashes.append(hash_ids(batch.column("id")))
            self._labelled.append(batch.column("label").is_valid().to_numpy(zero_copy_only=False))
            yield batch

    def distinct(self) -> Noted:
        """All ids that passed by."""
        return distinct(self._hashes, self._labelled)


def distinct(hashes: Sequence[Hashes], labelled: Sequence[Any]) -> Noted:
    """Ids each once, ascending; one has a label where any of its rows has."""
    if not hashes:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint8)
    every, known = np.concatenate(hashes), np.concatenate(labelled).astype(np.uint8)
    order = np.argsort(every, kind="stable")
    ids, first = np.unique(every[order], return_index=True)
    return ids, np.maximum.reduceat(known[order], first) if len(first) else known
