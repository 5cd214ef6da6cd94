"""Ratios of counts and their differences, as every bias metric needs them, for many tables at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[Any]


def ratio(part: Counts, whole: Counts) -> Floats:
    """part / whole, where 0 / 0 is 0 and anything else over 0 is infinite: so the original service has it.

    >>> ratio(np.array([1, 0, 3]), np.array([2, 0, 0])).tolist()
    [0.5, 0.0, inf]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.asarray(part, dtype=np.float64) / whole
    return np.where((part == 0) & (whole == 0), 0.0, found)


def difference(one: Floats, other: Floats) -> Floats:
    """one − other, where two infinities differ by nothing.

    >>> difference(np.array([np.inf, 1.0]), np.array([np.inf, np.inf])).tolist()
    [0.0, -inf]
    """
    with np.errstate(invalid="ignore"):
        return np.where(one == other, 0.0, one - other)


def both_sides(counts: Counts, axes: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Which tables have rows in the facet and rows beside it. ``axes`` are those behind the facet's, from the end."""
    found: npt.NDArray[np.bool_] = (counts.sum(axis=axes) > 0).all(axis=-1)
    return found


def where_known(value: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """The value, NaN where it is undefined."""
    return np.where(known, value, np.nan)
