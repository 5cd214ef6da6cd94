"""Quality of a binary classifier: decisions against labels, and scores against labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.analyzers.confusion import Confusion, ConfusionMatrix, ConfusionState
from driftline.analyzers.scores import ScoreDistribution, Scores, ScoreState
from driftline.core.documents import Interval, Metric
from driftline.core.sampling import GROUPS, samples_of_groups
from driftline.core.state import folded
from driftline.monitors.encoding import binary_codes
from driftline.monitors.quality import binary_estimation
from driftline.monitors.quality.areas import area_metric, groups_without_one
from driftline.monitors.quality.estimation import History
from driftline.monitors.quality.result import (
    CURVE_POINTS,
    LEVEL,
    MINIMUM_FOR_DEVIATION,
    QualityResult,
    Values,
    jackknifed,
    measured,
)
from driftline.monitors.quality.rows import Tally, judged, tally
from driftline.stats import binary, intervals, probabilities, ranking
from driftline.stats.estimation import Estimate

CONSTRAINED = {
    "recall": "LessThanThreshold",
    "precision": "LessThanThreshold",
    "accuracy": "LessThanThreshold",
    "true_positive_rate": "LessThanThreshold",
    "true_negative_rate": "LessThanThreshold",
    "false_positive_rate": "GreaterThanThreshold",
    "false_negative_rate": "GreaterThanThreshold",
    "auc": "LessThanThreshold",
    "f0_5": "LessThanThreshold",
    "f1": "LessThanThreshold",
    "f2": "LessThanThreshold",
}
BEST_CONSTANT = ("recall", "precision", "accuracy", "f0_5", "f1", "f2")
_SUFFIX = "_best_constant_classifier"


class BinaryState(msgspec.Struct, frozen=True):
    """What is remembered of the rows seen: weights of decisions, the distribution of scores, and how many rows.

    ``decided`` is the distribution of all scores, labelled or not, with the decision in the place of the label.
    """

    confusion: ConfusionState
    scores: ScoreState
    tally: Tally = Tally()
    decided: ScoreState | None = None


class BinaryQuality:
    """Measures predictions against labels.

    ``threshold`` turns a score into a decision where a row has no prediction: positive when score > threshold.
    ``seed`` draws the five 80 % samples behind the deviations, as a pure function of each record's id.
    ``estimating`` keeps what an estimate without labels needs.
    """

    constrained = CONSTRAINED

    def __init__(self, *, threshold: float = 0.5, seed: int = 0, estimating: bool = False) -> None:
        self.threshold = threshold
        self.seed = seed
        self.estimating = estimating
        self.confusion = Confusion()
        self.scores = Scores()

    def judged(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Tally]:
        """A batch as the analyzers see it: actual, predicted, score, positive, group, weight; and its tally."""
        labels, decided = binary_codes(batch.column("label")), self._decisions(batch)
        usable = (labels >= 0) & (decided >= 0)
        columns = {
            "actual": _classes(labels),
            "predicted": _classes(decided),
            "score": batch.column("score"),
            "positive": pa.array(labels == 1),
        }
        return judged(batch, usable, self.seed, columns), tally(batch, usable)

    def update(self, batch: pa.RecordBatch) -> BinaryState:
        """The state of one batch of (id, row, score, prediction, label, and optionally weight)."""
        rows, seen = self.judged(batch)
        # Row by row, so that the split of the rows into batches does not matter.
        unscored = pc.fill_null(pc.is_nan(rows.column("score")), True)
        scored = rows if not pc.any(unscored).as_py() else rows.filter(pc.invert(unscored))
        decided = self.scores.update(self._decided(batch)) if self.estimating else None
        return BinaryState(self.confusion.update(rows), self.scores.update(scored), seen, decided)

    def merge(self, states: Sequence[BinaryState]) -> BinaryState:
        """The state of all the rows that the given states saw."""
        return BinaryState(
            self.confusion.merge([state.confusion for state in states]),
            self.scores.merge([state.scores for state in states]),
            sum((state.tally for state in states), Tally()),
            self.scores.merge([state.decided for state in states if state.decided]) if self.estimating else None,
        )

    def measure(self, batches: Iterable[pa.RecordBatch]) -> BinaryState:
        """The state of all batches."""
        return folded(self.merge, (self.update(batch) for batch in batches))

    def result(self, state: BinaryState) -> QualityResult:
        """Every metric of the rows seen."""
        confusion, scores = self.confusion.result(state.confusion), self.scores.result(state.scores)
        samples = (
            samples_of_groups(self.seed) if confusion.rows >= MINIMUM_FOR_DEVIATION else np.zeros((0, GROUPS), bool)
        )
        metrics = _decision_metrics(confusion, samples)
        extras: dict[str, Any] = {"confusion_matrix": _matrix(confusion)}
        if scores.rows or not confusion.rows:
            metrics["auc"] = area_metric(scores, samples, weighted=confusion.weighted)
            reliability = probabilities.curve(*scores.table)
            metrics |= _calibration_metrics(scores, reliability, weighted=confusion.weighted)
            extras |= _curves(scores, reliability)
        return QualityResult("BinaryClassification", confusion.rows, metrics, extras)

    def calibration(self, state: BinaryState) -> dict[str, Any] | None:
        """What a baseline of these rows stores for estimates without labels; None without scores."""
        if not state.scores.rows:
            return None
        scores = self.distribution(state)
        return binary_estimation.calibration_document(scores, threshold=self.threshold, seed=self.seed)

    def estimate(self, state: BinaryState, calibration: Mapping[str, Any], history: History) -> Estimate | None:
        """The metrics as they are estimated without any label; None where nothing was kept for it."""
        if not self.estimating:
            return None
        decided = self.distribution(state, decided=True)
        return binary_estimation.estimate(
            calibration, decided, threshold=self.threshold, seed=self.seed, history=history
        )

    def distribution(self, state: BinaryState, *, decided: bool = False) -> ScoreDistribution:
        """The distribution of scores by label, or, ``decided``, of all scores by decision."""
        return self.scores.result((state.decided or self.scores.identity()) if decided else state.scores)

    def _decided(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Every row that has a score and a decision, as the analyzer of scores sees it."""
        decisions = self._decisions(batch)
        scores = batch.column("score").to_numpy(zero_copy_only=False)
        usable = (decisions >= 0) & ~np.isnan(scores)
        size = int(usable.sum())
        columns = {
            "score": pa.array(scores[usable]),
            "positive": pa.array(decisions[usable] == 1),
            "group": pa.array(np.zeros(size, dtype=np.uint8)),
            "weight": pa.array(np.ones(size)),
        }
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    def _decisions(self, batch: pa.RecordBatch) -> Any:
        predictions = batch.column("prediction")
        if predictions.null_count == 0 and batch.num_rows:
            return binary_codes(predictions)
        scores = batch.column("score").to_numpy(zero_copy_only=False)
        derived = (scores > self.threshold).astype(np.int8)
        derived[np.isnan(scores)] = -1
        if predictions.null_count == batch.num_rows:
            return derived
        given = predictions.is_valid().to_numpy(zero_copy_only=False)
        return np.where(given, binary_codes(predictions), derived)


