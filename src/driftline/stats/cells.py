"""Scores in cells: distinct scores with their numbers of rows, grouped so that a share is worth computing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CELLS, CELL_ROWS = 64, 10
"""About so many cells at most, and so many rows at least in each: two rows could only have a rate of 0, ½ or 1."""
STRIPS = 20


def probabilities(scores: Floats) -> bool:
    """Whether every score is in [0, 1]; neither NaN nor an infinity is."""
    return bool(((scores >= 0) & (scores <= 1)).all())


def strip(scores: Floats) -> Integers:
    """Which of the equal strips of [0, 1] each score is in."""
    return np.minimum((scores * STRIPS).astype(np.int64), STRIPS - 1)


def by(groups: npt.NDArray[Any], counts: npt.NDArray[Any], length: int) -> Integers:
    """Counts summed by group; sums of whole numbers below 2**53 are exact."""
    return np.bincount(groups, weights=counts, minlength=length).astype(np.int64)


def cuts_of(scores: Floats, counts: npt.NDArray[Any], threshold: float) -> Floats:
    """Where one cell ends and the next begins; the threshold itself is a cut if either side fills a cell."""
    size = max(CELL_ROWS, -(-int(counts.sum()) // CELLS))
    low = scores <= threshold
    if min(counts[low].sum(), counts[~low].sum()) < CELL_ROWS:
        return _halfway(scores, _ends(counts, size))
    below = _halfway(scores[low], _ends(counts[low], size))
    above = _halfway(scores[~low], _ends(counts[~low], size))
    return np.concatenate([below, [threshold], above])


def _ends(counts: npt.NDArray[Any], size: int) -> npt.NDArray[np.intp]:
    """The last index of every cell but the last: cells of ``size`` rows or a little more, equal scores together."""
    upto = np.cumsum(counts)
    ends, start = [], 0
    while upto[-1] - start >= 2 * size:
        end = int(np.searchsorted(upto, start + size))
        if upto[-1] - upto[end] < size:
            break
        ends.append(end)
        start = int(upto[end])
    return np.asarray(ends, dtype=np.intp)


def _halfway(scores: Floats, ends: npt.NDArray[np.intp]) -> Floats:
    """Between the last score of a cell and the next score; rounding must not carry the cut onto the next score."""
    last, following = scores[ends], scores[ends + 1] if len(ends) else scores[ends]
    middle = (last + following) / 2
    return np.where(middle < following, middle, last)
