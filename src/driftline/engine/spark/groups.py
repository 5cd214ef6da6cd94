"""Groups of files as the work of tasks: each task of a job reads one group, where it runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from driftline.core.errors import DriftlineError
from driftline.engine.reading import Found
from driftline.engine.rejects import Reject
from driftline.engine.spark.failures import as_text
from driftline.engine.spark.told import Told

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Files = list[str]
Fetch = Callable[[Sequence[str], str], Files]
"""Gives files as files of the machine where it is called, fetched into a folder where they are not there, in their
order. It travels to executors."""


class Group(NamedTuple):
    """Some files in the hands of a task: the number of the group, its files as they are here, what they are called, and
    a folder for what does not fit in memory."""

    number: int
    files: Files
    names: Files
    spill: str

    def named(self, found: Found) -> Found:
        """What was found, samples with the files' own names."""
        if self.files == self.names:
            return found
        own = dict(zip(self.files, self.names, strict=True))
        rejects = [
            Reject(r.source, r.reason, r.count, tuple(_renamed(s, own) for s in r.samples)) for r in found.rejects
        ]
        return Found(found.records, found.usable, found.duplicates, tuple(rejects))


class Tasks:
    """The work on some groups of files. ``fetch`` is for files that a task may not find where the driver does."""

    def __init__(self, groups: Sequence[Files], fetch: Fetch | None = None) -> None:
        self.groups, self._fetch = [list(group) for group in groups], fetch

    def __len__(self) -> int:
        return len(self.groups)

    def frame(self, spark: SparkSession) -> DataFrame:
        """The numbers of the groups, each in a partition of its own."""
        return spark.range(0, len(self.groups), 1, max(1, len(self.groups)))

    def opened(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Group]:
        """In a task: the groups that batches of :meth:`frame` name, each as long as the caller works on it."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                with ExitStack() as stack:
                    yield self._open(number, stack)

    def rows(
        self, spark: SparkSession, work: Callable[[Group], Iterator[pa.RecordBatch | Told]], schema: str, told_as: Rows
    ) -> DataFrame:
        """What ``work`` makes of every group, as rows; what it tells, and what it raises, is a row too."""

        def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for group in self.opened(batches):
                try:
                    yield from map(told_as, work(group))
                except DriftlineError as error:
                    yield told_as(Told(group.number, trouble=as_text(error)))

        return self.frame(spark).mapInArrow(task, schema)

    def _open(self, number: int, stack: ExitStack) -> Group:
        names = self.groups[number]
        spill = stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-"))
        if self._fetch is None:
            return Group(number, names, names, spill)
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-"))
        return Group(number, self._fetch(names, place), names, spill)


Rows = Callable[[pa.RecordBatch | Told], pa.RecordBatch]
"""A batch of rows, or what was told, as rows of one schema."""


def _renamed(sample: str, own: dict[str, str]) -> str:
    here = next((file for file in own if sample.startswith(f"{file}:")), None)
    return sample if here is None else own[here] + sample[len(here) :]
