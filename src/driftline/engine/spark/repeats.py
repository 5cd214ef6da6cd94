"""Events that stand in files of several groups, which no task can see by itself.

Usually there are none. Of predictions it is seen where rows of one id meet (:mod:`driftline.engine.spark.laid`); for
columns, whose rows meet nobody, the ids of all events are read before. Of those there are, it is found out which
group's copy counts, by the rule that one machine's engine has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from driftline.core.errors import DriftlineError
from driftline.core.window import Window
from driftline.engine.attributes import OutputAttributes
from driftline.engine.events import event_keys, sound_columns
from driftline.engine.part import PartEngine
from driftline.engine.spark.groups import Group, Tasks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_KEYS = "key long, number long"


class Owners(NamedTuple):
    """Keys (uint64) of events in several groups, and the group of each whose copy counts."""

    keys: Any
    numbers: Any

    def elsewhere(self, number: int) -> pa.Array[Any]:
        """The events that are read in another group than this one."""
        return pa.array(self.keys[self.numbers != number], pa.uint64())

    def earlier(self, number: int) -> pa.Array[Any]:
        """The events that were read in a group before this one."""
        return pa.array(self.keys[self.numbers < number], pa.uint64())


def prediction_owners(
    spark: SparkSession,
    tasks: Tasks,
    attributes: OutputAttributes,
    window: Window | None,
    memory: str,
    wanted: pa.Array[Any],
) -> Owners:
    """Which group's copy of each of these events counts, as :class:`driftline.engine.local.LocalEngine` chooses."""
    score = "array<double>" if attributes.classes else "double"

    def copies(group: Group) -> Iterator[pa.RecordBatch]:
        with PartEngine(spill=group.spill, memory_limit=memory, threads=1) as engine:
            engine.load_captures(group.files, attributes, window)
            found = engine.copies(wanted)
        yield from _signed(found, group.number).to_batches()

    schema = f"key long, fault string, odd boolean, body string, score {score}, prediction string, number long"
    return _owners(_each(spark, tasks, copies, schema), "struct(fault, odd, body, score, prediction, number)")


def column_owners(spark: SparkSession, tasks: Tasks, window: Window | None) -> Owners | None:
    """Which group is the first that has a usable copy of an event: groups after it forget theirs. None without any
    event in several groups."""
    wanted = _repeated(spark, tasks, window)
    if wanted is None:
        return None

    def sound(group: Group) -> Iterator[pa.RecordBatch]:
        keys = sound_columns(group.files, window, wanted, spill=group.spill)
        yield from _signed(pa.table({"key": keys}), group.number).to_batches()

    return _owners(_each(spark, tasks, sound, _KEYS), "number")


def _repeated(spark: SparkSession, tasks: Tasks, window: Window | None) -> pa.Array[Any] | None:
    if len(tasks) < 2:
        return None

    def keys(group: Group) -> Iterator[pa.RecordBatch]:
        found = event_keys(group.files, window, spill=group.spill)
        yield from _signed(pa.table({"key": found}), group.number).to_batches()

    counted = _each(spark, tasks, keys, _KEYS).groupBy("key").count()
    found = counted.where("count > 1").select("key").toArrow().column("key")
    return _unsigned(found) if len(found) else None


def _each(spark: SparkSession, tasks: Tasks, work: Any, schema: str) -> DataFrame:
    """What ``work`` yields for every group. A file that cannot be read is told of when it is read for good."""

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for group in tasks.opened(batches):
            with suppress(DriftlineError):
                yield from work(group)

    return tasks.frame(spark).mapInArrow(task, schema)


def _owners(frame: DataFrame, order: str) -> Owners:
    from pyspark.sql import functions

    owner = functions.min_by("number", functions.expr(order))
    found = frame.groupBy("key").agg(owner.alias("number")).toArrow()
    return Owners(_unsigned(found.column("key")).to_numpy(), found.column("number").to_numpy())


def _signed(table: pa.Table, number: int) -> pa.Table:
    """With keys as Spark has whole numbers, and the number of the group."""
    keys = table.column("key").to_numpy().view(np.int64)
    table = table.set_column(0, "key", pa.array(keys))
    return table.append_column("number", pa.array(np.full(len(table), number, dtype=np.int64)))


def _unsigned(keys: Any) -> pa.Array[Any]:
    return pa.array(keys.to_numpy().view(np.uint64))
