"""A bounded sample of predicted rows and their features, for the flip test: the rows whose ids hash smallest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.analyzers.contingency import BESIDE, INSIDE, Cut, cut_codes
from driftline.core.sampling import U64
from driftline.core.state import State

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_ROWS = 2000
FEATURE = "feature "
_UNKNOWN = 2


@dataclass(frozen=True, eq=False)
class FlipState(State):
    """At most so many rows in ascending order of their hashes.

    ``features`` are the numeric columns in ascending order and ``cells`` their values row by row (NaN is missing);
    ``others`` are the columns that are not numeric. ``names`` are for every facet the values that occur, ``codes`` row
    by row their places (−1: none). ``predicted`` is 1 where the prediction is positive.
    """

    features: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()
    hashes: U64 = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    predicted: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, dtype=np.int8))
    codes: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    cells: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        for name in ("features", "others"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "names", tuple(map(tuple, self.names)))


class FlipRows(NamedTuple):
    """The rows of a sample: ``facets`` has for every facet the place of each row's value in ``names`` (−1: none)."""

    features: tuple[str, ...]
    others: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    facets: Ints
    predicted: npt.NDArray[np.bool_]
    cells: Floats


class FlipSample:
    """Keeps the ``most`` rows with the smallest hashes, so that any split of the rows keeps the same ones.

    A batch needs ``order`` (uint64, a hash of the row's id), ``predicted`` and the facets as
    :class:`driftline.analyzers.contingency.Contingency` has them, and the features as columns called ``feature NAME``.
    Rows without a prediction are not kept.
    """

    name = "flip sample"

    def __init__(self, facets: Sequence[Cut | None], *, most: int = MOST_ROWS) -> None:
        self.facets = tuple(facets)
        self.most = most

    def identity(self) -> FlipState:
        """The state of no rows."""
        return FlipState(names=((),) * len(self.facets))

    def update(self, batch: pa.RecordBatch) -> FlipState:
        """The sample of one batch."""
        if not batch.num_rows:
            return self.identity()
        chosen = self._chosen(batch)
        taken = batch.take(pa.array(chosen)) if len(chosen) < batch.num_rows else batch
        columns = {
            name.removeprefix(FEATURE): taken.column(place)
            for place, name in enumerate(batch.schema.names)
            if name.startswith(FEATURE)
        }
        numeric = sorted(name for name, column in columns.items() if _is_numeric(column.type))
        cells = [_numbers(columns[name]) for name in numeric]
        found = [_codes(taken.column(f"facet {place}"), cut) for place, cut in enumerate(self.facets)]
        return self._state(
            FlipState(
                tuple(numeric),
                tuple(sorted(columns.keys() - set(numeric))),
                tuple(names for _, names in found),
                taken.column("order").to_numpy(),
                taken.column("predicted").to_numpy(),
                _side_by_side([codes for codes, _ in found], len(chosen), np.int64).ravel(),
                _side_by_side(cells, len(chosen), np.float64).ravel(),
            )
        )

    def merge(self, states: Sequence[FlipState]) -> FlipState:
        """The sample of all the rows the states saw."""
        if len(states) <= 1:
            return states[0] if states else self.identity()
        features = tuple(sorted({name for state in states for name in state.features}))
        names = tuple(
            tuple(sorted({name for state in states for name in state.names[place]}))
            for place in range(len(self.facets))
        )
        return self._state(
            FlipState(
                features,
                tuple(sorted({name for state in states for name in state.others})),
                names,
                np.concatenate([state.hashes for state in states]),
                np.concatenate([state.predicted for state in states]),
                np.concatenate([_recoded(state, names) for state in states], axis=0).ravel(),
                np.concatenate([_widened(state, features) for state in states], axis=0).ravel(),
            )
        )

    def result(self, state: FlipState) -> FlipRows:
        """The rows."""
        rows = len(state.hashes)
        return FlipRows(
            state.features,
            state.others,
            state.names,
            state.codes.reshape(rows, len(self.facets)),
            state.predicted == 1,
            state.cells.reshape(rows, len(state.features)),
        )

    def _chosen(self, batch: pa.RecordBatch) -> Ints:
        """The rows of a batch that may be kept."""
        known = np.flatnonzero(batch.column("predicted").to_numpy() < _UNKNOWN)
        hashes = batch.column("order").to_numpy()[known]
        if len(known) <= self.most:
            return known
        last = np.partition(hashes, self.most - 1)[self.most - 1]
        chosen: Ints = known[hashes <= last]
        return chosen

    def _state(self, found: FlipState) -> FlipState:
        """The canonical state: rows in order, no more than may be kept, and only values that occur."""
        rows = len(found.hashes)
        codes, cells = found.codes.reshape(rows, len(self.facets)), found.cells.reshape(rows, len(found.features))
        order = _order(found.hashes, found.predicted, codes, cells)[: self.most]
        names, moved = _used(found.names, codes[order])
        return FlipState(
            found.features,
            found.others,
            names,
            found.hashes[order],
            found.predicted[order],
            moved.ravel(),
            cells[order].ravel(),
        )


