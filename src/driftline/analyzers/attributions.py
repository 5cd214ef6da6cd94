"""How much each feature moves a model's outputs: sums of local attributions (SHAP values) over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.analyzers.quantiles import Quantiles, QuantileState
from driftline.analyzers.vectors import as_matrix
from driftline.core.attribution_analysis import Aggregation
from driftline.core.sampling import GROUPS
from driftline.core.state import State
from driftline.stats.half_samples import balanced

Floats = npt.NDArray[np.float64]
PARTS = 8
"""The parts of the rows that each have a sketch: eight groups together, so that a median has a jackknife too."""
SKETCH_K = 256


@dataclass(frozen=True, eq=False)
class AttributionState(State):
    """By group (a hash of the row's id, 0 to 63) sums over its rows, every array flat.

    ``weight`` [64] counts rows; ``absolute`` and ``squared`` [64 · features · outputs] sum the sizes and the squares of
    local values, ``scores`` [64 · outputs] what the model predicted. ``sketches`` [8 · features · outputs] are saved
    :class:`QuantileState` of the sizes, or there are none. ``refused`` rows had a value that is no finite number and
    are in no sum.
    """

    weight: Floats
    absolute: Floats
    squared: Floats
    scores: Floats
    sketches: tuple[bytes, ...] = ()
    refused: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sketches", tuple(self.sketches))

    @property
    def rows(self) -> int:
        """How many rows the sums are of."""
        return int(self.weight.sum())


@dataclass(frozen=True)
class Global:
    """Attributions of all rows [outputs, features], of all but one part of them [parts, outputs, features], and of
    balanced halves of the parts [halves, outputs, features].

    The parts are the 64 groups of rows, or of medians eighths of all rows; those without a row are left out of
    ``without``, which is what the jackknife needs. ``halves`` are what rankings need
    (:mod:`driftline.stats.half_samples`).
    """

    whole: Floats
    without: Floats
    halves: Floats


@dataclass(frozen=True)
class AttributionSums:
    """The sums by group: ``absolute`` and ``squared`` as [64, features, outputs], ``scores`` as [64, outputs]; the
    sketches by part, feature and output."""

    weight: Floats
    absolute: Floats
    squared: Floats
    scores: Floats
    sketches: tuple[QuantileState, ...]
    refused: int

    @property
    def rows(self) -> int:
        """How many rows the sums are of."""
        return int(self.weight.sum())

    def mean_scores(self) -> Floats:
        """The mean prediction of every output; NaN of no rows."""
        return self.scores.sum(axis=0) / self.rows if self.rows else np.full(self.scores.shape[1], np.nan)

    def aggregate(self, aggregation: Aggregation) -> Global:
        """The global attributions: the mean of the sizes or of the squares of local values, or the median of the sizes.

        NaN of no rows. Raises ValueError for the median of a state without sketches.
        """
        if aggregation == "median":
            return self._medians()
        return self._means(self.absolute if aggregation == "mean_abs" else self.squared)

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _means(self, sums: Floats) -> Global:
        kept = _selections(self.weight)
        # Sums over what is kept, not the whole less what is left out: that would lose the digits of small groups.
        totals = kept @ sums.reshape(len(self.weight), -1)
        means = (totals.T / (kept @ self.weight)).T.reshape(len(kept), *sums.shape[1:])
        return _global(means.transpose(0, 2, 1), self.weight)

    def _medians(self) -> Global:
        _, features, outputs = self.absolute.shape
        each = features * outputs
        if not self.sketches and each:
            raise ValueError("a median needs sketches: Attributions(…, medians=True)")
        weight = self.weight.reshape(PARTS, -1).sum(axis=1)
        kept = _selections(weight)
        found = [_medians(self.sketches[one::each], kept) for one in range(each)]
        return _global(np.array(found).reshape(features, outputs, len(kept)).transpose(2, 1, 0), weight)


def _selections(weight: Floats) -> Floats:
    """Which parts belong to all rows, to all but one part that has any, and to each balanced half; a row each."""
    parts = len(weight)
    return np.vstack([np.ones(parts), ~np.eye(parts, dtype=bool)[weight > 0], balanced(parts)])


def _global(found: Floats, weight: Floats) -> Global:
    some = 1 + int((weight > 0).sum())
    return Global(found[0], found[1:some], found[some:])


class Attributions:
    """Sums local attributions of ``features`` features and ``outputs`` outputs.

    A batch needs ``values`` (fixed-size list of features · outputs doubles: the outputs of one feature stand together),
    ``scores`` (fixed-size list of outputs doubles) and ``group`` (uint8). ``medians`` keeps sketches beside the sums:
    exact while every eighth of the rows has at most some 700, and with a rank error below 0.5 % of the rows in all.
    """

    name = "attributions"

    def __init__(self, features: int, outputs: int = 1, *, medians: bool = False) -> None:
        self.features = features
        self.outputs = outputs
        self.medians = medians
        self._quantiles = Quantiles(k=SKETCH_K)

    def identity(self) -> AttributionState:
        """The state of no rows."""
        each = self.features * self.outputs
        sums = np.zeros(GROUPS * each)
        sketches = (QuantileState().save(),) * (PARTS * each if self.medians else 0)
        return AttributionState(np.zeros(GROUPS), sums, sums, np.zeros(GROUPS * self.outputs), sketches)

    @np.errstate(over="ignore", invalid="ignore")
    def update(self, batch: pa.RecordBatch) -> AttributionState:
        """The sums of one batch; where values are too large for them, they are infinite."""
        each = self.features * self.outputs
        values, scores = as_matrix(batch.column("values"), each), as_matrix(batch.column("scores"), self.outputs)
        group = batch.column("group").to_numpy(zero_copy_only=False).astype(np.int64)
        usable = np.isfinite(values).all(axis=1) & np.isfinite(scores).all(axis=1)
        order = np.argsort(np.where(usable, group, GROUPS), kind="stable")[: int(usable.sum())]
        group, sizes = group[order], np.abs(values[order])
        return AttributionState(
            np.bincount(group, minlength=GROUPS).astype(np.float64),
            _by_group(group, sizes),
            _by_group(group, sizes * sizes),
            _by_group(group, scores[order]),
            self._sketched(group, sizes) if self.medians else (),
            int((~usable).sum()),
        )

    @np.errstate(over="ignore")
    def merge(self, states: Sequence[AttributionState]) -> AttributionState:
        """The sums of all the rows the states saw."""
        states = [state for state in states if state.rows or state.refused]
        if len(states) <= 1:
            return states[0] if states else self.identity()
        return AttributionState(
            np.sum([state.weight for state in states], axis=0),
            np.sum([state.absolute for state in states], axis=0),
            np.sum([state.squared for state in states], axis=0),
            np.sum([state.scores for state in states], axis=0),
            tuple(map(self._merged, zip(*(state.sketches for state in states), strict=True))),
            sum(state.refused for state in states),
        )

    def result(self, state: AttributionState) -> AttributionSums:
        """The sums; :meth:`AttributionSums.aggregate` makes global attributions of them."""
        shape = (GROUPS, self.features, self.outputs)
        return AttributionSums(
            state.weight,
            state.absolute.reshape(shape),
            state.squared.reshape(shape),
            state.scores.reshape(GROUPS, self.outputs),
            tuple(map(QuantileState.load, state.sketches)),
            state.refused,
        )

    def _sketched(self, group: npt.NDArray[np.int64], sizes: Floats) -> tuple[bytes, ...]:
        """A sketch for every part of the rows, which come in the order of their groups, and every column."""
        bounds = np.searchsorted(group, np.arange(0, GROUPS + 1, GROUPS // PARTS))
        parts = [sizes[first:last] for first, last in pairwise(bounds.tolist())]
        return tuple(self._quantiles.of(column).save() for part in parts for column in np.ascontiguousarray(part.T))

    def _merged(self, sketches: Sequence[bytes]) -> bytes:
        return self._quantiles.merge([QuantileState.load(one) for one in sketches]).save()


def _by_group(group: npt.NDArray[np.int64], columns: Floats) -> Floats:
    """The sums of rows, which come in the order of their groups, as [64 · columns]."""
    sums = np.zeros((GROUPS, columns.shape[1]))
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    if len(starts):
        sums[group[starts]] = np.add.reduceat(columns, starts, axis=0)
    return sums.ravel()


def _medians(parts: Sequence[QuantileState], kept: Floats) -> list[float]:
    """The median of the values of the sketches that belong to each selection [selections, parts]."""
    weighted = [part.weighted() for part in parts]
    values = np.concatenate([one for one, _ in weighted])
    weights = np.concatenate([weight for _, weight in weighted])
    part = np.repeat(np.arange(len(parts)), [len(one) for one, _ in weighted])
    order = np.argsort(values, kind="stable")
    values, weights, part = values[order], weights[order], part[order]
    return [_median(values, np.where(chosen[part], weights, 0)) for chosen in kept > 0]


def _median(values: Floats, weights: npt.NDArray[np.int64]) -> float:
    """The middle of ascending values with weights; of an even number of values the mean of the two in the middle."""
    sums = np.cumsum(weights)
    if not len(sums) or not sums[-1]:
        return float("nan")
    low, high = np.searchsorted(sums, [(sums[-1] + 1) // 2, sums[-1] // 2 + 1], side="left")
    return float(values[low] / 2 + values[high] / 2) if low != high else float(values[low])