def _classes(codes: Any) -> pa.DictionaryArray:
    """Codes as classes; a row without a class (−1) becomes null and is left out before it is looked at."""
    indices = pa.array(codes, type=pa.int8(), mask=codes < 0) if (codes < 0).any() else pa.array(codes, type=pa.int8())
    return pa.DictionaryArray.from_arrays(indices, pa.array(["0", "1"]))


def _counts(labels: tuple[str, ...], margins: Any) -> binary.Counts:
    """The four weights from the margins (right, actual, predicted) of the classes that occur."""
    place = {label: index for index, label in enumerate(labels)}
    (tp, positives, flagged), (tn, _, _) = (
        margins[:, place[name]].tolist() if name in place else (0.0, 0.0, 0.0) for name in ("1", "0")
    )
    return binary.Counts(tp, flagged - tp, positives - tp, tn)


def _values(counts: binary.Counts) -> Values:
    names = [name for name in CONSTRAINED if name != "auc"]
    found = {name: binary.value(name, counts) for name in names}
    constant = counts.always_positive()
    return found | {f"{name}{_SUFFIX}": binary.value(name, constant) for name in BEST_CONSTANT}


def _decision_metrics(confusion: ConfusionMatrix, samples: Any) -> dict[str, Metric]:
    total = confusion.margins.sum(axis=0)
    counts = _counts(confusion.labels, total)
    weighted = confusion.weighted
    groups = [group for group in range(GROUPS) if confusion.margins[group].any()] if weighted else []
    without = [_values(_counts(confusion.labels, total - confusion.margins[group])) for group in groups]
    parts = [_values(_counts(confusion.labels, confusion.margins[kept].sum(axis=0))) for kept in samples]

    def bounds(name: str, value: float, left: Sequence[float | None]) -> tuple[tuple[float, float], str] | None:
        if weighted:
            found = jackknifed(value, left, "logit")
            return None if found is None else (found, "delete-a-group jackknife on the logit")
        base = name.removesuffix(_SUFFIX)
        seen = counts if base == name else counts.always_positive()
        if base in binary.BETAS:
            found = intervals.f_beta(seen.tp, seen.fp, seen.fn, binary.BETAS[base], LEVEL)
            return None if found is None else (found, "delta method on the logit")
        found = intervals.wilson(*binary.proportion(base, seen), LEVEL)
        return None if found is None else (found, "Wilson score")

    every = _values(counts)
    errors = {name: binary.undefined(name.removesuffix(_SUFFIX)) for name in every}
    return measured(every, parts, without, errors, bounds)


