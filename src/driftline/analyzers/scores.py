"""How the scores of positives and negatives are distributed: the state behind ROC, precision-recall and their areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.state import State
from driftline.stats.ranking import ScoreTable

SAMPLES = 5
_POSITIVE = 1 << SAMPLES


@dataclass(frozen=True, eq=False)
class ScoreState(State):
    """Distinct (score, code) pairs in ascending order with the number of rows of each.

    ``code`` is the row's sample mask, plus 32 for a positive.
    """

    scores: npt.NDArray[np.float64]
    codes: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class ScoreTables:
    """The score table of all rows, and of each of the five samples."""

    every: ScoreTable
    samples: tuple[ScoreTable, ...]


class Scores:
    """Counts rows by score and class, exactly.

    A batch needs ``score`` (double, no nulls and no NaN; ±inf rank last and first), ``positive`` (bool) and ``mask``
    (uint8).
    """

    name = "scores"

    def identity(self) -> ScoreState:
        """The state of no rows."""
        return ScoreState(np.zeros(0), np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.int64))

    def update(self, batch: pa.RecordBatch) -> ScoreState:
        """The distribution of one batch."""
        # Adding zero turns -0.0 into 0.0: they are equal, so they must be one score.
        scores = batch.column("score").to_numpy(zero_copy_only=False) + 0.0
        positive = batch.column("positive").to_numpy(zero_copy_only=False)
        codes = batch.column("mask").to_numpy(zero_copy_only=False) + np.where(positive, _POSITIVE, 0).astype(np.uint8)
        return _state(scores, codes.astype(np.uint8), np.ones(len(scores), dtype=np.int64))

    def merge(self, states: Sequence[ScoreState]) -> ScoreState:
        """The distribution of all the rows the states saw."""
        states = [state for state in states if len(state.counts)]
        if not states:
            return self.identity()
        if len(states) == 1:
            return states[0]
        return _state(
            np.concatenate([state.scores for state in states]),
            np.concatenate([state.codes for state in states]),
            np.concatenate([state.counts for state in states]),
        )

    def result(self, state: ScoreState) -> ScoreTables:
        """The score tables, positives and negatives apart."""
        first = np.ones(len(state.scores), dtype=bool)
        first[1:] = state.scores[1:] != state.scores[:-1]
        starts = np.flatnonzero(first)
        positive = state.codes >= _POSITIVE
        scores = state.scores[starts]

        def table(chosen: npt.NDArray[np.bool_]) -> ScoreTable:
            return ScoreTable(
                scores,
                _sums(np.where(chosen & positive, state.counts, 0), starts),
                _sums(np.where(chosen & ~positive, state.counts, 0), starts),
            )

        everyone = np.ones(len(state.codes), dtype=bool)
        return ScoreTables(table(everyone), tuple(table((state.codes >> np.uint8(s)) & 1 == 1) for s in range(SAMPLES)))


def _sums(counts: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.add.reduceat(counts, starts) if len(starts) else np.zeros(0, dtype=np.int64)


def _state(scores: npt.NDArray[np.float64], codes: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64]) -> ScoreState:
    order = np.lexsort((codes, scores))
    scores, codes, counts = scores[order], codes[order], counts[order]
    first = np.ones(len(scores), dtype=bool)
    # inf - inf is NaN, so neighbours are compared, not subtracted.
    first[1:] = (scores[1:] != scores[:-1]) | (codes[1:] != codes[:-1])
    starts = np.flatnonzero(first)
    return ScoreState(scores[starts], codes[starts], _sums(counts, starts))
