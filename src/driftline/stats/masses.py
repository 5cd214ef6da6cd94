"""Sums of class probabilities by predicted class: a summary of rows without labels that merges exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.stats.cells import STRIPS
from driftline.stats.vectors import are_distributions

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

UNIT = 2.0**-32
"""The grain of a probability in a sum: two thousand million rows fit, and the sum is off by less than 1e-10 a row."""


class Masses(NamedTuple):
    """What is remembered of rows with probabilities, by predicted class: whole numbers, so merging is exact.

    ``mass`` [predicted, class] holds Σp and ``spread`` Σp(1-p), both in units of 2⁻³²; ``confidence``
    [predicted, strip] the rows by probability of the predicted class; ``invalid`` the rows left out because their
    probabilities were none.
    """

    mass: Integers
    spread: Integers
    confidence: Integers
    invalid: int

    @property
    def rows(self) -> Integers:
        """The rows of each predicted class."""
        return np.asarray(self.confidence.sum(axis=1))


def masses(probabilities: Floats, predicted: npt.NDArray[np.integer[Any]]) -> Masses:
    """The sums of a batch: ``probabilities`` [rows, classes], ``predicted`` the index of each row's decision."""
    classes = probabilities.shape[1]
    valid = are_distributions(probabilities)
    p, said = probabilities[valid], predicted[valid]
    mass, spread = (_by(said, np.rint(part / UNIT).astype(np.int64)) for part in (p, p * (1 - p)))
    strips = np.minimum((p[np.arange(len(p)), said] * STRIPS).astype(np.int64), STRIPS - 1)
    confidence = np.bincount(said * STRIPS + strips, minlength=classes * STRIPS).reshape(classes, STRIPS)
    return Masses(mass, spread, confidence.astype(np.int64), int((~valid).sum()))


def _by(said: npt.NDArray[np.integer[Any]], parts: Integers) -> Integers:
    """The sums of rows by predicted class."""
    sums = np.zeros((parts.shape[1], parts.shape[1]), dtype=np.int64)
    order = np.argsort(said, kind="stable")
    found, starts = np.unique(said[order], return_index=True)
    if len(starts):
        sums[found] = np.add.reduceat(parts[order], starts, axis=0)
    return sums


def merged(parts: Sequence[Masses]) -> Masses:
    """The sums of all the rows that the parts saw; of one part at least."""
    return Masses(
        np.sum([part.mass for part in parts], axis=0),
        np.sum([part.spread for part in parts], axis=0),
        np.sum([part.confidence for part in parts], axis=0),
        sum(part.invalid for part in parts),
    )
