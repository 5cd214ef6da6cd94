"""Sums of class probabilities by predicted class: a summary of rows without labels that merges exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.stats.cells import STRIPS

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
    bounded = np.asarray(((probabilities >= 0) & (probabilities <= 1)).all(axis=1))
    valid = bounded & (np.abs(np.where(bounded[:, None], probabilities, 0).sum(axis=1) - 1) < 1e-3)
    p, said = probabilities[valid], predicted[valid]
    mass, spread = np.zeros((classes, classes), dtype=np.int64), np.zeros((classes, classes), dtype=np.int64)
    np.add.at(mass, said, np.rint(p / UNIT).astype(np.int64))
    np.add.at(spread, said, np.rint(p * (1 - p) / UNIT).astype(np.int64))
    strips = np.minimum((p[np.arange(len(p)), said] * STRIPS).astype(np.int64), STRIPS - 1)
    confidence = np.bincount(said * STRIPS + strips, minlength=classes * STRIPS).reshape(classes, STRIPS)
    return Masses(mass, spread, confidence.astype(np.int64), int((~valid).sum()))


def merged(parts: Sequence[Masses]) -> Masses:
    """The sums of all the rows that the parts saw; of one part at least."""
    return Masses(
        np.sum([part.mass for part in parts], axis=0),
        np.sum([part.spread for part in parts], axis=0),
        np.sum([part.confidence for part in parts], axis=0),
        sum(part.invalid for part in parts),
    )
