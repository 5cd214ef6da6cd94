"""How good vectors of class probabilities are: log loss, places of the true class, and one score state a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.analyzers.scores import LEAST_ENTRIES, MOST_ENTRIES, ScoreDistribution, Scores, ScoreState
from driftline.core.sampling import GROUPS
from driftline.core.state import State
from driftline.stats.vectors import losses, ranks

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VectorState(State):
    """By group (a hash of the row's id, 0 to 63) sums over its rows, and the distribution of every class's scores.

    ``weight`` [64] of the rows, ``loss`` [64] their weighted log losses, ``places`` [64 · classes] the weight of the
    rows whose true class is the k-th most probable; ``scores`` a saved :class:`ScoreState` for each class.
    """

    weight: Floats
    loss: Floats
    places: Floats
    scores: tuple[bytes, ...]
    rows: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "scores", tuple(self.scores))


@dataclass(frozen=True)
class VectorSums:
    """The sums by group, ``places`` as [64, classes], and the one-vs-rest score distribution of every class."""

    weight: Floats
    loss: Floats
    places: Floats
    scores: tuple[ScoreDistribution, ...]
    rows: int


class Vectors:
    """Measures vectors of ``classes`` probabilities against the true class.

    A batch needs ``vector`` (fixed-size list of doubles, each row a distribution), ``actual`` (int32, the place of
    the true class), ``group`` (uint8) and ``weight`` (double). All classes together keep at most ``most_entries``
    distinct scores, as :class:`Scores` does for one.
    """

    name = "vectors"

    def __init__(self, classes: int, *, most_entries: int = MOST_ENTRIES) -> None:
        self.classes = classes
        self._scores = Scores(most_entries=max(LEAST_ENTRIES, most_entries // classes))

    def identity(self) -> VectorState:
        """The state of no rows."""
        none = np.zeros(GROUPS)
        return VectorState(
            none, none, np.zeros(GROUPS * self.classes), (self._scores.identity().save(),) * self.classes
        )

    def update(self, batch: pa.RecordBatch) -> VectorState:
        """The sums of one batch."""
        vectors = as_matrix(batch.column("vector"), self.classes)
        actual, group, weight = (
            batch.column(name).to_numpy(zero_copy_only=False) for name in ("actual", "group", "weight")
        )
        group = group.astype(np.int64)
        place = group * self.classes + ranks(vectors, actual)
        return VectorState(
            _sums(group, weight, GROUPS),
            _sums(group, weight * losses(vectors, actual), GROUPS),
            _sums(place, weight, GROUPS * self.classes),
            tuple(self._one_vs_rest(batch, vectors[:, one], actual == one) for one in range(self.classes)),
            batch.num_rows,
        )

    def merge(self, states: Sequence[VectorState]) -> VectorState:
        """The sums of all the rows the states saw."""
        states = [state for state in states if state.rows]
        if not states:
            return self.identity()
        return VectorState(
            np.sum([state.weight for state in states], axis=0),
            np.sum([state.loss for state in states], axis=0),
            np.sum([state.places for state in states], axis=0),
            tuple(
                self._scores.merge([ScoreState.load(state.scores[one]) for state in states]).save()
                for one in range(self.classes)
            ),
            sum(state.rows for state in states),
        )

    def result(self, state: VectorState) -> VectorSums:
        """The sums and the distributions."""
        scores = tuple(self._scores.result(ScoreState.load(one)) for one in state.scores)
        return VectorSums(state.weight, state.loss, state.places.reshape(GROUPS, self.classes), scores, state.rows)

    def _one_vs_rest(self, batch: pa.RecordBatch, scores: Floats, positive: npt.NDArray[np.bool_]) -> bytes:
        columns = {"score": pa.array(scores), "positive": pa.array(positive)}
        columns |= {name: batch.column(name) for name in ("group", "weight")}
        return self._scores.update(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))).save()


def as_matrix(column: pa.Array, classes: int) -> Floats:
    """A column of lists of ``classes`` numbers as [rows, classes]; it must have no nulls."""
    flat = column.flatten().cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float64).reshape(len(column), classes)


def _sums(places: npt.NDArray[np.int64], values: Floats, size: int) -> Floats:
    return np.bincount(places, weights=values, minlength=size).astype(np.float64)
