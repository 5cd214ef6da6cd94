"""The multiclass recipe against scikit-learn, whatever the classes are called."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import special, stats
from sklearn import metrics as sk

from driftline.core.documents import dump
from driftline.monitors.quality.checks import suggest
from driftline.monitors.quality.multiclass import CONSTRAINED, MulticlassQuality
from driftline.monitors.quality.result import QualityResult, statistics_document
from driftline.testing import labelled_batch, same, split

BETAS = {"weighted_f0_5": 0.5, "weighted_f1": 1.0, "weighted_f2": 2.0}
ODD = [
    "",
    "ünï cødé",
    "日本",
    "🙂",
    'say "x"',
    "it's",
    "a,b",
    "line\nbreak",
    "{}",
    "None",
    "nan",
    "1",
    "2.5",
    "-3",
    "x" * 500,
]
# Name, rows, classes, share of rows predicted rightly, how unequal the classes are.
DATA = [
    ("one row", 1, 3, 1.0, 0.0),
    ("two rows", 2, 3, 0.5, 0.0),
    ("one class", 300, 1, 1.0, 0.0),
    ("two classes", 500, 2, 0.7, 1.0),
    ("extreme imbalance", 20_000, 6, 0.9, 7.0),
    ("all wrong", 400, 5, 0.0, 0.0),
    ("all right", 400, 5, 1.0, 0.0),
    ("500 classes", 20_000, 500, 0.6, 1.0),
    ("more classes than rows", 200, 1000, 0.3, 0.0),
]


def drawn(n: int, size: int, skill: float, unequal: float, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    share = np.arange(1, size + 1.0) ** -unequal
    truth = random.choice(size, n, p=share / share.sum())
    other = (truth + random.integers(1, max(size, 2), n)) % size
    return truth, np.where(random.random(n) < skill, truth, other)


def measured(truth: Any, said: Any, seed: int = 0, weights: Any = None) -> QualityResult:
    monitor = MulticlassQuality(seed=seed)
    return monitor.result(monitor.update(labelled_batch(truth, predictions=said, weights=weights)))


def names_of(codes: Any, names: Any = None) -> list[str]:
    return [f"class {code}" if names is None else names[code] for code in codes.tolist()]


def scikit(truth: Any, said: Any, weight: Any = None) -> dict[str, float]:
    shared: dict[str, Any] = {"average": "weighted", "zero_division": 0, "sample_weight": weight}
    found = {"accuracy": float(sk.accuracy_score(truth, said, sample_weight=weight))}
    for name, beta in BETAS.items():
        precision, recall, score, _ = sk.precision_recall_fscore_support(truth, said, beta=beta, **shared)
        found |= {"weighted_precision": float(precision), "weighted_recall": float(recall), name: float(score)}
    return found


def wanted(truth: Any, said: Any, weight: Any = None, majority: int | None = None) -> dict[str, float]:
    if majority is None:
        majority = int(np.bincount(truth, weight).argmax())
    constant = scikit(truth, np.full(len(truth), majority), weight)
    return scikit(truth, said, weight) | {f"{k}_best_constant_classifier": v for k, v in constant.items()}


def values(result: QualityResult) -> dict[str, Any]:
    return {name: metric.value for name, metric in result.metrics.items()}


@pytest.mark.parametrize(("n", "size", "skill", "unequal"), [case[1:] for case in DATA], ids=[c[0] for c in DATA])
def test_every_metric_is_that_of_scikit_learn(n: int, size: int, skill: float, unequal: float) -> None:
    truth, said = drawn(n, size, skill, unequal)
    result = measured(names_of(truth), names_of(said))
    assert values(result) == pytest.approx(scikit(truth, said) | constant_by_name(truth), abs=1e-9)
    assert result.item_count == n
    for name, metric in result.metrics.items():
        interval = metric.confidence_interval
        if interval is not None:
            assert 0.0 <= interval.lower <= metric.value + 1e-12, name
            assert metric.value - 1e-12 <= interval.upper <= 1.0, name
            assert interval.lower < interval.upper, name
        else:
            assert n < 3 or "constant" in name, name


def constant_by_name(truth: Any) -> dict[str, float]:
    """The most frequent class; of several the first in the order of their names."""
    counts = np.bincount(truth)
    first = min(np.flatnonzero(counts == counts.max()).tolist(), key=lambda code: f"class {code}")
    constant = scikit(truth, np.full(len(truth), first))
    return {f"{name}_best_constant_classifier": value for name, value in constant.items()}


def test_labels_never_predicted_and_predictions_never_true() -> None:
    truth = np.array([0, 0, 1, 1, 2, 2, 2])
    said = np.array([0, 3, 3, 4, 0, 0, 4])
    result = measured(names_of(truth), names_of(said))
    assert values(result) == pytest.approx(wanted(truth, said), abs=1e-12)
    matrix = result.extras["confusion_matrix"]
    labels = [f"class {code}" for code in range(5)]
    assert list(matrix) == labels
    assert [[matrix[a][b] for b in labels] for a in labels] == sk.confusion_matrix(truth, said).tolist()


def test_classes_of_any_name() -> None:
    truth, said = drawn(3000, len(ODD), 0.6, 0.5)
    result = measured(names_of(truth, ODD), names_of(said, ODD))
    assert values(result) == pytest.approx(wanted(truth, said), abs=1e-9)
    matrix = json.loads(dump(statistics_document(result, "now")))["multiclass_classification_metrics"][
        "confusion_matrix"
    ]
    assert sorted(matrix) == sorted(ODD)
    counts = {(a, b): 0 for a in ODD for b in ODD}
    for a, b in zip(names_of(truth, ODD), names_of(said, ODD), strict=True):
        counts[a, b] += 1
    assert {(a, b): matrix[a][b] for a, b in counts} == counts


def test_numbers_in_every_spelling_are_one_class() -> None:
    result = measured(["1", "1.0", "+1", " 1 ", "1e0", "2", "2.50"], ["1.0", "1", "1", "1.00", "1", "02", "2.5"])
    assert result.metrics["accuracy"].value == 1.0
    assert list(result.extras["confusion_matrix"]) == ["1", "2", "2.5"]
    # As numbers, and with the one side text: what a table with typed columns gives.
    assert measured([1, 2, 3], ["1", "2.0", "4"]).metrics["accuracy"].value == pytest.approx(2 / 3)
    assert measured([1.0, 2.5], ["1", "2.5"]).metrics["accuracy"].value == 1.0


def test_long_identifiers_stay_apart() -> None:
    ids = ["9007199254740992", "9007199254740993", "12345678901234567890", "12345678901234567891"]
    result = measured(ids, ids)
    assert list(result.extras["confusion_matrix"]) == sorted(ids)


@pytest.mark.parametrize("n", [1, 2, 60, 5000])
def test_weighted_rows_are_those_of_scikit_learn(n: int) -> None:
    truth, said = drawn(n, 6, 0.6, 1.0, seed=n)
    weights = np.random.default_rng(n).random(n) * 3 + 0.01
    result = measured(names_of(truth), names_of(said), weights=weights)
    assert values(result) == pytest.approx(wanted(truth, said, weights), abs=1e-9)


def test_weights_of_one_are_no_weights() -> None:
    truth, said = (names_of(codes) for codes in drawn(2000, 6, 0.6, 1.0))
    assert measured(truth, said, weights=np.ones(2000)) == measured(truth, said)


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("n", [200, 2000])
def test_deviations_are_those_of_five_samples_recomputed_row_by_row(deviations: Any, n: int, seed: int) -> None:
    truth, said = drawn(n, 5, 0.7, 1.0, seed=seed)
    result = measured(names_of(truth), names_of(said), seed=seed)
    for name, value in deviations(n, seed, lambda inside: wanted(truth[inside], said[inside])).items():
        assert result.metrics[name].standard_deviation == pytest.approx(value, abs=1e-9), name


def test_the_deviation_is_not_computed_below_200_rows() -> None:
    truth, said = (names_of(codes) for codes in drawn(199, 4, 0.7, 1.0))
    assert all(metric.standard_deviation is None for metric in measured(truth, said).metrics.values())


@pytest.mark.parametrize("name", ["weighted_precision", "weighted_f1"])
def test_intervals_are_the_jackknife_of_the_rows(left_out: Any, name: str) -> None:
    truth, said = drawn(900, 4, 0.7, 1.0)
    metric = measured(names_of(truth), names_of(said)).metrics[name]
    moved = special.logit(np.array(left_out(900, 0, lambda kept: scikit(truth[kept], said[kept])[name])))
    middle = special.logit(metric.value)
    half = stats.t.ppf(0.975, 63) * math.sqrt(63 / 64 * ((moved - moved.mean()) ** 2).sum())
    interval = metric.confidence_interval
    assert interval is not None
    assert (interval.lower, interval.upper) == pytest.approx(special.expit([middle - half, middle + half]), abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("parts", [1, 7, 64])
def test_splits_and_order_do_not_matter(parts: int, weighted: bool) -> None:
    truth, said = (names_of(codes, ODD) for codes in drawn(3000, len(ODD), 0.6, 1.0))
    weights = np.random.default_rng(1).random(3000) if weighted else None
    batch = labelled_batch(truth, predictions=said, weights=weights)
    monitor = MulticlassQuality(seed=3)
    whole = monitor.update(batch)
    for rows in (batch, batch.take(pa.array(np.random.default_rng(2).permutation(3000)))):
        state = monitor.measure(split(rows, parts))
        if weighted:
            # Sums of 3000 weights in another order: some 2**-53 a row.
            assert same(monitor.result(state), monitor.result(whole), 1e-10, 1e-10)
        else:
            assert state == whole


def test_no_rows_have_defined_answers() -> None:
    monitor = MulticlassQuality()
    nothing = labelled_batch([None, None, "a"], predictions=["a", None, None])
    for state in (monitor.merge([]), monitor.update(labelled_batch([], predictions=[])), monitor.update(nothing)):
        result = monitor.result(state)
        assert result.item_count == 0
        assert set(result.metrics) >= set(CONSTRAINED)
        assert all(metric == type(metric)(None, error="no rows") for metric in result.metrics.values())
        assert suggest(result, CONSTRAINED).constraints == {}
        statistics_document(result, "now")
    assert (state.tally.rows, state.tally.unlabelled, state.tally.not_a_class) == (3, 2, 1)


def test_weights_of_zero_have_no_metrics() -> None:
    result = measured(["a", "b"], ["a", "a"], weights=[0.0, 0.0])
    assert all(metric.value is None and metric.error for metric in result.metrics.values())


@pytest.mark.parametrize("right", [True, False])
def test_a_perfect_and_a_useless_classifier_have_an_interval(right: bool) -> None:
    truth, _ = drawn(100, 4, 1.0, 0.0)
    result = measured(names_of(truth), names_of(truth if right else (truth + 1) % 4))
    bounds = stats.binomtest(100 if right else 0, 100).proportion_ci(0.95, method="wilson")
    for name in CONSTRAINED:
        interval = result.metrics[name].confidence_interval
        assert interval is not None
        assert (interval.lower, interval.upper) == pytest.approx((bounds.low, bounds.high), abs=1e-12)


def test_texts_of_nan_and_infinity_are_classes_and_numbers_of_nan_too() -> None:
    result = measured(["nan", "inf", "-inf", "x"], ["nan", "inf", "inf", "x"])
    assert result.item_count == 4
    assert result.metrics["accuracy"].value == 0.75
    assert measured([math.inf, 1.0], [math.inf, 1.0]).metrics["accuracy"].value == 1.0


def test_a_million_rows() -> None:
    truth, said = drawn(1_000_000, 20, 0.8, 1.0)
    names = np.array([f"class {code:02d}" for code in range(20)])
    batch = labelled_batch([], predictions=[])
    columns = {
        "id": pa.nulls(1_000_000, pa.string()),
        "row": pa.array(np.arange(1_000_000)),
        "score": pa.nulls(1_000_000, pa.float64()),
        "prediction": pa.array(names).take(pa.array(said)),
        "label": pa.array(names).take(pa.array(truth)),
    }
    assert list(columns) == batch.schema.names
    monitor = MulticlassQuality()
    found = values(monitor.result(monitor.update(pa.RecordBatch.from_pydict(columns))))
    # One row for each cell, weighted by its rows, is the same to scikit-learn and takes no time.
    cells = np.bincount(truth * 20 + said, minlength=400)
    assert found == pytest.approx(wanted(np.arange(400) // 20, np.arange(400) % 20, cells), abs=1e-9)
