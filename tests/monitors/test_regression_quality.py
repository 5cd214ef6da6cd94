"""The regression recipe against scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn import metrics as sk

from driftline.monitors.quality.checks import suggest
from driftline.monitors.quality.regression import CONSTRAINED, RegressionQuality
from driftline.monitors.quality.result import QualityResult, statistics_document
from driftline.testing import labelled_batch, same, split

# Name, rows, mean and deviation of the truth, deviation of the error, decimals kept.
DATA = [
    ("two rows", 2, 0.0, 1.0, 1.0, 9),
    ("ties", 1000, 3.0, 2.0, 1.0, 0),
    ("good", 5000, -7.0, 3.0, 1e-3, 12),
    ("useless", 5000, 0.0, 1.0, 30.0, 12),
    ("huge with a small spread", 5000, 1e9, 1.0, 0.5, 12),
    ("negative and huge", 5000, -1e9, 1.0, 2.0, 12),
    ("tiny", 3000, 1e-12, 1e-13, 1e-13, 30),
    ("a million", 1_000_000, 1e9, 1.0, 0.5, 12),
]


def drawn(n: int, mean: float, deviation: float, error: float, decimals: int = 12, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    truth = random.normal(mean, deviation, n)
    return truth.round(decimals), (truth + random.normal(0, error, n)).round(decimals)


def measured(truth: Any, said: Any, seed: int = 0, weights: Any = None, parts: int = 1) -> QualityResult:
    monitor = RegressionQuality(seed=seed)
    return monitor.result(monitor.measure(split(labelled_batch(truth, scores=said, weights=weights), parts)))


def scikit(truth: Any, said: Any, weight: Any = None) -> dict[str, float]:
    mse = float(sk.mean_squared_error(truth, said, sample_weight=weight))
    return {
        "mae": float(sk.mean_absolute_error(truth, said, sample_weight=weight)),
        "mse": mse,
        "rmse": math.sqrt(mse),
        # Exactly shifted by a whole number, so that the oracle itself keeps its digits.
        "r2": float(sk.r2_score(truth - np.round(truth[0]), said - np.round(truth[0]), sample_weight=weight)),
    }


def values(result: QualityResult) -> dict[str, Any]:
    return {name: metric.value for name, metric in result.metrics.items()}


@pytest.mark.parametrize("case", DATA, ids=[case[0] for case in DATA])
@pytest.mark.parametrize("parts", [1, 7])
def test_every_metric_is_that_of_scikit_learn(case: tuple[Any, ...], parts: int) -> None:
    truth, said = drawn(*case[1:])
    result = measured(truth, said, parts=parts)
    assert values(result) == pytest.approx(scikit(truth, said), rel=1e-9)
    assert result.item_count == len(truth)
    for name, metric in result.metrics.items():
        interval = metric.confidence_interval
        if len(truth) > 2:
            assert interval is not None, name
            assert interval.lower < metric.value < interval.upper <= (1.0 if name == "r2" else math.inf), name
            assert interval.lower > (-math.inf if name == "r2" else 0.0)


def test_one_row() -> None:
    result = measured([3.0], [2.5])
    assert values(result) == {"mae": 0.5, "mse": 0.25, "rmse": 0.5, "r2": None}
    assert all(metric.confidence_interval is None for metric in result.metrics.values())


@pytest.mark.parametrize("n", [2, 60, 5000])
@pytest.mark.parametrize("mean", [0.0, 1e9])
def test_weighted_rows_are_those_of_scikit_learn(n: int, mean: float) -> None:
    truth, said = drawn(n, mean, 1.0, 0.5, seed=n)
    weights = np.random.default_rng(n).random(n) * 3 + 0.01
    assert values(measured(truth, said, weights=weights)) == pytest.approx(scikit(truth, said, weights), rel=1e-9)


def test_whole_weights_are_repeated_rows() -> None:
    truth, said = drawn(500, 2.0, 1.0, 0.5)
    weights = np.random.default_rng(1).integers(0, 5, 500)
    repeated = values(measured(np.repeat(truth, weights), np.repeat(said, weights)))
    assert values(measured(truth, said, weights=weights)) == pytest.approx(repeated, rel=1e-12)


def test_weights_of_one_are_no_weights() -> None:
    truth, said = drawn(2000, 2.0, 1.0, 0.5)
    assert measured(truth, said, weights=np.ones(2000)) == measured(truth, said)


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("n", [200, 5000])
def test_deviations_are_those_of_five_samples_recomputed_row_by_row(deviations: Any, n: int, seed: int) -> None:
    truth, said = drawn(n, 2.0, 1.0, 0.5, seed=seed)
    result = measured(truth, said, seed=seed)
    for name, value in deviations(n, seed, lambda inside: scikit(truth[inside], said[inside])).items():
        assert result.metrics[name].standard_deviation == pytest.approx(value, abs=1e-9), name


def test_the_deviation_is_not_computed_below_200_rows() -> None:
    result = measured(*drawn(199, 2.0, 1.0, 0.5))
    assert all(metric.standard_deviation is None for metric in result.metrics.values())


@pytest.mark.parametrize("n", [40, 900])
def test_intervals_are_the_jackknife_of_the_rows(left_out: Any, n: int) -> None:
    truth, said = drawn(n, 2.0, 1.0, 0.5)
    for name, metric in measured(truth, said).metrics.items():
        left = np.array(left_out(n, 0, lambda kept, name=name: scikit(truth[kept], said[kept])[name]))
        sign = -1.0 if name == "r2" else 1.0
        moved, middle = (np.log(1 - v if name == "r2" else v) for v in (left, metric.value))
        share = (len(left) - 1) / len(left)
        half = stats.t.ppf(0.975, len(left) - 1) * math.sqrt(share * ((moved - moved.mean()) ** 2).sum())
        bounds = np.exp([middle - sign * half, middle + sign * half])
        interval = metric.confidence_interval
        assert interval is not None
        wanted = 1 - bounds if name == "r2" else bounds
        assert (interval.lower, interval.upper) == pytest.approx(wanted, rel=1e-7), name


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("mean", [0.0, 1e9])
@pytest.mark.parametrize("parts", [1, 7, 64])
def test_splits_and_order_differ_in_the_last_digits_only(parts: int, mean: float, weighted: bool) -> None:
    n = 3000
    truth, said = drawn(n, mean, 1.0, 0.5)
    weights = np.random.default_rng(1).random(n) if weighted else None
    batch = labelled_batch(truth, scores=said, weights=weights)
    monitor = RegressionQuality(seed=3)
    whole = monitor.result(monitor.update(batch))
    for rows in (batch, batch.take(pa.array(np.random.default_rng(2).permutation(n)))):
        # Sums of 3000 numbers in another order: some 2**-53 a number.
        assert same(monitor.result(monitor.measure(split(rows, parts))), whole, 1e-10)


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, -7.0, 0.0])
@pytest.mark.parametrize("parts", [1, 7])
def test_constant_truth_has_errors_and_no_r2(value: float, parts: int) -> None:
    result = measured(np.full(777, value), np.full(777, value) + np.arange(777) % 2, parts=parts)
    assert result.metrics["mae"].value == pytest.approx(388 / 777, rel=1e-6)
    r2 = result.metrics["r2"]
    assert (r2.value, r2.confidence_interval) == (None, None)
    assert r2.error is not None
    assert "all the same" in r2.error


def test_a_perfect_model_has_no_error_and_claims_no_certainty() -> None:
    truth, _ = drawn(500, 2.0, 1.0, 0.5)
    result = measured(truth, truth)
    assert values(result) == {"mae": 0.0, "mse": 0.0, "rmse": 0.0, "r2": 1.0}
    assert all(metric.confidence_interval is None for metric in result.metrics.values())


def test_no_rows_have_defined_answers() -> None:
    monitor = RegressionQuality()
    useless = labelled_batch(["x", None, "nan", "inf", "1"], scores=[1.0, 1.0, 1.0, 1.0, None])
    for state in (monitor.merge([]), monitor.update(labelled_batch([], scores=[])), monitor.update(useless)):
        result = monitor.result(state)
        assert result.item_count == 0
        assert set(result.metrics) == set(CONSTRAINED)
        assert all(metric.value is None and metric.error for metric in result.metrics.values())
        assert suggest(result, CONSTRAINED).constraints == {}
        statistics_document(result, "now")
    assert (state.tally.rows, state.tally.unlabelled, state.tally.not_a_class) == (5, 1, 4)


def test_nan_and_infinity_are_counted_not_used() -> None:
    labels = [1.0, math.nan, math.inf, -math.inf, 2.0, 3.0, None]
    scores = [1.5, 1.0, 1.0, 1.0, math.nan, math.inf, 1.0]
    monitor = RegressionQuality()
    state = monitor.update(labelled_batch(labels, scores=scores))
    result = monitor.result(state)
    assert (state.tally.rows, state.tally.not_a_class, result.item_count) == (7, 5, 1)
    assert result.metrics["mae"].value == 0.5


@pytest.mark.parametrize("size", [1e200, 1.7e308])
def test_numbers_too_large_for_a_metric_leave_it_without_a_value(size: float) -> None:
    truth = np.array([size, -size, 1.0] * 100)
    result = measured(truth, -truth, parts=7)
    for name in ("mse", "rmse", "r2"):
        metric = result.metrics[name]
        assert (metric.value, metric.error) == (None, "the numbers are too large")
    statistics_document(result, "now")


def test_a_given_prediction_goes_before_the_score_and_text_is_read_as_numbers() -> None:
    monitor = RegressionQuality()
    batch = labelled_batch(
        ["1", " 2.50 ", "+3", "1e2"], scores=[9.0, 2.0, 9.0, 90.0], predictions=["1", None, "4", None]
    )
    assert monitor.result(monitor.update(batch)).metrics["mae"].value == pytest.approx((0 + 0.5 + 1 + 10) / 4)
    typed = labelled_batch([1, 2], predictions=[1.5, 2.5])
    assert monitor.result(monitor.update(typed)).metrics["mae"].value == 0.5


def test_weights_of_zero_have_no_metrics() -> None:
    result = measured([1.0, 2.0], [1.0, 3.0], weights=[0.0, 0.0])
    assert all(metric.value is None and metric.error for metric in result.metrics.values())
