"""A random sample of rows of numbers, of bounded size: those with the smallest places in a random order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.analyzers.vectors import as_matrix
from driftline.core.state import State

Floats = npt.NDArray[np.float64]


def _no_places() -> npt.NDArray[np.uint64]:
    return np.zeros(0, dtype=np.uint64)


def _no_groups() -> npt.NDArray[np.uint8]:
    return np.zeros(0, dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class RowSampleState(State):
    """The sampled rows in the order of their ``place``: the ``group`` of each, and its numbers in ``rows``, flat.

    ``seen`` rows were sampled from.
    """

    place: npt.NDArray[np.uint64] = field(default_factory=_no_places)
    group: npt.NDArray[np.uint8] = field(default_factory=_no_groups)
    rows: Floats = field(default_factory=lambda: np.zeros(0))
    seen: int = 0


@dataclass(frozen=True)
class SampledRows:
    """The sampled rows [n, features] in random order, so that the first of them are a sample too, and their groups."""

    rows: Floats
    group: npt.NDArray[np.uint8]
    seen: int


class RowSample:
    """Samples at most ``most`` rows of ``features`` numbers, each as likely as any other.

    A batch needs ``place`` (uint64) and ``group`` (uint8), both of the row's id
    (:func:`driftline.core.sampling.places_of`, :func:`~driftline.core.sampling.groups_of`), and ``features``
    (fixed-size list of doubles).
    """

    name = "row sample"

    def __init__(self, features: int, most: int) -> None:
        self.features = features
        self.most = most

    def identity(self) -> RowSampleState:
        """The state of no rows."""
        return RowSampleState()

    def update(self, batch: pa.RecordBatch) -> RowSampleState:
        """The sample of one batch."""
        place, group = (batch.column(name).to_numpy(zero_copy_only=False) for name in ("place", "group"))
        return self._smallest(place, group, as_matrix(batch.column("features"), self.features), batch.num_rows)

    def merge(self, states: Sequence[RowSampleState]) -> RowSampleState:
        """The sample of all the rows the states saw."""
        states = [state for state in states if state.seen]
        if len(states) <= 1:
            return states[0] if states else self.identity()
        place, group, rows = (
            np.concatenate([getattr(state, name) for state in states]) for name in ("place", "group", "rows")
        )
        return self._smallest(place, group, rows.reshape(len(place), -1), sum(state.seen for state in states))

    def result(self, state: RowSampleState) -> SampledRows:
        """The sampled rows."""
        return SampledRows(state.rows.reshape(len(state.place), self.features), state.group, state.seen)

    def _smallest(
        self, place: npt.NDArray[np.uint64], group: npt.NDArray[np.uint8], rows: Floats, seen: int
    ) -> RowSampleState:
        if len(place) > self.most:
            some = np.argpartition(place, self.most - 1)[: self.most] if self.most else np.zeros(0, dtype=np.int64)
            place, group, rows = place[some], group[some], rows[some]
        # Rows of the same place, which are rows of the same id and number, in the order of what is in them.
        order = np.lexsort((rows[:, 0], place)) if rows.shape[1] else np.argsort(place, kind="stable")
        return RowSampleState(place[order], group[order], rows[order].ravel(), seen)
