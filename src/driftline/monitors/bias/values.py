"""Which values of a facet are analysed, what they are called, and the counts on both sides of each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftline.analyzers.contingency import INSIDE, Cut
from driftline.analyzers.facet_cells import FacetCells
from driftline.core.facets import Choice

MOST_ANALYSED = 50


def values_of(cells: FacetCells, *, cut: Cut | None, chosen: Choice) -> tuple[str, ...]:
    """The values that are held against all others: the chosen part of the facet, or else each value in turn, at most
    the 50 most frequent, in ascending order."""
    if cut is not None or chosen.values:
        return (INSIDE,)
    if len(cells.values) <= MOST_ANALYSED:
        return cells.values
    rows = np.bincount(cells.value, weights=cells.count, minlength=len(cells.values))[: len(cells.values)]
    kept = np.sort(np.argsort(-rows, kind="stable")[:MOST_ANALYSED])
    return tuple(cells.values[place] for place in kept)


def side_counts(cells: FacetCells, value: str) -> npt.NDArray[np.int64]:
    """The counts ``[side, label, predicted, group]``: all other rows before those with the value."""
    counts = cells.counts()
    inside = counts[cells.values.index(value)] if value in cells.values else np.zeros_like(counts[0])
    return np.stack([counts.sum(axis=0) - inside, inside])


def value_text(cells: FacetCells, value: str, *, cut: Cut | None, chosen: Choice) -> str:
    """What a value is called: its text, the chosen values, or the interval from the threshold to the largest number.

    >>> value_text(FacetCells(high=89.0), INSIDE, cut=Cut(50.0), chosen=Choice())
    '(50.0, 89.0]'
    """
    if cut is not None:
        return f"{'[' if cut.inclusive else '('}{cut.threshold!r}, {max(cut.threshold, cells.high)!r}]"
    return ",".join(chosen.values) if chosen.values else value