def _matrix(confusion: ConfusionMatrix) -> dict[str, dict[str, float]]:
    counts = _counts(confusion.labels, confusion.margins.sum(axis=0))
    cells = {"0": {"0": counts.tn, "1": counts.fp}, "1": {"0": counts.fn, "1": counts.tp}}
    return {actual: {name: whole(value) for name, value in row.items()} for actual, row in cells.items()}


def whole(value: float) -> float:
    """A number of rows as a whole number; a weight as it is."""
    return int(value) if value == int(value) else value


def _calibration_metrics(
    scores: ScoreDistribution, curve: probabilities.Reliability | None, *, weighted: bool
) -> dict[str, Metric]:
    """Brier score and expected calibration error, where the scores are probabilities."""
    table = scores.table
    if curve is None or not scores.rows:
        return {}
    brier = probabilities.brier(*table)
    error = probabilities.expected_calibration_error(curve)
    found = {} if brier is None else {"brier_score": Metric(brier, None, _brier_interval(scores, brier, weighted))}
    return found if error is None else found | {"expected_calibration_error": Metric(error)}


def _brier_interval(scores: ScoreDistribution, brier: float, weighted: bool) -> Interval | None:
    table, rows = scores.table, scores.rows
    if weighted:
        found = jackknifed(
            brier, [probabilities.brier(*scores.part(kept)) for kept in groups_without_one(scores)], "logit"
        )
        return None if found is None else Interval(*found, LEVEL, "delete-a-group jackknife on the logit")
    squares = float(table.positives @ (1 - table.scores) ** 4 + table.negatives @ table.scores**4)
    variance = squares / rows - brier * brier
    if rows < 2 or variance <= 0:
        return None
    half = intervals.quantile(LEVEL) * (variance / rows) ** 0.5
    return Interval(max(0.0, brier - half), min(1.0, brier + half), LEVEL, "normal approximation of the mean")


def _curves(scores: ScoreDistribution, curve: probabilities.Reliability | None) -> dict[str, Any]:
    fpr, tpr = ranking.roc_curve(scores.table, CURVE_POINTS)
    precision, recall = ranking.precision_recall_curve(scores.table, CURVE_POINTS)
    found: dict[str, Any] = {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": fpr.tolist(),
            "true_positive_rates": tpr.tolist(),
        },
        "precision_recall_curve": {"precisions": precision.tolist(), "recalls": recall.tolist()},
    }
    if curve is not None:
        full = curve.weights > 0
        names = ("scores", "positives", "weights")
        values = (part[full].tolist() for part in curve)
        found["reliability_curve"] = dict(zip(names, values, strict=True))
    if scores.rounding:
        bound = ranking.ties_bound(scores.table)
        found["score_rounding"] = {"relative_error_of_a_score": scores.rounding, "error_bound_of_auc": bound}
    return found
