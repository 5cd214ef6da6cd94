"""Captures joined with labels by Spark: files are read where the tasks run, rows meet their labels in Spark's join, and
states come back. What one machine finds, this finds too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa

from driftline.core.window import Window
from driftline.engine.payload import Reading
from driftline.engine.reading import Found
from driftline.engine.spark.failures import told
from driftline.engine.spark.fold import fold
from driftline.engine.spark.joined import Labels, Wanted, joined
from driftline.engine.spark.laid import Laying, Seen, merged
from driftline.engine.spark.repeats import prediction_owners
from driftline.engine.spark.session import quietly
from driftline.engine.spark.told import total
from driftline.pipeline.joining import MEMORY, Beside, Ids, Joined, Joining, Noted, distinct
from driftline.pipeline.run import LabelledRun, SparkSettings
from driftline.pipeline.spark.session import session, tasks_of
from driftline.pipeline.steps import Recorder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MOST_IDS = 20_000_000
"""Of how many ids of an hour at most it is kept which had a label; the piece of an hour that has more is not kept."""


class Part(msgspec.Struct, frozen=True):
    """What tasks send: the monitor's state and those of its segments, what was seen beside the rows, and the ids with
    which of them have a label; None for ids that are not wanted, or too many."""

    state: Any
    segments: tuple[dict[str, Any], ...]
    seen: Seen
    noted: Noted | None


class _Saved(msgspec.Struct, frozen=True):
    state: bytes
    segments: tuple[dict[str, bytes], ...]
    seen: Seen
    ids: bytes | None
    labelled: bytes


class Parts:
    """How the rows of a partition become a :class:`Part`, and parts one. It travels to executors."""

    def __init__(self, monitor: Joining, *, keeping: bool, most_ids: int = MOST_IDS) -> None:
        self._monitor, self._keeping, self._most_ids = monitor, keeping, most_ids

    def measure(self, batches: Iterable[pa.RecordBatch]) -> Part:
        """The part of joined rows. Raises what a task that read them was ended by."""
        ids = Ids()
        with Laying() as laying:
            rows = laying.rows(batches)
            state = self._monitor.measure(ids.passing(rows) if self._keeping else rows)
            seen = laying.seen()
        return Part(state, self._monitor.segments, seen, self._few(ids.distinct()) if self._keeping else None)

    def merge(self, parts: Sequence[Part]) -> Part:
        """All of them together."""
        noted = [part.noted for part in parts if part.noted is not None]
        every = self._few(distinct([n[0] for n in noted], [n[1] for n in noted])) if len(noted) == len(parts) else None
        state = self._monitor.merge([part.state for part in parts])
        return Part(state, self._segments(parts), merged([part.seen for part in parts]), every)

    def save(self, part: Part) -> bytes:
        """A part as bytes."""
        ids, labelled = (None, b"") if part.noted is None else (part.noted[0].tobytes(), part.noted[1].tobytes())
        save = self._monitor.save
        segments = tuple({name: save(state) for name, state in one.items()} for one in part.segments)
        return msgspec.msgpack.encode(_Saved(save(part.state), segments, part.seen, ids, labelled))

    def load(self, data: bytes) -> Part:
        """The part of these bytes."""
        saved = msgspec.msgpack.decode(data, type=_Saved)
        noted = None
        if saved.ids is not None:
            noted = np.frombuffer(saved.ids, dtype=np.uint64), np.frombuffer(saved.labelled, dtype=np.uint8)
        load = self._monitor.load
        segments = tuple({name: load(state) for name, state in one.items()} for one in saved.segments)
        return Part(load(saved.state), segments, saved.seen, noted)

    def _segments(self, parts: Sequence[Part]) -> tuple[dict[str, Any], ...]:
        found: list[dict[str, Any]] = []
        for place in range(len(self._monitor.segments)):
            some = [part.segments[place] for part in parts]
            names = sorted({name for one in some for name in one})
            merge = self._monitor.merge
            found.append({name: merge([one[name] for one in some if name in one]) for name in names})
        return tuple(found)

    def _few(self, noted: Noted) -> Noted | None:
        return noted if len(noted[0]) <= self._most_ids else None


class SparkJoiner:
    """Spark's. The session is opened when the first piece has to be read; options as of
    :class:`driftline.pipeline.joining.LocalJoiner`."""

    def __init__(
        self,
        run: LabelledRun,
        settings: SparkSettings,
        monitor: Joining,
        beside: Beside,
        label_files: list[str],
        recorder: Recorder,
        stack: ExitStack,
        *,
        keeping: bool,
    ) -> None:
        self._run, self._settings, self._beside = run, settings, beside
        self._label_files, self._recorder, self._stack = label_files, recorder, stack
        self._monitor, self._parts = monitor, Parts(monitor, keeping=keeping)
        self._spark: SparkSession | None = None
        self._labels: Labels | None = None
        self._needed = False

    @property
    def labels(self) -> Found | None:
        """What reading the labels found; None where there was no prediction to join them with."""
        if not self._needed:
            return None
        return Found(0, 0, 0, ()) if self._labels is None or self._labels.found is None else self._labels.found

    def read(self, files: list[str], window: Window | None) -> Joined:
        """A piece of the window from its capture files."""
        spark = self._open()
        run, beside = self._run, self._beside
        reading = Reading(run.names, of_inputs=run.names_of_inputs)
        wanted = Wanted(run.attributes, window, beside.columns, beside.roles, reading, MEMORY)
        tasks = tasks_of(files, self._settings)

        def work() -> Part:
            with quietly(), told(), self._reading():
                part = self._measured(joined(spark, tasks, wanted, self._labels), len(tasks))
                if not part.seen.repeated:
                    return part
                repeated = pa.array(np.frombuffer(part.seen.repeated, dtype=np.uint64))
                owners = prediction_owners(spark, tasks, run.attributes, window, MEMORY, repeated)
                return self._measured(joined(spark, tasks, wanted, self._labels, owners), len(tasks))

        part = self._recorder.step("read and merge on Spark", len(files), work, _labelled)
        captures = total(part.seen.told)
        self._monitor.add_segments(part.segments)
        if not captures.usable:
            return Joined(None, captures, len(files), noted=part.noted)
        self._needed = True
        by_file = {self._label_files[place]: count for place, count in part.seen.by_file.items()}
        return Joined(part.state, captures, len(files), part.seen.mismatches(), part.noted, by_file)

    def _measured(self, frame: DataFrame, tasks: int) -> Part:
        parts = self._parts
        # A join has the partitions of a shuffle, or, where the labels are few, those of the captures.
        shuffled = 0 if self._labels is None else int(frame.sparkSession.conf.get("spark.sql.shuffle.partitions") or 0)
        return fold(frame, parts.measure, parts.merge, parts.save, parts.load, partitions=max(tasks, shuffled))

    def _open(self) -> SparkSession:
        """The session, and the labels in it."""
        if self._spark is None:
            spark = self._spark = self._step("start Spark", lambda: session(self._settings, self._stack))
            if self._label_files:
                tasks = tasks_of(self._label_files, self._settings)
                with quietly(), told():
                    self._labels = Labels(spark, tasks, MEMORY)
                self._stack.callback(self._labels.close)
        return self._spark

    def _reading(self) -> AbstractContextManager[None]:
        """Has the labels read by its end, where there are any."""
        return nullcontext() if self._labels is None else self._labels.reading()

    def _step(self, name: str, work: Callable[[], SparkSession]) -> SparkSession:
        return self._recorder.step(name, 0, work, lambda _: 0)


def _labelled(part: Part) -> int:
    tally = part.state.tally
    return int(tally.rows - tally.unlabelled)
