"""Predictions and labels on Spark: tasks read files with the engine of one machine, and the join is Spark's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.window import Window
from driftline.engine.attributes import OutputAttributes
from driftline.engine.part import PartEngine
from driftline.engine.payload import Decoding, Reading, columns_beside
from driftline.engine.reading import Found
from driftline.engine.spark.groups import Files, Group, Tasks
from driftline.engine.spark.repeats import Owners
from driftline.engine.spark.told import Told, decode, encode, total

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LABELS = {"id": pa.string(), "label": pa.string(), "plain": pa.bool_(), "file": pa.int64(), "number": pa.int64()}
_TOLD = {"told": pa.binary()}
_NAMES = {pa.string(): "string", pa.int64(): "long", pa.bool_(): "boolean", pa.binary(): "binary"}
_NAMES |= {pa.float64(): "double", pa.list_(pa.float64()): "array<double>"}


class Wanted(msgspec.Struct, frozen=True):
    """What is read of captures: where the prediction stands in the output, which window, and captured ``columns``
    beside it, called by their ``roles``, of bodies read as ``reading`` says. A task may hold ``memory`` for each of its
    two databases (such as ``512MB``)."""

    attributes: OutputAttributes
    window: Window | None
    columns: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    reading: Reading = Reading()
    memory: str = "512MB"


class Labels:
    """The newest label of every id: id, label, plain, and the place of its file, held by Spark until :meth:`close`.

    Nothing is read before :meth:`reading`, after which ``found`` says what there was.
    """

    def __init__(self, spark: SparkSession, tasks: Tasks, memory: str) -> None:
        from pyspark.sql import functions

        firsts = _firsts(tasks.groups)

        def read(group: Group) -> Iterator[pa.RecordBatch | Told]:
            with PartEngine(spill=group.spill, memory_limit=memory, threads=1) as engine:
                found = engine.load_labels(group.files)
                for batch in engine.labels(group.files):
                    yield _located(batch, firsts[group.number], group.number)
            yield Told(group.number, group.named(found))

        self.found: Found | None = None
        self._read = tasks.rows(spark, read, _schema(_LABELS | _TOLD), _rows(_LABELS)).persist()
        every = self._read.where("id IS NOT NULL")
        self._single = len(tasks) == 1
        if self._single:
            self.frame = every.select("id", "label", "plain", "file")
        else:
            newest = functions.max_by(functions.struct("label", "plain", "file"), "number").alias("newest")
            newest_of = every.groupBy("id").agg(newest)
            self.frame = newest_of.select("id", "newest.label", "newest.plain", "newest.file").persist()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read the labels beside what the block does, where they are not read yet: one job alone would leave cores
        idle. At its end they are read."""
        if self.found is not None:
            yield
            return
        with ThreadPoolExecutor(1, "labels") as pool:
            found = pool.submit(self._look)
            yield
            self.found = found.result()
        if not self._single:
            self._read.unpersist()

    def close(self) -> None:
        """Have Spark forget them."""
        self._read.unpersist()
        self.frame.unpersist()

    def _look(self) -> Found:
        told = self._read.where("told IS NOT NULL").select("told").toArrow().column(0).to_pylist()
        found = total([decode(row) for row in told])
        if self._single:
            return found
        kept = self.frame.count()
        return Found(found.records, kept, found.usable + found.duplicates - kept, found.rejects)


def joined(
    spark: SparkSession, tasks: Tasks, wanted: Wanted, labels: Labels | None, owners: Owners | None = None
) -> DataFrame:
    """Every usable prediction with the newest label of its id, as :mod:`driftline.engine.spark.laid` reads them: id,
    row, of, score, prediction, key, number of its group, the columns wanted beside, told, label, plain, file.

    All rows of an id are in one partition, where it is seen whether its events stand in several groups; ``owners`` are
    those of which that is known, and which group's copy counts.
    """
    from pyspark.sql import functions

    columns = _columns(wanted)

    def read(group: Group) -> Iterator[pa.RecordBatch | Told]:
        return _predictions(group, wanted, owners)

    frame = tasks.rows(spark, read, _schema(columns | _TOLD), _rows(columns))
    if len(tasks) > 1:
        frame = frame.repartition("id")
    if labels is not None:
        return frame.join(labels.frame, "id", "left")
    absent = {"label": "string", "plain": "boolean", "file": "long"}
    return frame.select("*", *(functions.lit(None).cast(kind).alias(name) for name, kind in absent.items()))


def _predictions(group: Group, wanted: Wanted, owners: Owners | None) -> Iterator[pa.RecordBatch | Told]:
    elsewhere = None if owners is None else owners.elsewhere(group.number)
    with PartEngine(spill=group.spill, memory_limit=wanted.memory, threads=1) as engine:
        found = engine.load_captures(group.files, wanted.attributes, wanted.window, without=elsewhere)
        if wanted.columns and found.usable:
            engine.load_columns(_beside(group, wanted), wanted.roles)
        for batch in engine.rows():
            yield _keyed(batch, group.number)
    yield Told(group.number, group.named(found))


def _beside(group: Group, wanted: Wanted) -> Iterator[pa.RecordBatch]:
    """The columns of all records of the group: of an event that is read elsewhere they find no prediction."""
    options: dict[str, Any] = {"spill": group.spill, "memory_limit": wanted.memory, "threads": 1}
    with Decoding(group.files, wanted.window, wanted.reading, **options) as decoding:
        yield from columns_beside(decoding.batches(), wanted.columns, wanted.roles)


def _columns(wanted: Wanted) -> dict[str, Any]:
    score = pa.list_(pa.float64()) if wanted.attributes.classes else pa.float64()
    columns = {"id": pa.string(), "row": pa.int64(), "of": pa.int64(), "score": score, "prediction": pa.string()}
    columns |= {"key": pa.int64(), "number": pa.int64()}
    return columns | dict.fromkeys(wanted.roles, pa.string())


def _keyed(batch: pa.RecordBatch, number: int) -> pa.RecordBatch:
    """With the key as a whole number as Spark has them, and the number of the group."""
    place = batch.schema.get_field_index("key")
    keys = pa.array(batch.column(place).to_numpy().view(np.int64))
    return batch.set_column(place, "key", keys).append_column(
        "number", pa.array(np.full(batch.num_rows, number, dtype=np.int64))
    )


def _firsts(groups: Sequence[Files]) -> list[int]:
    """The place of each group's first file among all."""
    firsts = [0]
    for group in groups:
        firsts.append(firsts[-1] + len(group))
    return firsts


def _located(batch: pa.RecordBatch, first: int, number: int) -> pa.RecordBatch:
    places = pc.add(batch.column("file"), first)
    columns = [batch.column("id"), batch.column("label"), batch.column("plain"), places]
    return pa.RecordBatch.from_arrays([*columns, pa.array([number] * len(batch), pa.int64())], names=list(_LABELS))


def _schema(columns: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_NAMES[kind]}" for name, kind in columns.items())


def _rows(columns: dict[str, Any]) -> Any:
    """Rows of some columns, or what was told, as rows of these columns and ``told``."""
    schema = pa.schema(columns | _TOLD)

    def row(one: pa.RecordBatch | Told) -> pa.RecordBatch:
        if isinstance(one, Told):
            arrays = [pa.nulls(1, kind) for kind in columns.values()] + [pa.array([encode(one)], pa.binary())]
        else:
            arrays = [one.column(name).cast(kind) for name, kind in columns.items()] + [pa.nulls(len(one), pa.binary())]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    return row
