"""A data frame folded into one state: every partition is measured where it is, and the states meet in a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from driftline.core.errors import DriftlineError
from driftline.core.state import folded
from driftline.engine.spark.failures import as_text, of_text, told
from driftline.engine.spark.session import quietly

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T = TypeVar("T")
Tasks = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
FAN_IN = 64
"""How many states are put together at a time. Where partitions are known to be more, so many also come to the
driver, else a 64th of all."""
_KINDS = {"part": pa.int32(), "state": pa.binary(), "trouble": pa.string()}
_SCHEMA = "part int, state binary, trouble string"


def fold(
    frame: DataFrame,
    measure: Callable[[Iterator[pa.RecordBatch]], T],
    merge: Callable[[Sequence[T]], T],
    save: Callable[[T], bytes],
    load: Callable[[bytes], T],
    *,
    partitions: int | None = None,
) -> T:
    """The state of all rows of a data frame of classic Spark or Spark Connect.

    ``measure`` gets the batches of one partition on an executor (none of an empty one) and runs once for each;
    ``merge`` puts states of neighbours together in the order of their partitions, on executors and at last in the
    driver. ``partitions`` is how many the frame has, where that is known: few need no merging on executors. The four
    functions travel to executors, which need driftline too.

    An error of driftline's raised by ``measure`` is raised here as it was, that of the first such partition. Raises
    :class:`SetupError` or :class:`ServiceError` for what else went wrong on Spark, without its trace.
    """
    with quietly(), told():
        states = frame.mapInArrow(_measuring(measure, save), _SCHEMA)
        if partitions is None or partitions > FAN_IN:
            neighbours = max(FAN_IN, -(-(partitions or 0) // FAN_IN))
            states = states.repartition(_bucket(neighbours)).sortWithinPartitions("part")
            states = states.mapInArrow(_merging(merge, save, load, neighbours), _SCHEMA)
        found = sorted(states.toArrow().to_pylist(), key=lambda row: int(row["part"]))
    return merge([load(state) for state in _sound(found)])


def task_number() -> int:
    """The number of the partition that is worked on, where this is called in a task; else 0."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return 0 if context is None else int(context.partitionId())


def _bucket(neighbours: int) -> Any:
    from pyspark.sql import functions

    return functions.floor(functions.col("part") / neighbours)


def _measuring(measure: Callable[[Iterator[pa.RecordBatch]], T], save: Callable[[T], bytes]) -> Tasks:
    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        part = task_number()
        try:
            yield _row(part, save(measure(iter(batches))), None)
        except DriftlineError as error:
            # As a result, not as a failure: Spark would try the task again, which cannot help.
            yield _row(part, None, as_text(error))

    return task


def _merging(
    merge: Callable[[Sequence[T]], T], save: Callable[[T], bytes], load: Callable[[bytes], T], neighbours: int
) -> Tasks:
    """One state for each group of neighbours; which of them Spark lets one task do may depend on its mood."""

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = (row for batch in batches for row in batch.to_pylist())
        for bucket, group in groupby(rows, lambda row: int(row["part"]) // neighbours):
            try:
                yield _row(bucket, save(folded(merge, map(load, _sound(group)))), None)
            except DriftlineError as error:
                yield _row(bucket, None, as_text(error))

    return task


def _row(part: int, state: bytes | None, trouble: str | None) -> pa.RecordBatch:
    values = ([part], [state], [trouble])
    arrays = [pa.array(value, kind) for value, kind in zip(values, _KINDS.values(), strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=list(_KINDS))


def _sound(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """The states of rows; raises the first trouble among them."""
    for row in rows:
        if row["trouble"] is not None:
            raise of_text(row["trouble"])
        yield row["state"]
