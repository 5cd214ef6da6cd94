"""The confusion matrix: its classes, its counts, and the confusions that matter most."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from driftline.reporting.text import abridge


class Confusion(NamedTuple):
    """How often one class was predicted as another, and how many rows have the actual class."""

    actual: str
    predicted: str
    rows: int
    of: int


class Matrix(msgspec.Struct, frozen=True):
    """Counts by (actual, predicted) place among the names; cells of nothing are absent.

    ``labels`` are the names, shortened for people; two of them can be equal where the names differ.
    """

    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    cells: dict[tuple[int, int], int] = {}

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.cells.values())

    def actual(self) -> list[int]:
        """Rows of each actual class."""
        return self._sums(0)

    def predicted(self) -> list[int]:
        """Rows predicted as each class."""
        return self._sums(1)

    def _sums(self, side: int) -> list[int]:
        sums = [0] * len(self.labels)
        for place, number in self.cells.items():
            sums[place[side]] += number
        return sums

    def largest(self, most: int) -> list[Confusion]:
        """The most frequent confusions, the largest first."""
        actual = self.actual()
        wrong = sorted((-number, row, column) for (row, column), number in self.cells.items() if row != column)
        return [
            Confusion(self.labels[row], self.labels[column], -number, actual[row])
            for number, row, column in wrong[:most]
        ]


def read_matrix(node: object) -> Matrix:
    """The counts of ``{actual: {predicted: count}}``; whatever is not a positive count is left out.

    Labels keep the document's order, actual classes first.
    """
    rows = {
        str(actual): {str(name): number for name, value in row.items() if value and (number := _count(value))}
        for actual, row in (node.items() if isinstance(node, Mapping) else ())
        if isinstance(row, Mapping)
    }
    names = list(dict.fromkeys([*rows, *(name for row in rows.values() for name in row)]))
    place = {name: index for index, name in enumerate(names)}
    cells = {(place[actual], place[name]): number for actual, row in rows.items() for name, number in row.items()}
    return Matrix(tuple(names), tuple(map(class_label, names)), cells)


def class_label(name: str) -> str:
    """The name of a class as it is shown."""
    return abridge(name, 80) or "(empty)"


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15 or math.isnan(value):
        return 0
    return int(value)
