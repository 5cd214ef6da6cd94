"""A table measured where it is: here, or on the executors of Spark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

import pyarrow as pa

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
