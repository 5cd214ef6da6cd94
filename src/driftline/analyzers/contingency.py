"""How often each facet value meets each label, prediction and group: the counts behind every bias metric but one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftline.analyzers.facet_cells import MOST_GROUPS, MOST_VALUES, OUTCOMES, FacetCells, merge_cells, summed
from driftline.core.errors import InputError
from driftline.core.state import State, pack, unpack

Ints = npt.NDArray[np.int64]
INSIDE, BESIDE = "1", "0"
"""What the values of a facet are called that has two only: in the facet, and beside it."""


class Cut(NamedTuple):
    """A numeric facet: rows above the threshold are in it; with ``inclusive`` those at the threshold too."""

    threshold: float
    inclusive: bool = False


@dataclass(frozen=True, eq=False)
class ContingencyState(State):
    """The cells of every facet, in the order of the facets; ``rows`` is the number of rows seen."""

    rows: int = 0
    facets: tuple[FacetCells, ...] = ()

    def save(self) -> bytes:
        """The state as bytes."""
        return pack("ContingencyState", {"rows": self.rows, "facets": [facet.save() for facet in self.facets]})

    @classmethod
    def load(cls, data: bytes) -> Self:
        """The state that :meth:`save` wrote; raises :class:`InputError` for any other bytes."""
        values = unpack("ContingencyState", data)
        try:
            return cls(values["rows"], tuple(FacetCells.load(facet) for facet in values["facets"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                "these bytes are no saved counts", evidence=str(error)[:100], hint="rebuild them"
            ) from None


class Contingency:
    """Counts rows by facet value, label, predicted label and group, for several facets in one pass.

    A batch needs ``label`` and ``predicted`` (int8: 0 negative, 1 positive, 2 neither is known), ``group`` (a
    dictionary of strings without nulls), and for every facet ``facet 0``, ``facet 1``, …: a dictionary of strings (one
    of ``facets`` None), or numbers where ``facets`` has a cut. Null and NaN are rows that have no value of this facet:
    they are counted and left out of it. Up to ``most_values`` values and ``most_groups`` groups are counted one by one,
    the rest together.
    """

    name = "contingency"

    def __init__(
        self, facets: Sequence[Cut | None], *, most_values: int = MOST_VALUES, most_groups: int = MOST_GROUPS
    ) -> None:
        self.facets = tuple(facets)
        self.most_values, self.most_groups = most_values, most_groups

    def identity(self) -> ContingencyState:
        """The state of no rows."""
        return ContingencyState(0, tuple(FacetCells() for _ in self.facets))

    def update(self, batch: pa.RecordBatch) -> ContingencyState:
        """The counts of one batch."""
        label, predicted = (batch.column(name).to_numpy() for name in ("label", "predicted"))
        outcome = label * np.int8(OUTCOMES) + predicted
        group = batch.column("group")
        groups = _numpy(group.indices)
        rest = (outcome, groups, group.dictionary)
        found = (self._cells(batch.column(f"facet {place}"), cut, rest) for place, cut in enumerate(self.facets))
        return ContingencyState(batch.num_rows, tuple(found))

    def merge(self, states: Sequence[ContingencyState]) -> ContingencyState:
        """The counts of all the rows the states saw."""
        if len(states) == 1:
            return states[0]
        if not states:
            return self.identity()
        by_facet = zip(*(state.facets for state in states), strict=True)
        cells = (merge_cells(parts, self.most_values, self.most_groups) for parts in by_facet)
        return ContingencyState(sum(state.rows for state in states), tuple(cells))

    def result(self, state: ContingencyState) -> tuple[FacetCells, ...]:
        """The counts of every facet."""
        return state.facets

    def _cells(self, column: Any, cut: Cut | None, rest: tuple[Any, Any, Any]) -> FacetCells:
        outcome, groups, names = rest
        if cut is None:
            codes, values = _numpy(pc.fill_null(column.indices, -1)), column.dictionary
            low, high = np.inf, -np.inf
        else:
            codes, low, high = cut_codes(column, cut)
            values = pa.array([BESIDE, INSIDE])
        return summed(
            codes, outcome, groups, values, names, low, high, most_values=self.most_values, most_groups=self.most_groups
        )


def cut_codes(column: Any, cut: Cut) -> tuple[npt.NDArray[np.int8], float, float]:
    """For every row 1 in the facet, 0 beside it, −1 without a number; the smallest and the largest number."""
    numbers = _numpy(pc.cast(column, pa.float64()))
    inside = numbers >= cut.threshold if cut.inclusive else numbers > cut.threshold
    codes = inside.astype(np.int8)
    unknown = np.isnan(numbers)
    if unknown.any():
        codes[unknown] = -1
        numbers = numbers[~unknown]
    if not len(numbers):
        return codes, np.inf, -np.inf
    # Minus zero is zero: states of the same rows are the same bytes.
    return codes, float(numbers.min()) + 0.0, float(numbers.max()) + 0.0


def _numpy(column: Any) -> Any:
    return column.to_numpy(zero_copy_only=False)
