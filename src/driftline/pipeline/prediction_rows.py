"""Predictions of a table measured as a whole, or in parts whose states are put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.core.state import folded, pack, unpack
from driftline.engine.batches import batch_rows, gathered
from driftline.engine.rejects import Reject, summed
from driftline.engine.spark.frames import Frame
from driftline.engine.tables import Columns, PredictionTable, missing_column
from driftline.monitors.quality.kept import load_state, save_state
from driftline.monitors.quality.recipes import Recipe
from driftline.monitors.segments import Segmentation, Segments
from driftline.pipeline.segmented import Divided
from driftline.pipeline.steps import Recorder

TABLE = "the table"


class Predictions(msgspec.Struct, frozen=True):
    """The state of the usable rows, of each segment of each segmentation, and the rows that could not be used."""

    state: Any
    segments: tuple[dict[str, Any], ...]
    rejects: tuple[Reject, ...]


class PredictionRows:
    """Measures tables of predictions. ``segmentations`` divide the rows by the columns that have segments' roles."""

    def __init__(self, columns: Columns, monitor: Recipe, segmentations: Sequence[Segmentation]) -> None:
        self._columns, self._monitor, self._segmentations = columns, monitor, tuple(segmentations)
        self._kind = type(monitor.merge([])).__name__

    def table(self, data: Any, recorder: Recorder) -> tuple[Predictions, str]:
        """What is found in a whole table here, and what the table is called."""
        table = PredictionTable(data, self._columns)
        try:
            return self._found(table, recorder.told("measure", table.batches(), table.rows())), table.file
        finally:
            table.close()

    def frame(self, frame: Frame, recorder: Recorder) -> tuple[Predictions, str]:
        """What is found in a data frame, on the executors of Spark, and what it is called."""
        named = self._columns.named()
        for role, name in named.items():
            if name not in frame.columns:
                raise missing_column(TABLE, role, name, frame.columns)
        chosen = frame.select(dict.fromkeys(named.values()))
        found = recorder.step("measure on Spark", 0, lambda: self._folded(chosen), lambda found: found.state.tally.rows)
        return found, TABLE

    def measure(self, batches: Iterator[pa.RecordBatch], first: int) -> Predictions:
        """What is found in the part of a table that has ``first`` rows before it."""
        return folded(self.merge, self._parts(batches, first))

    def merge(self, found: Sequence[Predictions]) -> Predictions:
        """What was found in all the parts, in their order."""
        rejects = summed(reject for one in found for reject in one.rejects)
        return Predictions(
            self._monitor.merge([one.state for one in found]),
            tuple(
                Segments(self._monitor, segmentation).merge([one.segments[place] for one in found])
                for place, segmentation in enumerate(self._segmentations)
            ),
            tuple(sorted(rejects, key=lambda reject: reject.reason)),
        )

    def save(self, found: Predictions) -> bytes:
        """What was found as bytes."""
        segments = [{name: save_state(state) for name, state in one.items()} for one in found.segments]
        values = {"state": save_state(found.state), "segments": segments}
        return pack("Predictions", values | {"rejects": msgspec.to_builtins(found.rejects)})

    def load(self, data: bytes) -> Predictions:
        """What :meth:`save` wrote."""
        values = unpack("Predictions", data)
        segments = [{name: load_state(one, self._kind) for name, one in part.items()} for part in values["segments"]]
        rejects = msgspec.convert(values["rejects"], tuple[Reject, ...])
        return Predictions(load_state(values["state"], self._kind), tuple(segments), rejects)

    def _folded(self, frame: Frame) -> Predictions:
        return frame.fold(self.measure, self.merge, self.save, self.load, numbered=self._columns.id is None)

    def _parts(self, batches: Iterator[pa.RecordBatch], first: int) -> Iterator[Predictions]:
        for batch in gathered(batches, batch_rows(len(self._columns.classes))):
            table = PredictionTable(batch, self._columns, first)
            try:
                yield self._found(table, table.batches())
            finally:
                table.close()
            first += batch.num_rows

    def _found(self, table: PredictionTable, batches: Iterator[pa.RecordBatch]) -> Predictions:
        divided = Divided(self._monitor, self._segmentations)
        state = self._monitor.measure(divided.passing(batches))
        return Predictions(state, tuple(divided.states), table.rejects())
