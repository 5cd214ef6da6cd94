"""Metrics of a classifier of many classes before its labels are known, from sums of its probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
SUPPORT_ROWS, UNSUPPORTED = 20, 0.05
MOST_CLASSES = 100
"""A calibrator holds a number for each pair of classes: beyond this many it would be too large a document."""
MISPLACED = 0.2
"""The share of baseline rows that the probabilities put in a wrong place of the confusion matrix, beyond which a
factor for each place is not a small correction any more and cannot be expected to hold elsewhere."""
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

    The expected confusion matrix is Σp by predicted class, each place multiplied by what the baseline had there over
    what its probabilities said, both with one row more (the ratio estimator of survey sampling, Cochran 1977). The
    labels' own variance is that of independent rows, Σp(1-p); the factor's that of the baseline's rows, as many times
    larger as the window's predicted class is larger than the baseline's. Both are drawn together.
    """
    rows = int(window.rows.sum())
    doubts = _conditions(calibrator, window, history, level)
    if doubts or not isinstance(calibrator, MulticlassCalibrator):
        return Estimate(rows, level, {}, doubts)
    centre, drawn = _matrices(calibrator, window, np.random.default_rng(seed))
    draws = [_metrics(matrix) for matrix in drawn]
    found = {n: _between(v, np.array([draw[n] for draw in draws]), level) for n, v in _metrics(centre).items()}
    return Estimate(rows, level, found, ())


def _between(value: float, draws: Floats, level: float) -> Estimated:
    lower, upper = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2]).tolist()
    return Estimated(value, min(lower, value), max(upper, value))


def _matrices(calibrator: MulticlassCalibrator, window: Masses, random: np.random.Generator) -> tuple[Floats, Floats]:
    """The expected matrix, and matrices that the labels could make."""
    said, n, m = calibrator.said, window.rows[:, None], calibrator.said.rows[:, None]
    factor = (calibrator.actual + 1) / (said.mass * UNIT + 1)
    expected = _scaled(window.mass * UNIT * factor, n)
    shares = np.where(n > 0, expected / np.maximum(n, 1), 1 / len(n))
    bound = n * shares * (1 - shares)
    base = _scaled(said.mass * UNIT * factor, m)
    doubt = _variance(said, base, m) * (n / np.maximum(m, 1)) ** 2
    stretch = np.sqrt((_variance(window, expected, n) + doubt) / np.where(bound > 0, bound, 1))
    draws = random.multinomial(window.rows, shares / shares.sum(axis=1, keepdims=True), (DRAWS, len(n)))
    return expected, _scaled(np.maximum(expected + (draws - expected) * stretch, 0), n)


def _scaled(matrix: npt.NDArray[Any], rows: Integers) -> Floats:
    """The matrix with each predicted class's places adding up to its rows."""
    total = matrix.sum(axis=-1, keepdims=True)
    return np.asarray(matrix * np.where(total > 0, rows / np.where(total > 0, total, 1), 0))


def _variance(said: Masses, expected: Floats, rows: Integers) -> Floats:
    """Σq(1-q) of probabilities q = f·p, with f so that Σq is what is expected; at most that of equal q."""
    mass, squares = said.mass * UNIT, (said.mass - said.spread) * UNIT
    factor = expected / np.where(mass > 0, mass, 1)
    most = expected * (1 - expected / np.maximum(rows, 1))
    return np.clip(expected - factor**2 * squares, 0, np.maximum(most, 0))


def _metrics(matrix: Floats) -> dict[str, float]:
    """The metrics of a confusion matrix [predicted, actual] that has rows."""
    found = multiclass.metrics(np.diagonal(matrix), matrix.sum(axis=0), matrix.sum(axis=1))
    return {name: value for name, value in found.items() if value is not None}


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
