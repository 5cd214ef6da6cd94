"""Metrics of a binary classifier from its four counts. A metric whose denominator is zero is undefined, not zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}


class Counts(NamedTuple):
    """True positives, false positives, false negatives and true negatives, in rows.

    Arrays in their place, typed as Any, are the counts of many classifiers.
    """

    tp: float
    fp: float
    fn: float
    tn: float

    @property
    def total(self) -> float:
        """All rows."""
        return self.tp + self.fp + self.fn + self.tn

    def always_positive(self) -> Counts:
        """The counts of a classifier that says positive to every row."""
        return Counts(self.tp + self.fn, self.fp + self.tn, 0, 0)


PROPORTIONS: dict[str, tuple[str, Callable[[Counts], tuple[float, float]]]] = {
    "recall": ("no actual positives", lambda c: (c.tp, c.tp + c.fn)),
    "precision": ("no predicted positives", lambda c: (c.tp, c.tp + c.fp)),
    "accuracy": ("no rows", lambda c: (c.tp + c.tn, c.total)),
    "true_positive_rate": ("no actual positives", lambda c: (c.tp, c.tp + c.fn)),
    "true_negative_rate": ("no actual negatives", lambda c: (c.tn, c.tn + c.fp)),
    "false_positive_rate": ("no actual negatives", lambda c: (c.fp, c.tn + c.fp)),
    "false_negative_rate": ("no actual positives", lambda c: (c.fn, c.tp + c.fn)),
}


def proportion(name: str, counts: Counts) -> tuple[float, float]:
    """Numerator and denominator, in rows, of a metric that is a proportion."""
    return PROPORTIONS[name][1](counts)


def value(name: str, counts: Counts) -> float | None:
    """One metric; None where it is undefined.

    F-beta is (1+b²)·TP / ((1+b²)·TP + b²·FN + FP) (van Rijsbergen 1979), undefined when there is neither an actual
    nor a predicted positive.

    >>> value("recall", Counts(tp=16, fp=0, fn=12, tn=173))
    0.5714285714285714
    >>> value("f2", Counts(tp=16, fp=0, fn=12, tn=173))
    0.625
    >>> value("precision", Counts(0, 0, 1, 9)) is None
    True
    """
    part, whole = _f_parts(counts, BETAS[name]) if name in BETAS else proportion(name, counts)
    return part / whole if whole > 0 else None


def values(name: str, counts: Counts) -> Floats:
    """One metric of many classifiers at once, whose counts are arrays; NaN where it is undefined.

    >>> values("recall", Counts(np.array([16, 0]), np.array([0, 1]), np.array([12, 0]), np.array([173, 9]))).tolist()
    [0.5714285714285714, nan]
    """
    part, whole = _f_parts(counts, BETAS[name]) if name in BETAS else proportion(name, counts)
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.greater(whole, 0)))


def f_beta(counts: Counts, beta: float) -> float | None:
    """The F-score that weighs recall ``beta`` times as much as precision; None where it is undefined."""
    part, whole = _f_parts(counts, beta)
    return part / whole if whole > 0 else None


def _f_parts(counts: Counts, beta: float) -> tuple[float, float]:
    weight = beta * beta
    return (1 + weight) * counts.tp, (1 + weight) * counts.tp + weight * counts.fn + counts.fp


def undefined(name: str) -> str:
    """Why a metric can have no value."""
    return PROPORTIONS[name][0] if name in PROPORTIONS else "no actual and no predicted positives"
