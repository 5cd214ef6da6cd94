"""How often each true class was predicted as each class: the counts behind every classification metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.errors import InputError
from driftline.core.sampling import GROUPS
from driftline.core.state import State

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_DENSE = 1 << 20
_FEW = 16
MOST_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class ConfusionState(State):
    """Non-empty cells, in ascending order of (actual, predicted, group); classes by their place in ``labels``.

    ``labels`` are the distinct class names in ascending order. ``weight`` is the sum of the rows' weights (their
    number, where none are given). A row's group is a hash of its id, 0 to 63, so that the same cells give a metric's
    deviation and standard error without a second pass. ``rows`` is the number of rows, ``weighted`` whether any of
    them has a weight other than 1.
    """

    labels: tuple[str, ...]
    actual: Ints
    predicted: Ints
    group: Ints
    weight: Floats
    rows: int = 0
    weighted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))


@dataclass(frozen=True)
class ConfusionMatrix:
    """Weights of rows: ``cells[i, j]`` of class i predicted as class j, and by group the margins.

    ``margins[group]`` has three rows, each a value a class: rightly predicted, actual, predicted.
    """

    labels: tuple[str, ...]
    cells: Floats
    margins: Floats
    rows: int
    weighted: bool


class Confusion:
    """Weighs (actual, predicted) pairs.

    A batch needs the columns ``actual`` and ``predicted`` (dictionary of strings, no nulls), ``group`` (uint8) and
    ``weight`` (double).
    """

    name = "confusion"

    def identity(self) -> ConfusionState:
        """The state of no rows."""
        none = np.zeros(0, dtype=np.int64)
        return ConfusionState((), none, none, none, np.zeros(0))

    def update(self, batch: pa.RecordBatch) -> ConfusionState:
        """The cells of one batch."""
        actual, actual_names = _codes(batch.column("actual"))
        predicted, predicted_names = _codes(batch.column("predicted"))
        labels = sorted({*actual_names, *predicted_names})
        weight = batch.column("weight").to_numpy(zero_copy_only=False)
        weighted = bool((weight != 1).any())
        group = batch.column("group").to_numpy(zero_copy_only=False)
        if not weighted and 0 < len(labels) <= _FEW:
            return _counted(
                labels,
                _placed(actual_names, labels).astype(np.int16)[actual],
                _placed(predicted_names, labels).astype(np.int16)[predicted],
                group,
            )
        return _state(
            labels,
            _placed(actual_names, labels)[actual],
            _placed(predicted_names, labels)[predicted],
            group.astype(np.int64),
            weight,
            batch.num_rows,
            weighted,
        )

    def merge(self, states: Sequence[ConfusionState]) -> ConfusionState:
        """The cells of all the rows the states saw."""
        states = [state for state in states if state.rows]
        if not states:
            return self.identity()
        labels = sorted({label for state in states for label in state.labels})
        places = [_placed(state.labels, labels) for state in states]
        return _state(
            labels,
            np.concatenate([place[state.actual] for place, state in zip(places, states, strict=True)]),
            np.concatenate([place[state.predicted] for place, state in zip(places, states, strict=True)]),
            np.concatenate([state.group for state in states]),
            np.concatenate([state.weight for state in states]),
            sum(state.rows for state in states),
            any(state.weighted for state in states),
        )

    def result(self, state: ConfusionState) -> ConfusionMatrix:
        """The matrix over all rows, and the margins of each group.

        Raises :class:`InputError` beyond 1,000 classes: then the column is hardly a class, and the matrix grows with
        their square.
        """
        size = len(state.labels)
        if size > MOST_CLASSES:
            raise InputError(
                f"labels and predictions have {size:,} distinct values; at most {MOST_CLASSES:,} classes can be judged",
                evidence=", ".join(state.labels[:5]) + ", …",
                hint="is it an id? name another column; for numbers use --problem-type Regression",
            )
        cells, margins = np.zeros((size, size)), np.zeros((GROUPS, 3, size))
        np.add.at(cells, (state.actual, state.predicted), state.weight)
        right = state.actual == state.predicted
        np.add.at(margins[:, 0], (state.group[right], state.actual[right]), state.weight[right])
        np.add.at(margins[:, 1], (state.group, state.actual), state.weight)
        np.add.at(margins[:, 2], (state.group, state.predicted), state.weight)
        return ConfusionMatrix(state.labels, cells, margins, state.rows, state.weighted)


def _codes(column: pa.DictionaryArray) -> tuple[Any, list[str]]:
    return column.indices.to_numpy(zero_copy_only=False), column.dictionary.to_pylist()


def _placed(names: Sequence[str], labels: list[str]) -> Ints:
    """For each name its place among the labels."""
    where = {label: place for place, label in enumerate(labels)}
    return np.array([where[name] for name in names], dtype=np.int64)


def _counted(labels: list[str], actual: Any, predicted: Any, group: Any) -> ConfusionState:
    """The state of rows of weight 1 and few classes: small numbers take a fraction of the memory traffic."""
    key = (actual * np.int16(len(labels)) + predicted) * np.int16(GROUPS) + group
    counts = np.bincount(key)
    cells = np.flatnonzero(counts)
    pairs, groups = np.divmod(cells, GROUPS)
    first, second = np.divmod(pairs, len(labels))
    return _state(labels, first, second, groups, counts[cells].astype(np.float64), len(key), False)


def _state(
    labels: list[str], actual: Ints, predicted: Ints, group: Ints, weight: Floats, rows: int, weighted: bool
) -> ConfusionState:
    """The canonical state: cells summed, labels that no row has left out."""
    size = len(labels)
    key = (actual * size + predicted) * GROUPS + group
    if size * size * GROUPS <= _DENSE:
        cells = np.flatnonzero(np.bincount(key, minlength=0))
        sums: Floats = np.bincount(key, weights=weight, minlength=0)[cells].astype(np.float64)
    else:
        cells, inverse = np.unique(key, return_inverse=True)
        sums = np.bincount(inverse, weights=weight, minlength=len(cells)).astype(np.float64)
    pairs, groups = np.divmod(cells, GROUPS)
    first, second = np.divmod(pairs, size) if size else (pairs, pairs)
    used = np.union1d(first, second)
    place = np.zeros(size, dtype=np.int64)
    place[used] = np.arange(len(used))
    names = tuple(labels[i] for i in used)
    return ConfusionState(names, place[first], place[second], groups, sums, rows, weighted)
