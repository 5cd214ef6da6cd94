"""Quality of a model that predicts a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from driftline.analyzers.residuals import Moments, Residuals, ResidualState, combined
from driftline.core.documents import Metric
from driftline.core.sampling import GROUPS, samples_of_groups
from driftline.core.state import folded
from driftline.monitors.encoding import numbers
from driftline.monitors.quality.estimation import History
from driftline.monitors.quality.result import MINIMUM_FOR_DEVIATION, QualityResult, Values, jackknifed, measured
from driftline.monitors.quality.rows import Tally, judged, tally
from driftline.stats import regression
from driftline.stats.estimation import Estimate
from driftline.stats.jackknife import Scale

CONSTRAINED = {
    "mae": "GreaterThanThreshold",
    "mse": "GreaterThanThreshold",
    "rmse": "GreaterThanThreshold",
    "r2": "LessThanThreshold",
}
_CONSTANT = "the true values are all the same, or there are none"


class RegressionState(msgspec.Struct, frozen=True):
    """What is remembered of the rows seen."""

    residuals: ResidualState
    tally: Tally = Tally()


class RegressionQuality:
    """Measures predicted numbers against true ones. ``seed`` draws the five 80 % samples behind the deviations."""

    constrained = CONSTRAINED

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        self.residuals = Residuals()

    def update(self, batch: pa.RecordBatch) -> RegressionState:
        """The state of one batch of (id, row, score or prediction, label, and optionally weight)."""
        actual, predicted = numbers(batch.column("label")), _predictions(batch)
        usable = np.isfinite(actual) & np.isfinite(predicted)
        rows = judged(batch, usable, self.seed, {"actual": pa.array(actual), "predicted": pa.array(predicted)})
        return RegressionState(self.residuals.update(rows), tally(batch, usable))

    def merge(self, states: Sequence[RegressionState]) -> RegressionState:
        """The state of all the rows that the given states saw."""
        residuals = self.residuals.merge([state.residuals for state in states])
        return RegressionState(residuals, sum((state.tally for state in states), Tally()))

    def measure(self, batches: Iterable[pa.RecordBatch]) -> RegressionState:
        """The state of all batches."""
        return folded(self.merge, (self.update(batch) for batch in batches))

    def calibration(self, state: RegressionState) -> dict[str, Any] | None:
        """None: there is no estimate of regression metrics without labels."""
        return None

    def estimate(self, state: RegressionState, calibration: Mapping[str, Any], history: History) -> Estimate | None:
        """None: a prediction says nothing of its own error."""
        return None

    def result(self, state: RegressionState) -> QualityResult:
        """Every metric of the rows seen."""
        sums = state.residuals
        samples: Any = samples_of_groups(self.seed) if sums.rows >= MINIMUM_FOR_DEVIATION else []
        return QualityResult("Regression", sums.rows, _metrics(sums, samples))


def _predictions(batch: pa.RecordBatch) -> Any:
    """The predicted number: the prediction where there is one, else the score."""
    scores = batch.column("score").to_numpy(zero_copy_only=False)
    predictions = batch.column("prediction")
    if predictions.null_count == batch.num_rows:
        return scores
    return np.where(predictions.is_valid().to_numpy(zero_copy_only=False), numbers(predictions), scores)


def _metrics(sums: ResidualState, samples: Any) -> dict[str, Metric]:
    parts = _values(sums, samples) if len(samples) else []
    without = _values(sums, ~np.eye(GROUPS, dtype=bool)[sums.weight > 0])

    def bounds(name: str, value: float, left: Sequence[float | None]) -> tuple[tuple[float, float], str] | None:
        scale: Scale = "log of 1 - value" if name == "r2" else "log"
        found = jackknifed(value, left, scale)
        return None if found is None else (found, f"delete-a-group jackknife on the {scale}")

    (every,) = _values(sums, np.ones((1, GROUPS), dtype=bool))
    return measured(every, parts, without, _errors(sums, every), bounds)


def _errors(sums: ResidualState, every: Values) -> dict[str, str]:
    """Why a metric has no value."""
    if not (sums.weight > 0).any():
        return dict.fromkeys(CONSTRAINED, "no rows") | {"r2": _CONSTANT}
    large = dict.fromkeys(CONSTRAINED, "the numbers are too large")
    return large if every["mse"] is None or not np.isfinite(sums.spread).all() else large | {"r2": _CONSTANT}


def _values(sums: ResidualState, kept: Any) -> list[Values]:
    """The metrics of many selections of the groups, [some, groups]; their means and spreads are folded in halves."""
    moments = Moments(*(np.where(kept, part, 0.0) for part in sums.moments))
    totals = [np.where(kept, part, 0.0).sum(axis=1) for part in (sums.weight, sums.absolute, sums.squared)]
    while (half := moments.weight.shape[1] // 2) > 0:
        halves = (Moments(*(part[:, side] for part in moments)) for side in (slice(half), slice(half, None)))
        moments = combined(*halves)
    rows = zip(*(total.tolist() for total in totals), moments.spread[:, 0].tolist(), strict=True)
    return [regression.metrics(regression.ErrorSums(*row)) for row in rows]
