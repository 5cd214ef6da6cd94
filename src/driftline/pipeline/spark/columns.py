"""Captured columns measured by Spark: each task decodes its files as one machine does, and only states travel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import msgspec
import pyarrow as pa

from driftline.core.window import Window
from driftline.engine.payload import Decoding, Reading
from driftline.engine.reading import Found
from driftline.engine.spark.failures import told
from driftline.engine.spark.fold import fold
from driftline.engine.spark.groups import Group, Tasks
from driftline.engine.spark.repeats import Owners, column_owners
from driftline.engine.spark.session import quietly
from driftline.engine.spark.told import Told, total
from driftline.pipeline.decoded import DECODING_MEMORY
from driftline.pipeline.run import SparkSettings
from driftline.pipeline.spark.session import session, tasks_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

T = TypeVar("T")


class Measuring(Protocol[T]):
    """What is measured of decoded batches. It travels to executors."""

    def measure(self, batches: Iterable[pa.RecordBatch]) -> T:
        """The state of decoded batches."""

    def merge(self, states: Sequence[T]) -> T:
        """The state of all rows of some states, which are in the order of their files."""

    def save(self, state: T) -> bytes:
        """A state as bytes."""

    def load(self, data: bytes) -> T:
        """The state of these bytes."""


class Part(msgspec.Struct, Generic[T], frozen=True):
    """What tasks send: a state, and what reading found."""

    state: T
    told: tuple[Told, ...] = ()


class _Saved(msgspec.Struct, frozen=True):
    state: bytes
    told: tuple[Told, ...]


class ColumnTasks(Generic[T]):
    """How groups of files become a :class:`Part`, and parts one. It travels to executors."""

    def __init__(
        self, measuring: Measuring[T], tasks: Tasks, window: Window | None, reading: Reading, owners: Owners | None
    ) -> None:
        self._measuring, self._tasks, self._window = measuring, tasks, window
        self._reading, self._owners = reading, owners

    def measure(self, batches: Iterable[pa.RecordBatch]) -> Part[T]:
        """The part of the groups that a task was given."""
        found: list[Told] = []
        rows = (batch for group in self._tasks.opened(batches) for batch in self._decoded(group, found))
        return Part(self._measuring.measure(rows), tuple(found))

    def merge(self, parts: Sequence[Part[T]]) -> Part[T]:
        """All of them together."""
        state = self._measuring.merge([part.state for part in parts])
        return Part(state, tuple(one for part in parts for one in part.told))

    def save(self, part: Part[T]) -> bytes:
        """A part as bytes."""
        return msgspec.msgpack.encode(_Saved(self._measuring.save(part.state), part.told))

    def load(self, data: bytes) -> Part[T]:
        """The part of these bytes."""
        saved = msgspec.msgpack.decode(data, type=_Saved)
        return Part(self._measuring.load(saved.state), saved.told)

    def _decoded(self, group: Group, found: list[Told]) -> Iterator[pa.RecordBatch]:
        options: dict[str, Any] = {"spill": group.spill, "memory_limit": DECODING_MEMORY, "threads": 1}
        before = None if self._owners is None else self._owners.earlier(group.number)
        with Decoding(group.files, self._window, self._reading, seen=before, **options) as decoding:
            yield from decoding.batches()
            found.append(Told(group.number, group.named(decoding.found())))


class SparkColumns:
    """Measures the columns of capture files on Spark. The session is opened for the first of them, and goes with the
    stack."""

    def __init__(self, settings: SparkSettings, reading: Reading, stack: ExitStack) -> None:
        self._settings, self._reading, self._stack = settings, reading, stack
        self._spark: SparkSession | None = None

    def measured(self, measuring: Measuring[T], files: list[str], window: Window | None) -> tuple[T, Found]:
        """The state of the rows of some files, and what reading them found."""
        if self._spark is None:
            self._spark = session(self._settings, self._stack)
        spark, tasks = self._spark, tasks_of(files, self._settings)
        with quietly(), told():
            owners = column_owners(spark, tasks, window)
        work = ColumnTasks(measuring, tasks, window, self._reading, owners)
        part = fold(tasks.frame(spark), work.measure, work.merge, work.save, work.load, partitions=len(tasks))
        return part.state, total(part.told)


def counted(found: Found, files: int) -> dict[str, int]:
    """What a run tells of reading so many files."""
    counts = {"capture_records": found.records, "rows": found.usable, "duplicate_events": found.duplicates}
    return counts | {"capture_files_read": files}
