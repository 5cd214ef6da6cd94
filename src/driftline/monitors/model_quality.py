"""The model-quality recipe for binary problems: what is measured, suggested, checked and published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.analyzers.confusion import Confusion, ConfusionMatrix, ConfusionState
from driftline.analyzers.scores import Scores, ScoreState, ScoreTables
from driftline.core.documents import (
    Constraint,
    Interval,
    Metric,
    ModelQualityConstraints,
    Operator,
    Violation,
    metric_document,
)
from driftline.core.errors import InputError
from driftline.core.sampling import sample_masks
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.monitors.encoding import binary_codes
from driftline.stats import binary, intervals, ranking

NAMESPACE = "aws/sagemaker/Endpoints/model-metrics"
LEVEL = 0.95
MINIMUM_FOR_DEVIATION = 200
CURVE_POINTS = 1000
SAMPLES, SHARE = 5, 0.8
CONSTRAINED: dict[str, Operator] = {
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


class Encoded(msgspec.Struct, frozen=True):
    """A batch ready for the analyzers, and how many of its rows could not be used and why."""

    judged: pa.RecordBatch
    rows: int
    unlabelled: int
    not_a_class: int


class QualityState(msgspec.Struct, frozen=True):
    """What is remembered of the rows seen: counts of decisions, the distribution of scores, and how many rows."""

    confusion: ConfusionState
    scores: ScoreState
    rows: int = 0
    unlabelled: int = 0
    not_a_class: int = 0


class BinaryQuality:
    """Measures predictions against labels.

    ``threshold`` turns a score into a decision where a row has no prediction: positive when score > threshold.
    ``seed`` draws the five 80 % samples behind the deviations, as a pure function of each record's id.
    """

    def __init__(self, *, threshold: float = 0.5, seed: int = 0) -> None:
        self.threshold = threshold
        self.seed = seed
        self.confusion = Confusion()
        self.scores = Scores()

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """A batch of (id, row, score, prediction, label) as (actual, predicted, score, positive, mask)."""
        labels = binary_codes(batch.column("label"))
        labelled = batch.column("label").is_valid().to_numpy(zero_copy_only=False)
        decided = self._decisions(batch)
        usable = (labels >= 0) & (decided >= 0)
        judged = _columns(batch, labels, decided, usable, self.seed)
        return Encoded(judged, batch.num_rows, int((~labelled).sum()), int((labelled & ~usable).sum()))

    def update(self, batch: pa.RecordBatch) -> QualityState:
        """The state of one batch of (id, row, score, prediction, label)."""
        encoded = self.encode(batch)
        judged = encoded.judged
        # Row by row, so that the split of the rows into batches does not matter.
        scored = judged.filter(pc.fill_null(pc.invert(pc.is_nan(judged.column("score"))), False))
        return QualityState(
            self.confusion.update(judged),
            self.scores.update(scored),
            encoded.rows,
            encoded.unlabelled,
            encoded.not_a_class,
        )

    def merge(self, states: Sequence[QualityState]) -> QualityState:
        """The state of all the rows that the given states saw."""
        return QualityState(
            self.confusion.merge([state.confusion for state in states]),
            self.scores.merge([state.scores for state in states]),
            sum(state.rows for state in states),
            sum(state.unlabelled for state in states),
            sum(state.not_a_class for state in states),
        )

    def measure(self, batches: Iterable[pa.RecordBatch]) -> QualityState:
        """The state of all batches."""
        return self.merge([self.update(batch) for batch in batches])

    def result(self, state: QualityState) -> QualityResult:
        """Every metric of the rows seen."""
        return _result(self.confusion.result(state.confusion), self.scores.result(state.scores))

    def _decisions(self, batch: pa.RecordBatch) -> Any:
        predictions = batch.column("prediction")
        if predictions.null_count == 0:
            return binary_codes(predictions)
        scores = batch.column("score").to_numpy(zero_copy_only=False)
        derived = np.where(np.isnan(scores), -1, scores > self.threshold).astype(np.int8)
        given = predictions.is_valid().to_numpy(zero_copy_only=False)
        return np.where(given, binary_codes(predictions), derived) if given.any() else derived


class QualityResult(msgspec.Struct, frozen=True):
    """The metrics of a set of rows, with what the curves and the matrix need."""

    item_count: int
    metrics: dict[str, Metric]
    matrix: dict[str, dict[str, int]]
    roc: tuple[list[float], list[float]] | None
    precision_recall: tuple[list[float], list[float]] | None


def _columns(batch: pa.RecordBatch, labels: Any, decided: Any, usable: Any, seed: int) -> pa.RecordBatch:
    chosen = pa.array(usable)
    rows = batch.column("row").to_numpy(zero_copy_only=False).astype(np.int64)
    masks = sample_masks(batch.column("id"), rows, samples=SAMPLES, share=SHARE, seed=seed)
    return pa.RecordBatch.from_arrays(
        [
            _classes(labels[usable]),
            _classes(decided[usable]),
            batch.column("score").filter(chosen),
            pa.array(labels[usable] == 1),
            pa.array(masks[usable].astype(np.uint8)),
        ],
        names=["actual", "predicted", "score", "positive", "mask"],
    )


def _classes(codes: Any) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, type=pa.int8()), pa.array(["0", "1"]))


def _result(confusion: ConfusionMatrix, scores: ScoreTables) -> QualityResult:
    every = _counts(confusion.labels, confusion.counts)
    total = int(every.total)
    samples = (
        [_counts(confusion.labels, counts) for counts in confusion.samples] if total >= MINIMUM_FOR_DEVIATION else []
    )
    metrics = {name: _count_metric(name, every, samples) for name in CONSTRAINED if name != "auc"}
    for name in BEST_CONSTANT:
        metrics[f"{name}_best_constant_classifier"] = _count_metric(
            name, every.always_positive(), [sample.always_positive() for sample in samples]
        )
    roc = precision_recall = None
    if len(scores.every.scores) or not total:
        metrics["auc"] = _area_metric(scores, deviation=bool(samples))
        roc = _lists(ranking.roc_curve(scores.every, CURVE_POINTS))
        precision_recall = _lists(ranking.precision_recall_curve(scores.every, CURVE_POINTS))
    matrix = {"0": {"0": int(every.tn), "1": int(every.fp)}, "1": {"0": int(every.fn), "1": int(every.tp)}}
    return QualityResult(total, metrics, matrix, roc, precision_recall)


def _lists(curve: tuple[Any, Any]) -> tuple[list[float], list[float]]:
    return curve[0].tolist(), curve[1].tolist()


def _counts(labels: tuple[str, ...], counts: Any) -> binary.Counts:
    place = {label: index for index, label in enumerate(labels)}

    def cell(actual: str, predicted: str) -> int:
        return int(counts[place[actual], place[predicted]]) if actual in place and predicted in place else 0

    return binary.Counts(cell("1", "1"), cell("0", "1"), cell("1", "0"), cell("0", "0"))


def _count_metric(name: str, counts: binary.Counts, samples: list[binary.Counts]) -> Metric:
    value = binary.value(name, counts)
    if value is None:
        return Metric(None, error=binary.undefined(name))
    if name in binary.BETAS:
        bounds = intervals.f_beta(counts.tp, counts.fp, counts.fn, binary.BETAS[name], LEVEL)
        method = "delta method on the logit"
    else:
        bounds = intervals.wilson(*binary.proportion(name, counts), LEVEL)
        method = "Wilson score"
    interval = None if bounds is None else Interval(*bounds, LEVEL, method)
    return Metric(value, _deviation([binary.value(name, sample) for sample in samples]), interval)


def _area_metric(scores: ScoreTables, *, deviation: bool) -> Metric:
    area = ranking.roc_auc(scores.every)
    if area.auc is None:
        return Metric(None, error="no actual positives" if area.positives == 0 else "no actual negatives")
    bounds = intervals.area(area.auc, area.variance, area.positives, area.negatives, LEVEL)
    method = "DeLong on the logit" if area.variance > 0 and 0 < area.auc < 1 else "Newcombe method 5"
    samples = [ranking.roc_auc(table).auc for table in scores.samples] if deviation else []
    return Metric(area.auc, _deviation(samples), Interval(*bounds, LEVEL, method))


def _deviation(values: list[float | None]) -> float | None:
    """The standard deviation over the samples; None where there are none or one of them has no value."""
    known = [value for value in values if value is not None]
    return float(np.std(known)) if known and len(known) == len(values) else None


def statistics_document(result: QualityResult, evaluation_time: str) -> dict[str, Any]:
    """The content of ``statistics.json``."""
    family: dict[str, Any] = {"confusion_matrix": result.matrix}
    family |= {name: metric_document(metric) for name, metric in result.metrics.items()}
    if result.roc is not None and result.precision_recall is not None:
        family["receiver_operating_characteristic_curve"] = dict(
            zip(("false_positive_rates", "true_positive_rates"), result.roc, strict=True)
        )
        family["precision_recall_curve"] = dict(zip(("precisions", "recalls"), result.precision_recall, strict=True))
    dataset = {"item_count": result.item_count, "evaluation_time": evaluation_time}
    return {"version": 0.0, "dataset": dataset, "binary_classification_metrics": family}


def suggest(result: QualityResult) -> ModelQualityConstraints:
    """Constraints that the baseline itself just meets; a metric without a value gets none."""
    found = {}
    for name, operator in CONSTRAINED.items():
        metric = result.metrics.get(name)
        if metric is not None and metric.value is not None:
            found[name] = Constraint(metric.value, operator)
    return ModelQualityConstraints("BinaryClassification", found)


def check(result: QualityResult, constraints: ModelQualityConstraints) -> tuple[Judgement, tuple[Violation, ...]]:
    """Every constraint that is not met, and the verdict; a constrained metric without a value leaves it UNKNOWN."""
    if constraints.problem_type != "BinaryClassification":
        raise InputError(
            f"the constraints are for {constraints.problem_type}, the data is BinaryClassification",
            hint="use the constraints.json of a baseline of the same problem type",
        )
    violations, unknown = [], []
    for name, constraint in constraints.constraints.items():
        metric = result.metrics.get(name)
        if metric is None or metric.value is None:
            unknown.append(_undefined(name, metric, result.item_count))
        elif _violates(metric.value, constraint):
            violations.append(_violation(name, metric, constraint))
    if violations:
        return Judgement(Verdict.VIOLATED), tuple(violations)
    if not constraints.constraints:
        unknown.append(Reason("no_constraints", "the constraints document is empty: nothing was checked"))
    return Judgement(Verdict.UNKNOWN if unknown else Verdict.OK, tuple(unknown)), ()


def _violates(value: float, constraint: Constraint) -> bool:
    less = constraint.comparison_operator == "LessThanThreshold"
    return value < constraint.threshold if less else value > constraint.threshold


def _violation(name: str, metric: Metric, constraint: Constraint) -> Violation:
    deviation = "NaN" if metric.standard_deviation is None else f"{metric.standard_deviation:.6g}"
    operator = constraint.comparison_operator
    text = f"Metric {name} with {metric.value:.6g} +/- {deviation} was {operator} '{constraint.threshold!r}'"
    return Violation(name, operator, text)


def _undefined(name: str, metric: Metric | None, rows: int) -> Reason:
    why = "it is not computed for this data" if metric is None else metric.error or "undefined"
    return Reason("metric_undefined", f"metric {name} has no value: {why}", {"rows": rows})
