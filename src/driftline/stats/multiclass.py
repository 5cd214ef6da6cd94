"""Metrics of a classifier of any number of classes from the margins of its confusion matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
NAMES = ("accuracy", "weighted_recall", "weighted_precision", "weighted_f0_5", "weighted_f1", "weighted_f2")
BETAS = {"weighted_f0_5": 0.5, "weighted_f1": 1.0, "weighted_f2": 2.0}


def metrics(right: Vector, actual: Vector, predicted: Vector) -> dict[str, float | None]:
    """Accuracy and the averages of recall, precision and F-beta over the true classes, weighted by their shares.

    The arguments hold a weight for every class: of its rows predicted rightly, of its rows, and of the rows predicted
    as it. The precision of a true class that was never predicted counts 0, as scikit-learn's ``average="weighted"``
    with ``zero_division=0`` has it; a class that was predicted and never true has weight 0. None without rows.

    >>> metrics(np.array([2.0, 1.0]), np.array([2.0, 2.0]), np.array([3.0, 1.0]))["weighted_precision"]
    0.8333333333333333
    """
    found = averages(right, actual, predicted)
    return {name: None if np.isnan(value) else float(value) for name, value in found.items()}


def averages(right: Vector, actual: Vector, predicted: Vector) -> dict[str, Vector]:
    """The same for many classifiers at once: the arguments are [..., classes], the metrics [...]; NaN without rows."""
    total = np.asarray(actual.sum(axis=-1), dtype=np.float64)
    known = np.where(total > 0, total, np.nan)
    share = right.sum(axis=-1) / known
    found = {
        "accuracy": share,
        "weighted_recall": share,
        "weighted_precision": (_share(right, predicted) * actual).sum(axis=-1) / known,
    }
    for name, beta in BETAS.items():
        weight = beta * beta
        scores = _share((1 + weight) * right, weight * actual + predicted)
        found[name] = (scores * actual).sum(axis=-1) / known
    return found


def always_majority(right: Vector, actual: Vector, predicted: Vector) -> tuple[Vector, Vector, Vector]:
    """The same for a classifier that always says the most frequent true class (of several the first); for many too."""
    classes = np.arange(actual.shape[-1])
    chosen = classes == actual.argmax(axis=-1)[..., None] if len(classes) else np.zeros(actual.shape, dtype=bool)
    return chosen * actual, actual, chosen * actual.sum(axis=-1, keepdims=True)


def _share(part: Vector, whole: Vector) -> Vector:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