def _order(hashes: U64, predicted: Any, codes: Ints, cells: Floats) -> Ints:
    """By hash; where hashes are equal by what is in the rows, so that it does not matter in which order they came."""
    if len(np.unique(hashes)) == len(hashes):
        return np.argsort(hashes)
    return np.lexsort((*cells.T[::-1], *codes.T[::-1], predicted, hashes))


def _is_numeric(kind: Any) -> bool:
    types = pa.types
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    return any(test(kind) for test in tests)


def _numbers(column: Any) -> Floats:
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    found = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.where(np.isnan(found), np.nan, found + 0.0)


def _codes(column: Any, cut: Cut | None) -> tuple[Ints, tuple[str, ...]]:
    """The places of a facet's values among their names in ascending order."""
    if cut is not None:
        return cut_codes(column, cut)[0].astype(np.int64), (BESIDE, INSIDE)
    given = column.dictionary.to_pylist()
    names = sorted(given)
    where = {name: place for place, name in enumerate(names)}
    moved = np.array([*(where[name] for name in given), -1], dtype=np.int64)
    return moved[pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False)], tuple(names)


def _side_by_side(columns: list[Any], rows: int, kind: Any) -> Any:
    return np.stack(columns, axis=1) if columns else np.zeros((rows, 0), dtype=kind)


def _recoded(state: FlipState, names: tuple[tuple[str, ...], ...]) -> Ints:
    """The codes as places among other names, which have all of the state's."""
    codes = state.codes.reshape(len(state.hashes), len(names))
    found = np.empty_like(codes)
    for place, (old, new) in enumerate(zip(state.names, names, strict=True)):
        where = {name: number for number, name in enumerate(new)}
        found[:, place] = np.array([*(where[name] for name in old), -1], dtype=np.int64)[codes[:, place]]
    return found


def _widened(state: FlipState, features: tuple[str, ...]) -> Floats:
    """The cells with a column for each of the given features; those the state does not know are missing."""
    rows = len(state.hashes)
    found = np.full((rows, len(features)), np.nan)
    where = {name: place for place, name in enumerate(features)}
    found[:, [where[name] for name in state.features]] = state.cells.reshape(rows, len(state.features))
    return found


def _used(names: tuple[tuple[str, ...], ...], codes: Ints) -> tuple[tuple[tuple[str, ...], ...], Ints]:
    """The names that any row has, and the codes among them."""
    kept: list[tuple[str, ...]] = []
    moved = np.empty_like(codes)
    for place, one in enumerate(names):
        used = np.unique(codes[:, place][codes[:, place] >= 0])
        table = np.full(len(one) + 1, -1, dtype=np.int64)
        table[used] = np.arange(len(used))
        kept.append(tuple(one[code] for code in used))
        moved[:, place] = table[codes[:, place]]
    return tuple(kept), moved
