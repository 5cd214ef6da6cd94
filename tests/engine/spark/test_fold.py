"""A data frame folded on Spark: every row once, whatever the partitions; errors as they were raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.core.errors import InputError, ServiceError, SetupError
from driftline.engine.spark.failures import failure
from driftline.engine.spark.fold import fold

ROWS = 1000


def folded(frame: Any, measure: Callable[[Iterator[pa.RecordBatch]], list[int]], partitions: int | None = None) -> Any:
    """The concatenation of what ``measure`` says of partitions: it tells their order too."""

    # What travels to executors is defined in here: the modules of tests are not known there.
    def merge(states: Sequence[list[int]]) -> list[int]:
        return [number for state in states for number in state]

    def save(state: list[int]) -> bytes:
        return ",".join(map(str, state)).encode()

    def load(data: bytes) -> list[int]:
        return [int(text) for text in data.decode().split(",") if text]

    return fold(frame, measure, merge, save, load, partitions=partitions)


def rows_of() -> Callable[[Iterator[pa.RecordBatch]], list[int]]:
    def measure(batches: Iterator[pa.RecordBatch]) -> list[int]:
        return [number for batch in batches for number in batch.column("id").to_pylist()]

    return measure


@pytest.mark.parametrize(
    ("partitions", "known"),
    [(7, True), *(pytest.param(*one, marks=pytest.mark.long) for one in ((1, False), (66, False), (65, True)))],
)
def test_every_row_is_measured_once_and_states_meet_in_their_order(spark: Any, partitions: int, known: bool) -> None:
    frame = spark.range(0, ROWS, numPartitions=partitions)
    assert folded(frame, rows_of(), partitions if known else None) == list(range(ROWS))


@pytest.mark.long
def test_partitions_without_rows_and_frames_without_any_count_for_nothing(spark: Any) -> None:
    assert folded(spark.range(0, 3, numPartitions=9), rows_of()) == [0, 1, 2]
    assert folded(spark.createDataFrame([], "id long"), rows_of()) == []


@pytest.mark.parametrize("partitions", [pytest.param(None, marks=pytest.mark.long), 3])
def test_an_error_of_a_task_comes_back_as_it_was(spark: Any, partitions: int | None) -> None:
    class OddError(InputError):
        """One of a higher floor."""

    def measure(batches: Iterator[pa.RecordBatch]) -> list[int]:
        if any(0 in batch.column("id").to_pylist() for batch in batches):
            raise OddError("no column x", evidence="the columns are: id", hint="name it")
        return []

    with pytest.raises(InputError) as caught:
        folded(spark.range(0, 9, numPartitions=3), measure, partitions)
    assert (caught.value.what, caught.value.evidence, caught.value.hint) == (
        "no column x",
        "the columns are: id",
        "name it",
    )


@pytest.mark.long
def test_what_else_goes_wrong_is_told_in_a_line(spark: Any) -> None:
    def breaks(batches: Iterator[pa.RecordBatch]) -> list[int]:
        raise ZeroDivisionError("one by none")

    def lacks(batches: Iterator[pa.RecordBatch]) -> list[int]:
        import nowhere_to_be_found  # type: ignore[import-not-found]

        return list(nowhere_to_be_found.numbers)

    def dies(batches: Iterator[pa.RecordBatch]) -> list[int]:
        import os

        os._exit(3)

    with pytest.raises(ServiceError) as caught:
        folded(spark.range(3), breaks)
    assert caught.value.evidence == "ZeroDivisionError: one by none"
    with pytest.raises(SetupError, match="missing on the executors") as missing:
        folded(spark.range(3), lacks)
    assert "nowhere_to_be_found" in missing.value.evidence
    with pytest.raises(ServiceError, match="lost") as lost:
        folded(spark.range(3), dies)
    assert lost.value.evidence.startswith("Python worker exited unexpectedly")
    with pytest.raises(ServiceError) as nothing:
        folded(spark.range(3).select("id"), rows_of_column("other"))
    assert "other" in nothing.value.evidence


def rows_of_column(name: str) -> Callable[[Iterator[pa.RecordBatch]], list[int]]:
    def measure(batches: Iterator[pa.RecordBatch]) -> list[int]:
        return [int(np.sum(batch.column(name).to_numpy())) for batch in batches]

    return measure


def test_a_message_of_spark_itself_is_shortened() -> None:
    assert failure("[PATH_NOT_FOUND] no such path.\n\tat org.x\n").evidence == "[PATH_NOT_FOUND] no such path."
    text = "An error occurred while calling o1.collect.\n: java.io.IOException: disk full\n\tat java.base/x"
    assert failure(text).evidence == "java.io.IOException: disk full"
