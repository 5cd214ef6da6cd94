"""Metrics of a classifier of many classes before its labels are known, from sums of its probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.stats import multiclass
from driftline.stats.calibrator import BASELINE_ROWS, Condition
from driftline.stats.estimability import CHANCE, DISTANCE, ROWS
from driftline.stats.estimation import Estimate, Estimated
from driftline.stats.hindsight import contradicted
from driftline.stats.masses import UNIT, Masses

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DRAWS = 2000
_HELD = 1 << 21
"""Places of drawn matrices that are held at a time: 16 MB."""
UNSEEN = 1.0
"""Rows of each predicted class that are added to the baseline's when shares are drawn, so that errors it happens not
to have can occur."""
SUPPORT_ROWS, UNSUPPORTED = 20, 0.05
MOST_CLASSES = 100
"""A calibrator holds a number for each pair of classes: beyond this many it would be too large a document."""
MISPLACED = 0.2
"""The share of baseline rows that the probabilities put in a wrong place of the confusion matrix, beyond which what
is added to each place is not a small correction any more and cannot be expected to hold elsewhere."""
WATCHED = ("accuracy", "weighted_precision", "weighted_f1")


class MulticlassCalibrator(NamedTuple):
    """A labelled baseline: its confusion matrix [predicted, actual], and what its probabilities said of it."""

    actual: Integers
    said: Masses

    def to_builtins(self) -> dict[str, Any]:
        """Plain values, for a document."""
        arrays = {"mass": self.said.mass, "spread": self.said.spread, "confidence": self.said.confidence}
        return {"actual": self.actual.tolist()} | {name: array.tolist() for name, array in arrays.items()}

    @classmethod
    def from_builtins(cls, document: Mapping[str, Any]) -> MulticlassCalibrator:
        """The calibrator of a document."""
        parts = {name: np.asarray(document[name], dtype=np.int64) for name in ("mass", "spread", "confidence")}
        return cls(np.asarray(document["actual"], dtype=np.int64), Masses(**parts, invalid=0))


def fit_multiclass(said: Masses, actual: Integers) -> MulticlassCalibrator | Condition:
    """The calibrator of a labelled baseline with its confusion matrix [predicted, actual], or why it has none."""
    rows = int(actual.sum())
    facts: dict[str, Any]
    if len(actual) > MOST_CLASSES:
        facts = {"classes": len(actual), "most": MOST_CLASSES}
        return Condition("too_many_classes", "there are too many classes to estimate metrics of", facts)
    if said.invalid:
        facts = {"rows": rows, "invalid": said.invalid}
        return Condition("not_probabilities", "the baseline has rows whose probabilities are none", facts)
    if rows < BASELINE_ROWS:
        facts = {"rows": rows, "needed": BASELINE_ROWS}
        return Condition("baseline_too_small", "the baseline has too few labelled rows", facts)
    if np.count_nonzero(actual.sum(axis=0)) < 2:
        return Condition("baseline_one_class", "all rows of the baseline are of one class", {"rows": rows})
    misplaced = float(np.abs(actual - said.mass * UNIT).sum() / 2 / rows)
    # The mean of a folded normal for each place.
    chance = float(np.sqrt(said.spread * UNIT * 2 / np.pi).sum() / 2 / rows)
    if misplaced > MISPLACED + chance:
        facts = {"misplaced": misplaced, "by_chance": chance, "bound": MISPLACED}
        return Condition("calibration_poor", "on the baseline itself the probabilities are far from the truth", facts)
    return MulticlassCalibrator(actual, said)


def estimate_multiclass(
    calibrator: MulticlassCalibrator | Condition | None,
    window: Masses,
    *,
    seed: int,
    level: float = 0.95,
    history: Sequence[Mapping[str, bool | None]] = (),
) -> Estimate:
    """What accuracy and the weighted metrics will be when the labels of these rows come.

    The expected confusion matrix is Σp by predicted class, plus what the labels had over Σp on the baseline, for as
    many rows: the difference estimator of survey sampling (Cochran 1977, 7.9). It is right however far the
    probabilities are off, as long as they are off alike in the window. How far a matrix can be from it is drawn from
    a Dirichlet-multinomial: shares of the true classes among the rows of one predicted class that the baseline's rows
    could stand for (the Bayesian bootstrap, Rubin 1981), then labels with these shares. That is as if a probability
    told no more of a row than its predicted class does, so the interval is rather too wide where it does.
    """
    rows = int(window.rows.sum())
    doubts = _conditions(calibrator, window, history, level)
    if doubts or not isinstance(calibrator, MulticlassCalibrator):
        return Estimate(rows, level, {}, doubts)
    expected = _expected(calibrator, window)
    parts = [_metrics(part) for part in _drawn(calibrator, window, expected, np.random.default_rng(seed))]
    found = {
        name: _between(float(value), np.concatenate([part[name] for part in parts]), level)
        for name, value in _metrics(expected).items()
    }
    return Estimate(rows, level, found, ())


def _between(value: float, draws: Floats, level: float) -> Estimated:
    lower, upper = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2]).tolist()
    return Estimated(value, min(lower, value), max(upper, value))


def _expected(calibrator: MulticlassCalibrator, window: Masses) -> Floats:
    """The expected matrix; a place can be a little below zero, so that the sums are unbiased."""
    said, n, m = calibrator.said, window.rows[:, None], calibrator.said.rows[:, None]
    return np.asarray(window.mass * UNIT + (calibrator.actual - said.mass * UNIT) * n / np.maximum(m, 1))


def _drawn(
    calibrator: MulticlassCalibrator, window: Masses, expected: Floats, random: np.random.Generator
) -> Iterator[Floats]:
    """Matrices [some, predicted, actual] that the labels could make, around the expected one."""
    classes, n = len(expected), window.rows[:, None]
    likely = np.maximum(expected, 0)
    total = likely.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, likely / np.where(total > 0, total, 1), 1 / classes)
    weights = calibrator.said.rows[:, None] * shares + UNSEEN / classes
    mean = n * weights / weights.sum(axis=1, keepdims=True)
    size = max(1, _HELD // classes**2)
    for first in range(0, DRAWS, size):
        gammas = random.standard_gamma(weights, (min(size, DRAWS - first), classes, classes))
        counts = random.multinomial(window.rows, gammas / gammas.sum(axis=2, keepdims=True))
        yield expected + (counts - mean)


def _metrics(matrices: Floats) -> dict[str, Floats]:
    """The metrics of confusion matrices [..., predicted, actual] that have rows."""
    right = np.maximum(np.diagonal(matrices, axis1=-2, axis2=-1), 0)
    actual, predicted = (np.maximum(matrices.sum(axis=axis), right) for axis in (-2, -1))
    return {name: np.minimum(found, 1.0) for name, found in multiclass.averages(right, actual, predicted).items()}


def _conditions(
    calibrator: MulticlassCalibrator | Condition | None,
    window: Masses,
    history: Sequence[Mapping[str, bool | None]],
    level: float,
) -> tuple[Condition, ...]:
    rows = int(window.rows.sum())
    if calibrator is None:
        return (Condition("no_calibrator", "the baseline holds no calibration of probabilities", {"rows": rows}),)
    if isinstance(calibrator, Condition):
        return (calibrator,)
    if window.invalid:
        facts = {"rows": rows, "invalid": window.invalid}
        return (Condition("not_probabilities", "there are rows whose probabilities are none", facts),)
    if rows < ROWS:
        return (Condition("too_few_rows", "too few rows to estimate metrics", {"rows": rows, "needed": ROWS}),)
    before = contradicted(history, level=level, watched=WATCHED)
    found = (_unsupported(calibrator, window), _drifted(calibrator, window), before)
    return tuple(one for one in found if one is not None)


def _unsupported(calibrator: MulticlassCalibrator, window: Masses) -> Condition | None:
    """Too many rows are predicted to be of classes that the baseline hardly predicted."""
    strange = int(window.rows[calibrator.said.rows < SUPPORT_ROWS].sum())
    rows = int(window.rows.sum())
    if strange <= UNSUPPORTED * rows:
        return None
    facts = {"rows": rows, "unsupported": strange, "bound": UNSUPPORTED}
    return Condition("outside_support", "many rows are of classes that the baseline hardly predicted", facts)


def _drifted(calibrator: MulticlassCalibrator, window: Masses) -> Condition | None:
    """The largest change of the share of rows of one predicted class up to some confidence, beyond chance."""
    before, now = calibrator.said.confidence, window.confidence
    shares = [np.cumsum(part, axis=1) / part.sum() for part in (before, now)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    n, m = int(now.sum()), int(before.sum())
    chance = float(np.sqrt(np.log(2 * len(now) / CHANCE) / 2 * (1 / n + 1 / m)))
    if distance <= DISTANCE + chance:
        return None
    facts: dict[str, Any] = {
        "distance": distance,
        "by_chance": chance,
        "bound": DISTANCE,
        "rows": n,
        "baseline_rows": m,
    }
    return Condition("score_drift", "predictions and their confidence are distributed too differently", facts)
