"""Measures of vectors of class probabilities, row by row: what log loss and top-k accuracy add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.integer[Any]]

TOLERANCE = 1e-3
"""How far the probabilities of a row may add up to something other than 1."""
_LEAST = float(np.finfo(np.float64).eps)


def are_distributions(probabilities: Floats) -> npt.NDArray[np.bool_]:
    """Which rows of ``probabilities`` [rows, classes] are numbers from 0 to 1 that add up to 1 within 0.001."""
    with np.errstate(invalid="ignore", over="ignore"):
        bounded: npt.NDArray[np.bool_] = np.all((probabilities >= 0) & (probabilities <= 1), axis=1)
        near = np.abs(np.where(bounded[:, None], probabilities, 0).sum(axis=1) - 1) <= TOLERANCE
    return np.asarray(bounded & near)


def losses(probabilities: Floats, actual: Indices) -> Floats:
    """The log loss −ln p of each row, p being what it gave to its true class (Good 1952, "Rational Decisions").

    A probability is taken to be in [eps, 1 − eps] with eps = 2⁻⁵², as scikit-learn does, so that one certain mistake
    costs 36 and not infinity.
    """
    given = probabilities[np.arange(len(actual)), actual]
    return np.asarray(-np.log(np.clip(given, _LEAST, 1 - _LEAST)))


def ranks(probabilities: Floats, actual: Indices) -> npt.NDArray[np.int64]:
    """The place of each row's true class among its classes, 0 for the most probable.

    Of equal probabilities the later class comes first, as in scikit-learn's ``top_k_accuracy_score``.
    """
    given = probabilities[np.arange(len(actual)), actual][:, None]
    later = np.arange(probabilities.shape[1])[None, :] > np.asarray(actual)[:, None]
    before = (probabilities > given) | ((probabilities == given) & later)
    return np.asarray(before.sum(axis=1), dtype=np.int64)
