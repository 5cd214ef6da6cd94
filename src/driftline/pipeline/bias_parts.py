"""The bias of a table counted as a whole, or in parts whose states are put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from driftline.core.sampling import U64, hash_ids, mix
from driftline.core.state import folded
from driftline.engine.ahead import ahead
from driftline.engine.row_ids import row_ids
from driftline.monitors.bias.recipe import Bias
from driftline.monitors.bias.state import BiasState


class BiasParts:
    """Measures tables with a monitor, ``workers`` batches at a time. The sample of the flip test is drawn by the column
    ``row_id``, or where there is none by the rows' numbers."""

    def __init__(self, monitor: Bias, row_id: str | None = None, *, workers: int = 1) -> None:
        self._monitor, self._row_id, self._workers = monitor, row_id, workers

    @property
    def numbered(self) -> bool:
        """Whether the rows' numbers matter."""
        return self._monitor.flips and self._row_id is None

    def measure(self, batches: Iterator[pa.RecordBatch], first: int = 0) -> BiasState:
        """The state of a part that has ``first`` rows before it."""
        work = ahead(lambda part: self._monitor.update(*part), self._hashed(batches, first), workers=self._workers)
        return folded(self._monitor.merge, work)

    def merge(self, states: Sequence[BiasState]) -> BiasState:
        """The state of all the parts."""
        return self._monitor.merge(states)

    def save(self, state: BiasState) -> bytes:
        """A state as bytes."""
        return state.save()

    def load(self, data: bytes) -> BiasState:
        """What :meth:`save` wrote."""
        return BiasState.load(data)

    def _hashed(self, batches: Iterator[pa.RecordBatch], first: int) -> Iterator[tuple[pa.RecordBatch, U64]]:
        """The batches, each with a hash of what every row is known by."""
        for batch in batches:
            if self._row_id is None:
                yield batch, mix(np.arange(first, first + batch.num_rows, dtype=np.uint64))
            else:
                yield batch, hash_ids(row_ids(batch, self._row_id))
            first += batch.num_rows
