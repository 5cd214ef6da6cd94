"""Which rows stand for a feature that is not known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import InputError
from driftline.serving.explain.local import Array


def choose_baseline(rows: npt.NDArray[Any], count: int = 20, seed: int = 0) -> Array:
    """Baseline rows [count, features] out of many: a sample, or with ``count=1`` a middle row.

    Rows are drawn at random by ``seed``, without repetition and in their order; all of them where there are no more.
    Sampling costs as many times the predictions of one row, and is worth it: against one row a rare flag that decides
    much has no value in the many rows that are like it (docs/explainers.md has figures).

    A middle row is the median of each column, of an even number of values the lower one, so that it is a value that
    occurs: 0 for a rare flag and for most one-hot columns. A column with more missing values than others is missing in
    it; infinities are left out.

    Raises :class:`InputError` for no rows, and for a count below 1.

    >>> choose_baseline(np.array([[1.0, 0.0], [2.0, 0.0], [9.0, 1.0], [5.0, 0.0]]), 1)
    array([[2., 0.]])
    """
    found = np.asarray(rows, dtype=np.float64)
    if found.ndim != 2 or not len(found) or count < 1:
        evidence = f"{count} of a block of shape {found.shape}"
        raise InputError("there are no rows to choose a baseline from", evidence=evidence, hint="give rows of numbers")
    if count == 1:
        return _middle(found)
    drawn = np.random.default_rng(seed).permutation(len(found))[:count]
    return found[np.sort(drawn)]


def _middle(rows: Array) -> Array:
    ordered = np.sort(np.where(np.isinf(rows), np.nan, rows), axis=0)  # missing values last
    known = np.isfinite(ordered).sum(axis=0)
    chosen = ordered[np.maximum(known - 1, 0) // 2, np.arange(rows.shape[1])]
    missing = np.isnan(rows).sum(axis=0)
    found: Array = np.where(missing > known, np.nan, chosen)[None]
    return found
