"""A table measured where it is: here, or on the executors of Spark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Protocol, TypeVar

import pyarrow as pa

from driftline.engine.batches import table_rows
from driftline.engine.datasets import Dataset
from driftline.pipeline.steps import Recorder

T = TypeVar("T")


class Parts(Protocol[T]):
    """What measures a table in parts; it travels to executors."""

    def measure(self, batches: Iterator[pa.RecordBatch], first: int) -> T:
        """The state of a part that has ``first`` rows before it."""

    def merge(self, states: Sequence[T]) -> T:
        """The state of all the parts, in their order."""

    def save(self, state: T) -> bytes:
        """A state as bytes."""

    def load(self, data: bytes) -> T:
        """The state of these bytes."""


def measured(dataset: Dataset, parts: Parts[T], recorder: Recorder, *, numbered: bool = False) -> T:
    """The state of a whole table. The parts of a data frame know how many rows are before them if they are
    ``numbered``."""
    if dataset.frame is None:
        return parts.measure(recorder.told("measure", dataset.batches(), dataset.rows()), 0)

    def work() -> T:
        return dataset.fold(parts.measure, parts.merge, parts.save, parts.load, numbered=numbered)

    return recorder.step("measure on Spark", 0, work, lambda _: 0)


class Begun:
    """A table whose ``first`` rows are looked at before all are measured: its first batch, of a data frame one row
    where a ``few`` will do; None where there is no row."""

    def __init__(self, dataset: Dataset, recorder: Recorder, *, few: bool) -> None:
        self._dataset, self._recorder = dataset, recorder
        if dataset.frame is None:
            self._batches = iter(recorder.told("measure", dataset.batches(), dataset.rows()))
        else:
            rows = 1 if few else table_rows(len(dataset.frame.columns))
            self._batches = Dataset(dataset.frame.first(rows)).batches()
        self.first = next(self._batches, None)

    def measured(self, parts: Parts[T], *, numbered: bool = False) -> T:
        """The state of the whole table, as :func:`measured` has it. Only once: a stream cannot be read again."""
        if self._dataset.frame is not None:
            return measured(self._dataset, parts, self._recorder, numbered=numbered)
        first = () if self.first is None else (self.first,)
        return parts.measure(chain(first, self._batches), 0)
