"""The counts of one facet: by its value, label, predicted label and group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.sampling import hash_ids
from driftline.core.state import State

Ints = npt.NDArray[np.int64]
OUTCOMES = 3
MOST_VALUES, MOST_GROUPS = 1000, 100
_DENSE = 1 << 21
_PAIRS = OUTCOMES * OUTCOMES


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class FacetCells(State):
    """Non-empty cells in ascending order of (value, outcome, group).

    ``values`` and ``groups`` are the names that are counted one by one, in ascending order; ``value`` and ``group`` are
    places among them, and one place behind them are all other names together. ``outcome`` is label × 3 + predicted,
    each 0 negative, 1 positive, 2 unknown. ``missing`` are the rows without a facet value; ``low`` and ``high`` the
    extremes of a numeric facet (inverted infinities before any number was seen).
    """

    values: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    value: Ints = field(default_factory=_none)
    outcome: Ints = field(default_factory=_none)
    group: Ints = field(default_factory=_none)
    count: Ints = field(default_factory=_none)
    missing: int = 0
    low: float = np.inf
    high: float = -np.inf

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        object.__setattr__(self, "groups", tuple(self.groups))

    @property
    def rows(self) -> int:
        """How many rows have a facet value."""
        return int(self.count.sum())

    @property
    def rest(self) -> int:
        """How many rows have a value that is not counted by itself."""
        return int(self.count[self.value == len(self.values)].sum())

    @property
    def rest_of_groups(self) -> int:
        """How many rows are in a group that is not counted by itself."""
        return int(self.count[self.group == len(self.groups)].sum())

    def counts(self) -> Ints:
        """The cells as an array ``[value, label, predicted, group]``; the last value, and the last group where there is
        one too many, is the rest."""
        groups = len(self.groups) + bool(self.rest_of_groups) if len(self.count) else 1
        found = np.zeros((len(self.values) + 1, _PAIRS, groups), dtype=np.int64)
        found[self.value, self.outcome, self.group] = self.count
        return found.reshape(-1, OUTCOMES, OUTCOMES, groups)


def summed(
    value: Any,
    outcome: Any,
    group: Any,
    values: Any,
    groups: Any,
    low: float,
    high: float,
    *,
    most_values: int = MOST_VALUES,
    most_groups: int = MOST_GROUPS,
) -> FacetCells:
    """The cells of rows, given by their codes. ``values`` and ``groups`` are Arrow arrays of the names that codes stand
    for; a negative value is none."""
    missing = 0
    if len(value) and int(value.min()) < 0:
        present = value >= 0
        missing = int(len(value) - present.sum())
        value, outcome, group = value[present], outcome[present], group[present]
    places, counts = _counted(value, outcome, group, len(values), len(groups))
    return _canonical(places, counts, values, groups, missing, low, high, (most_values, most_groups))


def merge_cells(parts: Sequence[FacetCells], most_values: int, most_groups: int) -> FacetCells:
    """The cells of all the rows that the given ones count."""
    values, value = _united([part.values for part in parts], [part.value for part in parts])
    groups, group = _united([part.groups for part in parts], [part.group for part in parts])
    places = (value, np.concatenate([part.outcome for part in parts]), group)
    return _canonical(
        places,
        np.concatenate([part.count for part in parts]),
        values,
        groups,
        sum(part.missing for part in parts),
        min(part.low for part in parts),
        max(part.high for part in parts),
        (most_values, most_groups),
    )


Places = tuple[Ints, Ints, Ints]


def _counted(value: Any, outcome: Any, group: Any, values: int, groups: int) -> tuple[Places, Ints]:
    """The distinct cells and how many rows are in each."""
    size = values * _PAIRS * groups
    # Codes are small as a rule: 16 bits take a quarter of the memory traffic.
    kind = np.int16 if size < 1 << 15 else np.int64
    key = value.astype(kind) * kind(_PAIRS) + outcome
    if groups > 1:
        key = key * kind(groups) + group.astype(kind)
    if size <= _DENSE:
        found = np.bincount(key, minlength=0)
        cells = np.flatnonzero(found)
        counts = found[cells]
    else:
        cells, counts = np.unique(key, return_counts=True)
    pairs, third = np.divmod(cells.astype(np.int64), max(groups, 1))
    first, second = np.divmod(pairs, _PAIRS)
    return (first, second, third), counts.astype(np.int64)


def _united(names: Sequence[tuple[str, ...]], codes: Sequence[Ints]) -> tuple[Any, Ints]:
    """The distinct names of all, and the codes as places among them; the place behind them stays the rest's."""
    distinct = sorted({name for part in names for name in part})
    where = {name: place for place, name in enumerate(distinct)}
    moved = [
        np.array([*(where[name] for name in part), len(distinct)], dtype=np.int64)[code]
        for part, code in zip(names, codes, strict=True)
    ]
    return pa.array(distinct, pa.string()), np.concatenate(moved)


def _canonical(
    places: Places,
    counts: Ints,
    values: Any,
    groups: Any,
    missing: int,
    low: float,
    high: float,
    most: tuple[int, int],
) -> FacetCells:
    """The one state of these cells, whatever order they came in."""
    value_names, value = _bounded(values, places[0], most[0])
    group_names, group = _bounded(groups, places[2], most[1])
    (first, second, third), found = _added((value, places[1], group), counts, len(group_names) + 1)
    return FacetCells(value_names, group_names, first, second, third, found, missing, low, high)


def _bounded(names: Any, codes: Ints, most: int) -> tuple[tuple[str, ...], Ints]:
    """The names that occur, at most ``most`` of them, in ascending order, and the codes as places among them.

    Of too many those with the smallest hashes are kept: a name that is among them when all are known was among them in
    every part, so that its count is exact however the rows were split.
    """
    used = np.unique(codes[codes < len(names)])
    texts = names.take(pa.array(used))
    if len(used) > most:
        kept = np.sort(np.argsort(hash_ids(texts), kind="stable")[:most])
        used, texts = used[kept], texts.take(pa.array(kept))
    found = texts.to_pylist()
    order = sorted(range(len(found)), key=found.__getitem__)
    moved = np.full(len(names) + 1, len(found), dtype=np.int64)
    moved[used[order]] = np.arange(len(found))
    return tuple(found[place] for place in order), moved[codes]


def _added(places: Places, counts: Ints, groups: int) -> tuple[Places, Ints]:
    """Cells in ascending order, those of the same place added up."""
    key = (places[0] * _PAIRS + places[1]) * groups + places[2]
    cells, inverse = np.unique(key, return_inverse=True)
    sums = np.zeros(len(cells), dtype=np.int64)
    np.add.at(sums, inverse, counts)
    pairs, third = np.divmod(cells, groups)
    first, second = np.divmod(pairs, _PAIRS)
    return (first, second, third), sums
