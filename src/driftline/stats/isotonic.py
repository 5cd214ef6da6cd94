"""Weighted least squares under an order: the non-decreasing values nearest to the given ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def isotonic(values: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """The non-decreasing sequence with the least weighted squared distance from ``values``, along the last axis.

    By pooling adjacent violators (Ayer, Brunk, Ewing, Reid and Silverman 1955): neighbours in the wrong order have one
    value in the best fit, their weighted mean. All such neighbours, of all sequences, are pooled at a time, until there
    are none; memory is linear. Rounds are few, at most one for each value of a sequence. Weights must be positive.

    >>> isotonic([1.0, 3.0, 2.0, 4.0], [1.0, 1.0, 3.0, 1.0]).tolist()
    [1.0, 2.25, 2.25, 4.0]
    """
    y, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    means, mass, total = y.ravel(), w.ravel(), (y * w).ravel()
    starts = np.arange(y.size)
    while True:
        kept = starts % max(1, y.shape[-1]) == 0
        kept[1:] |= means[:-1] <= means[1:]
        if kept.all():
            return np.repeat(means, np.diff(starts, append=y.size)).reshape(y.shape)
        blocks = np.flatnonzero(kept)
        mass, total, starts = np.add.reduceat(mass, blocks), np.add.reduceat(total, blocks), starts[blocks]
        means = total / mass
