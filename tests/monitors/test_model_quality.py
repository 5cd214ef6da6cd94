"""The binary model-quality recipe against scikit-learn, and against recomputation row by row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as sk

from driftline.core.documents import Constraint, ModelQualityConstraints
from driftline.core.errors import InputError
from driftline.core.sampling import sample_masks
from driftline.core.verdict import Verdict
from driftline.monitors.model_quality import (
    BEST_CONSTANT,
    CONSTRAINED,
    BinaryQuality,
    QualityResult,
    check,
    statistics_document,
    suggest,
)
from driftline.testing import prediction_batch, same, split

BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
# Name, rows, share of positives, number of distinct scores, size of the infinite part.
DATA = [
    ("one row", 1, 0.5, 5, 0.0),
    ("two rows", 2, 0.5, 5, 0.0),
    ("ties", 1000, 0.4, 3, 0.0),
    ("no ties", 3000, 0.3, 10**9, 0.0),
    ("imbalanced", 20_000, 0.0005, 100, 0.0),
    ("nearly all positive", 5000, 0.998, 50, 0.0),
    ("constant scores", 500, 0.5, 1, 0.0),
    ("infinite scores", 2000, 0.5, 20, 0.3),
    ("only negatives", 400, 0.0, 20, 0.0),
    ("only positives", 400, 1.0, 20, 0.0),
    ("many", 100_000, 0.2, 10**9, 0.01),
]


def batch_of(
    labels: Any, scores: Any = None, predictions: list[str | None] | None = None, start: int = 0
) -> pa.RecordBatch:
    n = len(labels)
    return pa.RecordBatch.from_pydict(
        {
            "id": pa.array([""] * n, pa.string()),
            "row": pa.array(np.arange(start, start + n), pa.int64()),
            "score": pa.nulls(n, pa.float64()) if scores is None else pa.array(scores, pa.float64()),
            "prediction": pa.nulls(n, pa.string()) if predictions is None else pa.array(predictions, pa.string()),
            "label": pa.array(labels, pa.string()),
        }
    )


def drawn(n: int, share: float, distinct: int, infinite: float, seed: int = 1) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    truth = random.random(n) < share
    scores = np.floor(np.clip(0.7 * random.random(n) + 0.3 * truth, 0, 1) * distinct) / distinct
    ends = random.random(n) < infinite
    scores[ends] = np.where(random.random(n) < 0.5, np.inf, -np.inf)[ends]
    return truth, scores


def measured(truth: Any, scores: Any, threshold: float = 0.5, seed: int = 0) -> QualityResult:
    monitor = BinaryQuality(threshold=threshold, seed=seed)
    return monitor.result(monitor.update(batch_of(np.where(truth, "1", "0").tolist(), scores)))


def wanted(truth: Any, said: Any) -> dict[str, float]:
    """Every metric of counts by scikit-learn; NaN where it is undefined."""
    share: dict[str, Any] = {"zero_division": np.nan}
    rate = {
        "recall": sk.recall_score(truth, said, **share),
        "precision": sk.precision_score(truth, said, **share),
        "accuracy": sk.accuracy_score(truth, said),
        "true_negative_rate": sk.recall_score(truth, said, pos_label=False, **share),
    }
    rate["true_positive_rate"] = rate["recall"]
    rate["false_negative_rate"] = 1 - rate["recall"]
    rate["false_positive_rate"] = 1 - rate["true_negative_rate"]
    return rate | {name: sk.fbeta_score(truth, said, beta=beta, **share) for name, beta in BETAS.items()}


@pytest.mark.parametrize(("n", "share", "distinct", "infinite"), [case[1:] for case in DATA], ids=[c[0] for c in DATA])
def test_every_metric_is_that_of_scikit_learn(n: int, share: float, distinct: int, infinite: float) -> None:
    truth, scores = drawn(n, share, distinct, infinite)
    result = measured(truth, scores)
    said = scores > 0.5
    expected = wanted(truth, said)
    expected |= {
        f"{k}_best_constant_classifier": v for k, v in wanted(truth, np.ones(n, bool)).items() if k in BEST_CONSTANT
    }
    # scikit-learn refuses infinite scores; ranks keep every order and tie.
    ranks = np.unique(scores, return_inverse=True)[1]
    expected["auc"] = sk.roc_auc_score(truth, ranks) if 0 < truth.sum() < n else math.nan
    assert set(result.metrics) == set(expected)
    for name, value in expected.items():
        metric = result.metrics[name]
        if math.isnan(value):
            assert metric.value is None, name
            assert metric.error is not None
            assert metric.error.startswith("no "), name
            assert metric.confidence_interval is None
        else:
            # The same counts, divided in another order.
            assert metric.value == pytest.approx(value, abs=1e-9), name
            interval = metric.confidence_interval
            assert interval is not None
            assert 0.0 <= interval.lower <= metric.value + 1e-12
            assert metric.value - 1e-12 <= interval.upper <= 1.0
            assert interval.level == 0.95
    assert result.item_count == n
    cells = sk.confusion_matrix(truth, said, labels=[False, True])
    assert [[result.matrix[a][b] for b in "01"] for a in "01"] == cells.tolist()


def test_no_rows_have_defined_answers() -> None:
    monitor = BinaryQuality()
    for state in (monitor.merge([]), monitor.update(batch_of([], [])), monitor.measure([])):
        result = monitor.result(state)
        assert result.item_count == 0
        assert all(metric.value is None and metric.error for metric in result.metrics.values())
        assert set(result.metrics) >= set(CONSTRAINED)
        assert suggest(result).constraints == {}
        statistics_document(result, "now")


def test_without_scores_their_metrics_are_left_out() -> None:
    monitor = BinaryQuality()
    result = monitor.result(monitor.update(batch_of(["1", "0", "1"], None, ["1", "0", "0"])))
    assert "auc" not in result.metrics
    document = statistics_document(result, "now")["binary_classification_metrics"]
    assert "receiver_operating_characteristic_curve" not in document
    assert "precision_recall_curve" not in document
    assert document["recall"]["value"] == 0.5
    assert "auc" not in suggest(result).constraints


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("n", [200, 5000])
def test_deviations_are_those_of_five_samples_recomputed_row_by_row(n: int, seed: int) -> None:
    truth, scores = drawn(n, 0.3, 40, 0.0, seed=seed)
    result = measured(truth, scores, seed=seed)
    masks = sample_masks(pa.array([""] * n), np.arange(n), samples=5, share=0.8, seed=seed)
    samples = [(masks >> np.uint64(s)) & np.uint64(1) == 1 for s in range(5)]
    each: dict[str, list[float]] = {}
    for inside in samples:
        values = wanted(truth[inside], scores[inside] > 0.5)
        constant = wanted(truth[inside], np.ones(int(inside.sum()), bool))
        values |= {f"{k}_best_constant_classifier": v for k, v in constant.items() if k in BEST_CONSTANT}
        for name, value in (values | {"auc": sk.roc_auc_score(truth[inside], scores[inside])}).items():
            each.setdefault(name, []).append(value)
    assert set(each) == set(result.metrics)
    for name, values in each.items():
        assert result.metrics[name].standard_deviation == pytest.approx(np.std(values), abs=1e-9), name


def test_the_deviation_is_not_computed_below_200_rows() -> None:
    truth, scores = drawn(199, 0.3, 40, 0.0)
    document = statistics_document(measured(truth, scores), "now")["binary_classification_metrics"]
    assert document["recall"]["standard_deviation"] == "NaN"
    truth, scores = drawn(200, 0.3, 40, 0.0)
    document = statistics_document(measured(truth, scores), "now")["binary_classification_metrics"]
    assert document["recall"]["standard_deviation"] > 0


@pytest.mark.parametrize("options", [{}, {"distinct": 5}, {"predicted": True}, {"predicted": True, "scored": False}])
def test_splits_and_order_do_not_matter(options: dict[str, Any]) -> None:
    batch = prediction_batch(3000, 8, **options)
    monitor = BinaryQuality(threshold=0.6, seed=3)
    whole = monitor.update(batch)
    orders = [batch, batch.take(pa.array(np.random.default_rng(0).permutation(3000)))]
    for parts in (1, 7, 64):
        for rows in orders:
            state = monitor.measure(split(rows, parts))
            assert state == whole
            assert same(monitor.result(state), monitor.result(whole))


def test_rows_that_lack_a_score_or_a_prediction_count_alike_in_every_split() -> None:
    random = np.random.default_rng(2)
    n = 300
    scores = [None if random.random() < 0.2 else float(random.random()) for _ in range(n)]
    scores[10] = float("nan")
    said = [None if random.random() < 0.5 else str(int(random.random() < 0.5)) for _ in range(n)]
    batch = batch_of([str(int(random.random() < 0.5)) for _ in range(n)], scores, said)
    monitor = BinaryQuality()
    whole = monitor.update(batch)
    for parts in (2, 7, 64, 300):
        assert monitor.measure(split(batch, parts)) == whole
    usable = [bool(p is not None or (s is not None and not math.isnan(s))) for s, p in zip(scores, said, strict=True)]
    assert monitor.result(whole).item_count == sum(usable)
    assert whole.not_a_class == n - sum(usable)
    assert int(whole.scores.counts.sum()) == sum(s is not None and not math.isnan(s) for s in scores)


def test_a_score_equal_to_the_threshold_is_negative() -> None:
    monitor = BinaryQuality(threshold=0.8)
    result = monitor.result(monitor.update(batch_of(["1", "1"], [0.8, np.nextafter(0.8, 1)])))
    assert result.matrix == {"0": {"0": 0, "1": 0}, "1": {"0": 1, "1": 1}}


def test_a_given_prediction_goes_before_the_score() -> None:
    monitor = BinaryQuality()
    result = monitor.result(monitor.update(batch_of(["1", "0"], [0.9, 0.1], ["0", "1"])))
    assert result.matrix == {"0": {"0": 0, "1": 1}, "1": {"0": 1, "1": 0}}
    assert result.metrics["auc"].value == 1.0


def test_labels_in_every_spelling() -> None:
    monitor = BinaryQuality()
    labels = ["1", " 1 ", "1.0", "+1", "1e0", "true", "TRUE", "True", "0", "0.0", "-0", "false", "2", "yes", "", None]
    state = monitor.update(batch_of(labels, [0.9] * len(labels)))
    assert (state.rows, state.unlabelled, state.not_a_class) == (len(labels), 1, 3)
    assert monitor.result(state).matrix == {"0": {"0": 0, "1": 4}, "1": {"0": 0, "1": 8}}


def test_a_row_that_no_class_fits_is_counted_not_used() -> None:
    monitor = BinaryQuality()
    state = monitor.update(batch_of(["1", "0", "1"], None, ["1", "maybe", None]))
    assert (state.rows, state.not_a_class) == (3, 2)
    assert monitor.result(state).item_count == 1


def constraints(**metrics: tuple[float, str]) -> ModelQualityConstraints:
    made = {name: Constraint(value, operator) for name, (value, operator) in metrics.items()}  # type: ignore[arg-type]
    return ModelQualityConstraints("BinaryClassification", made)


def test_a_baseline_meets_its_own_constraints() -> None:
    for seed in range(5):
        truth, scores = drawn(500, 0.3, 50, 0.0, seed=seed)
        result = measured(truth, scores)
        suggested = suggest(result)
        assert {name: c.comparison_operator for name, c in suggested.constraints.items()} == CONSTRAINED
        judgement, violations = check(result, suggested)
        assert (judgement.verdict, judgement.reasons, violations) == (Verdict.OK, (), ())


def test_violations_are_worded_as_published() -> None:
    truth, scores = drawn(1000, 0.3, 50, 0.0)
    result = measured(truth, scores)
    judgement, (violation,) = check(
        result, constraints(f2=(0.99, "LessThanThreshold"), recall=(0.0, "LessThanThreshold"))
    )
    metric = result.metrics["f2"]
    assert judgement.verdict is Verdict.VIOLATED
    assert (violation.metric_name, violation.constraint_check_type) == ("f2", "LessThanThreshold")
    assert violation.description == (
        f"Metric f2 with {metric.value:.6g} +/- {metric.standard_deviation:.6g} was LessThanThreshold '0.99'"
    )


@pytest.mark.parametrize(
    ("operator", "offset", "violated"),
    [
        ("LessThanThreshold", 0.0, False),
        ("LessThanThreshold", 1e-12, True),
        ("LessThanThreshold", -1e-12, False),
        ("GreaterThanThreshold", 0.0, False),
        ("GreaterThanThreshold", -1e-12, True),
        ("GreaterThanThreshold", 1e-12, False),
    ],
)
def test_a_value_equal_to_its_threshold_is_no_violation(operator: str, offset: float, violated: bool) -> None:
    truth, scores = drawn(1000, 0.3, 50, 0.0)
    result = measured(truth, scores)
    value = result.metrics["accuracy"].value
    assert value is not None
    judgement, violations = check(result, constraints(accuracy=(value + offset, operator)))
    assert (judgement.verdict is Verdict.VIOLATED, bool(violations)) == (violated, violated)


def test_a_metric_without_a_value_leaves_the_verdict_open() -> None:
    result = measured(np.zeros(50, bool), np.full(50, 0.1))
    judgement, violations = check(
        result, constraints(recall=(0.5, "LessThanThreshold"), accuracy=(0.5, "LessThanThreshold"))
    )
    assert (judgement.verdict, violations) == (Verdict.UNKNOWN, ())
    assert [reason.code for reason in judgement.reasons] == ["metric_undefined"]
    assert "no actual positives" in judgement.reasons[0].message
    judgement, violations = check(
        result, constraints(recall=(0.5, "LessThanThreshold"), accuracy=(1.5, "LessThanThreshold"))
    )
    assert (judgement.verdict, len(violations)) == (Verdict.VIOLATED, 1)


def test_an_unknown_metric_and_no_constraints_leave_the_verdict_open() -> None:
    result = measured(*drawn(50, 0.5, 10, 0.0))
    judgement, _ = check(result, constraints(f3=(0.5, "LessThanThreshold")))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "f3" in judgement.reasons[0].message
    judgement, _ = check(result, constraints())
    assert (judgement.verdict, judgement.reasons[0].code) == (Verdict.UNKNOWN, "no_constraints")


def test_constraints_of_another_problem_are_refused() -> None:
    with pytest.raises(InputError, match="Regression"):
        check(measured(*drawn(50, 0.5, 10, 0.0)), ModelQualityConstraints("Regression", {}))
