"""How often each true class was predicted as each class: the counts behind every classification metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.state import State

Ints = npt.NDArray[np.int64]
SAMPLES = 5
MASKS = 1 << SAMPLES
_DENSE = 1 << 20


@dataclass(frozen=True, eq=False)
class ConfusionState(State):
    """Non-empty cells, in ascending order of (actual, predicted, sample mask); classes by their place in ``labels``.

    ``labels`` are the distinct class names in ascending order. A row's mask is the bit set of the five 80 % samples
    it belongs to, so that the same counts give the metric's deviation without a second pass.
    """

    labels: tuple[str, ...]
    actual: Ints
    predicted: Ints
    mask: Ints
    count: Ints

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))


@dataclass(frozen=True)
class ConfusionMatrix:
    """Counts of rows, ``counts[i, j]`` of class i predicted as class j, over all rows and in each sample."""

    labels: tuple[str, ...]
    counts: Ints
    samples: tuple[Ints, ...]


class Confusion:
    """Counts (actual, predicted) pairs.

    A batch needs the columns ``actual`` and ``predicted`` (dictionary of strings, no nulls) and ``mask`` (uint8).
    """

    name = "confusion"

    def identity(self) -> ConfusionState:
        """The state of no rows."""
        none = np.zeros(0, dtype=np.int64)
        return ConfusionState((), none, none, none, none)

    def update(self, batch: pa.RecordBatch) -> ConfusionState:
        """The counts of one batch."""
        actual, actual_names = _codes(batch.column("actual"))
        predicted, predicted_names = _codes(batch.column("predicted"))
        labels = sorted({*actual_names, *predicted_names})
        mask = batch.column("mask").to_numpy(zero_copy_only=False).astype(np.int64)
        ones = np.ones(len(mask), dtype=np.int64)
        return _state(
            labels, _placed(actual_names, labels)[actual], _placed(predicted_names, labels)[predicted], mask, ones
        )

    def merge(self, states: Sequence[ConfusionState]) -> ConfusionState:
        """The counts of all the rows the states saw."""
        states = [state for state in states if len(state.count)]
        if not states:
            return self.identity()
        labels = sorted({label for state in states for label in state.labels})
        places = [_placed(state.labels, labels) for state in states]
        return _state(
            labels,
            np.concatenate([place[state.actual] for place, state in zip(places, states, strict=True)]),
            np.concatenate([place[state.predicted] for place, state in zip(places, states, strict=True)]),
            np.concatenate([state.mask for state in states]),
            np.concatenate([state.count for state in states]),
        )

    def result(self, state: ConfusionState) -> ConfusionMatrix:
        """The matrix over all rows, and in each of the five samples."""
        return ConfusionMatrix(
            state.labels,
            _matrix(state, np.ones(len(state.count), dtype=bool)),
            tuple(_matrix(state, (state.mask >> sample) & 1 == 1) for sample in range(SAMPLES)),
        )


def _codes(column: pa.DictionaryArray) -> tuple[Ints, list[str]]:
    return column.indices.to_numpy(zero_copy_only=False).astype(np.int64), column.dictionary.to_pylist()


def _placed(names: Sequence[str], labels: list[str]) -> Ints:
    """For each name its place among the labels."""
    where = {label: place for place, label in enumerate(labels)}
    return np.array([where[name] for name in names], dtype=np.int64)


def _state(labels: list[str], actual: Ints, predicted: Ints, mask: Ints, count: Ints) -> ConfusionState:
    """The canonical state: cells summed, empty ones and labels that no row has left out."""
    size = len(labels)
    key = (actual * size + predicted) * MASKS + mask
    if size * size * MASKS <= _DENSE:
        # Weights of bincount are floats, exact up to 2**53 rows.
        totals = np.bincount(key, weights=count, minlength=0).astype(np.int64)
        cells = np.flatnonzero(totals)
        sums = totals[cells]
    else:
        cells, inverse = np.unique(key, return_inverse=True)
        sums = np.zeros(len(cells), dtype=np.int64)
        np.add.at(sums, inverse, count)
    pairs, masks = np.divmod(cells, MASKS)
    rows, columns = np.divmod(pairs, size) if size else (pairs, pairs)
    used = np.union1d(rows, columns)
    place = np.zeros(size, dtype=np.int64)
    place[used] = np.arange(len(used))
    return ConfusionState(tuple(labels[i] for i in used), place[rows], place[columns], masks, sums)


def _matrix(state: ConfusionState, chosen: npt.NDArray[Any]) -> Ints:
    matrix = np.zeros((len(state.labels), len(state.labels)), dtype=np.int64)
    np.add.at(matrix, (state.actual[chosen], state.predicted[chosen]), state.count[chosen])
    return matrix
