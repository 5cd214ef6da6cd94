"""The binary model-quality recipe against scikit-learn, and against recomputation row by row."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import special, stats
from sklearn import metrics as sk

from driftline.analyzers.scores import Scores
from driftline.monitors.quality.binary import BEST_CONSTANT, CONSTRAINED, BinaryQuality
from driftline.monitors.quality.checks import suggest
from driftline.monitors.quality.result import QualityResult, statistics_document
from driftline.testing import labelled_batch, prediction_batch, same, split

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


def drawn(n: int, share: float, distinct: int, infinite: float, seed: int = 1) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    truth = random.random(n) < share
    scores = np.floor(np.clip(0.7 * random.random(n) + 0.3 * truth, 0, 1) * distinct) / distinct
    ends = random.random(n) < infinite
    scores[ends] = np.where(random.random(n) < 0.5, np.inf, -np.inf)[ends]
    return truth, scores


def measured(truth: Any, scores: Any, threshold: float = 0.5, seed: int = 0, weights: Any = None) -> QualityResult:
    monitor = BinaryQuality(threshold=threshold, seed=seed)
    return monitor.result(monitor.update(labelled_batch(texts(truth), scores=scores, weights=weights)))


def texts(truth: Any) -> list[str]:
    return np.where(truth, "1", "0").tolist()


def wanted(truth: Any, said: Any, weight: Any = None) -> dict[str, float]:
    """Every metric of counts by scikit-learn; NaN where it is undefined."""
    share: dict[str, Any] = {"zero_division": np.nan, "sample_weight": weight}
    rate = {
        "recall": sk.recall_score(truth, said, **share),
        "precision": sk.precision_score(truth, said, **share),
        "accuracy": sk.accuracy_score(truth, said, sample_weight=weight),
        "true_negative_rate": sk.recall_score(truth, said, pos_label=False, **share),
    }
    rate["true_positive_rate"] = rate["recall"]
    rate["false_negative_rate"] = 1 - rate["recall"]
    rate["false_positive_rate"] = 1 - rate["true_negative_rate"]
    return rate | {name: sk.fbeta_score(truth, said, beta=beta, **share) for name, beta in BETAS.items()}


def everything(truth: Any, scores: Any, weight: Any = None) -> dict[str, float]:
    """Every metric of a recipe with threshold 0.5 by scikit-learn, or row by row where it has none."""
    n = len(truth)
    found = wanted(truth, scores > 0.5, weight)
    constant = wanted(truth, np.ones(n, bool), weight)
    found |= {f"{name}_best_constant_classifier": constant[name] for name in BEST_CONSTANT}
    # scikit-learn refuses infinite scores; ranks keep every order and tie.
    ranks = np.unique(scores, return_inverse=True)[1]
    found["auc"] = sk.roc_auc_score(truth, ranks, sample_weight=weight) if 0 < truth.sum() < n else math.nan
    if scores.min() >= 0 and scores.max() <= 1:
        found["brier_score"] = ((scores - truth) ** 2 * (w := np.ones(n) if weight is None else weight)).sum() / w.sum()
        if 0 < truth.sum() < n:
            found["brier_score"] = sk.brier_score_loss(truth, scores, sample_weight=weight)
        found["expected_calibration_error"] = calibration_error(truth, scores, w)
    return found


def calibration_error(truth: Any, scores: Any, weight: Any) -> float:
    """Row by row: bins (i/10, (i+1)/10], the first with 0."""
    edges = [number / 10 for number in range(11)]
    total = 0.0
    for place, (low, high) in enumerate(pairwise(edges)):
        inside = (scores > low) & (scores <= high) | ((place == 0) & (scores == 0))
        total += abs((weight * (scores - truth))[inside].sum())
    return float(total / weight.sum())


@pytest.mark.parametrize(("n", "share", "distinct", "infinite"), [case[1:] for case in DATA], ids=[c[0] for c in DATA])
def test_every_metric_is_that_of_scikit_learn(n: int, share: float, distinct: int, infinite: float) -> None:
    truth, scores = drawn(n, share, distinct, infinite)
    result = measured(truth, scores)
    said = scores > 0.5
    expected = everything(truth, scores)
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
            if interval is None:
                # The squared errors of one row, or of rows that are all equally wrong, have no spread.
                assert name == "expected_calibration_error" or (name == "brier_score" and n == 1)
                continue
            assert 0.0 <= interval.lower <= metric.value + 1e-12
            assert metric.value - 1e-12 <= interval.upper <= 1.0
            assert interval.level == 0.95
    assert result.item_count == n
    cells = sk.confusion_matrix(truth, said, labels=[False, True])
    assert [[result.extras["confusion_matrix"][a][b] for b in "01"] for a in "01"] == cells.tolist()


def test_no_rows_have_defined_answers() -> None:
    monitor = BinaryQuality()
    for state in (monitor.merge([]), monitor.update(labelled_batch([], scores=[])), monitor.measure([])):
        result = monitor.result(state)
        assert result.item_count == 0
        assert all(metric.value is None and metric.error for metric in result.metrics.values())
        assert set(result.metrics) >= set(CONSTRAINED)
        assert suggest(result, CONSTRAINED).constraints == {}
        statistics_document(result, "now")


def test_without_scores_their_metrics_are_left_out() -> None:
    monitor = BinaryQuality()
    result = monitor.result(monitor.update(labelled_batch(["1", "0", "1"], predictions=["1", "0", "0"])))
    assert "auc" not in result.metrics
    document = statistics_document(result, "now")["binary_classification_metrics"]
    assert "receiver_operating_characteristic_curve" not in document
    assert "precision_recall_curve" not in document
    assert document["recall"]["value"] == 0.5
    assert "auc" not in suggest(result, CONSTRAINED).constraints


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("n", [200, 5000])
def test_deviations_are_those_of_five_samples_recomputed_row_by_row(deviations: Any, n: int, seed: int) -> None:
    truth, scores = drawn(n, 0.3, 40, 0.0, seed=seed)
    result = measured(truth, scores, seed=seed)
    expected = deviations(n, seed, lambda inside: everything(truth[inside], scores[inside]))
    assert set(expected) == set(result.metrics)
    for name, value in expected.items():
        if name in ("brier_score", "expected_calibration_error"):
            assert result.metrics[name].standard_deviation is None
            continue
        assert value > 0 or name == "recall_best_constant_classifier"
        assert result.metrics[name].standard_deviation == pytest.approx(value, abs=1e-9), name


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
    batch = labelled_batch([str(int(random.random() < 0.5)) for _ in range(n)], scores=scores, predictions=said)
    monitor = BinaryQuality()
    whole = monitor.update(batch)
    for parts in (2, 7, 64, 300):
        assert monitor.measure(split(batch, parts)) == whole
    usable = [bool(p is not None or (s is not None and not math.isnan(s))) for s, p in zip(scores, said, strict=True)]
    assert monitor.result(whole).item_count == sum(usable)
    assert whole.tally.not_a_class == n - sum(usable)
    assert int(whole.scores.weights.sum()) == sum(s is not None and not math.isnan(s) for s in scores)


def test_a_score_equal_to_the_threshold_is_negative() -> None:
    monitor = BinaryQuality(threshold=0.8)
    result = monitor.result(monitor.update(labelled_batch(["1", "1"], scores=[0.8, np.nextafter(0.8, 1)])))
    assert result.extras["confusion_matrix"] == {"0": {"0": 0, "1": 0}, "1": {"0": 1, "1": 1}}


def test_a_given_prediction_goes_before_the_score() -> None:
    monitor = BinaryQuality()
    result = monitor.result(monitor.update(labelled_batch(["1", "0"], scores=[0.9, 0.1], predictions=["0", "1"])))
    assert result.extras["confusion_matrix"] == {"0": {"0": 0, "1": 1}, "1": {"0": 1, "1": 0}}
    assert result.metrics["auc"].value == 1.0


def test_labels_in_every_spelling() -> None:
    monitor = BinaryQuality()
    labels = ["1", " 1 ", "1.0", "+1", "1e0", "true", "TRUE", "True", "0", "0.0", "-0", "false", "2", "yes", "", None]
    state = monitor.update(labelled_batch(labels, scores=[0.9] * len(labels)))
    assert (state.tally.rows, state.tally.unlabelled, state.tally.not_a_class) == (len(labels), 1, 3)
    assert monitor.result(state).extras["confusion_matrix"] == {"0": {"0": 0, "1": 4}, "1": {"0": 0, "1": 8}}


def test_a_row_that_no_class_fits_is_counted_not_used() -> None:
    monitor = BinaryQuality()
    state = monitor.update(labelled_batch(["1", "0", "1"], predictions=["1", "maybe", None]))
    assert (state.tally.rows, state.tally.not_a_class) == (3, 2)
    assert monitor.result(state).item_count == 1


@pytest.mark.parametrize("n", [1, 2, 50, 3000])
def test_weighted_metrics_are_those_of_scikit_learn(n: int) -> None:
    truth, scores = drawn(n, 0.4, 30, 0.0, seed=n)
    weights = np.random.default_rng(n).random(n) * 3 + 0.01
    result = measured(truth, scores, weights=weights)
    expected = everything(truth, scores, weights)
    assert set(result.metrics) == set(expected)
    for name, value in expected.items():
        found = result.metrics[name].value
        assert (found is None) == math.isnan(value), name
        if found is not None:
            assert found == pytest.approx(value, abs=1e-9), name
    assert result.item_count == n
    cells = sk.confusion_matrix(truth, scores > 0.5, labels=[False, True], sample_weight=weights)
    found_cells = [[result.extras["confusion_matrix"][a][b] for b in "01"] for a in "01"]
    assert np.array(found_cells) == pytest.approx(cells, abs=1e-9)


def test_whole_weights_are_repeated_rows() -> None:
    truth, scores = drawn(500, 0.4, 30, 0.0)
    weights = np.random.default_rng(1).integers(1, 5, 500)
    found = measured(truth, scores, weights=weights).metrics
    repeated = measured(np.repeat(truth, weights), np.repeat(scores, weights)).metrics
    for name, metric in repeated.items():
        assert found[name].value == pytest.approx(metric.value, abs=1e-12), name


def test_weights_of_one_are_no_weights() -> None:
    truth, scores = drawn(3000, 0.3, 40, 0.0)
    assert measured(truth, scores, weights=np.ones(3000)) == measured(truth, scores)


def test_weighted_intervals_are_the_jackknife_of_the_rows(left_out: Any) -> None:
    n = 1000
    truth, scores = drawn(n, 0.4, 30, 0.0)
    weights = np.random.default_rng(2).random(n) + 0.5
    # Weights whose mean is 1 are weights all the same.
    weights *= n / weights.sum()
    result = measured(truth, scores, weights=weights)
    each = left_out(n, 0, lambda kept: everything(truth[kept], scores[kept], weights[kept]))
    for name in ("recall", "precision", "f2", "auc", "brier_score"):
        metric = result.metrics[name]
        moved = special.logit(np.array([values[name] for values in each]))
        error = math.sqrt(63 / 64 * ((moved - moved.mean()) ** 2).sum())
        middle, half = special.logit(metric.value), stats.t.ppf(0.975, 63) * error
        interval = metric.confidence_interval
        assert interval is not None
        assert interval.method == "delete-a-group jackknife on the logit"
        bounds = special.expit([middle - half, middle + half])
        assert (interval.lower, interval.upper) == pytest.approx(bounds, abs=1e-9), name


def test_a_metric_that_hangs_on_one_group_has_no_weighted_interval() -> None:
    truth = np.zeros(300, bool)
    truth[7] = True
    scores = np.linspace(0, 1, 300)
    result = measured(truth, scores, weights=np.linspace(1, 2, 300))
    for name in ("auc", "recall"):
        assert result.metrics[name].value is not None
        assert result.metrics[name].confidence_interval is None


def test_weights_that_only_sum_to_the_rows_are_still_weights() -> None:
    truth, scores = drawn(400, 0.4, 30, 0.0)
    result = measured(truth, scores, weights=np.tile([0.5, 1.5], 200))
    interval = result.metrics["recall"].confidence_interval
    assert interval is not None
    assert "jackknife" in interval.method


@pytest.mark.parametrize("parts", [1, 7, 64])
def test_splits_of_weighted_rows_differ_in_the_last_digits_only(parts: int) -> None:
    n = 3000
    truth, scores = drawn(n, 0.3, 10**9, 0.0)
    batch = labelled_batch(texts(truth), scores=scores, weights=np.random.default_rng(3).random(n))
    shuffled = batch.take(pa.array(np.random.default_rng(4).permutation(n)))
    monitor = BinaryQuality()
    whole = monitor.result(monitor.update(batch))
    for rows in (batch, shuffled):
        # Sums of 3000 weights in another order: some 2**-53 a row; curves may then turn at other points.
        found = monitor.result(monitor.measure(split(rows, parts)))
        assert same(found.metrics, whole.metrics, 1e-10)
        assert same(found.extras["reliability_curve"], whole.extras["reliability_curve"], 1e-10)


def test_a_million_rows() -> None:
    truth, scores = drawn(1_000_000, 0.2, 10**9, 0.0)
    result = measured(truth, scores)
    said = scores > 0.5
    # Counted in whole numbers, and the area by its definition over ranks: scikit-learn takes seconds here.
    tp, fp, fn = int((said & truth).sum()), int((said & ~truth).sum()), int((~said & truth).sum())
    positives = int(truth.sum())
    ranks = stats.rankdata(scores)
    area = (ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * (1_000_000 - positives))
    expected = {
        "recall": tp / (tp + fn),
        "precision": tp / (tp + fp),
        "f2": 5 * tp / (5 * tp + 4 * fn + fp),
        "auc": area,
        "brier_score": ((scores - truth) ** 2).mean(),
        "expected_calibration_error": calibration_error(truth, scores, np.ones(1_000_000)),
    }
    assert {name: result.metrics[name].value for name in expected} == pytest.approx(expected, abs=1e-9)


def test_the_reliability_curve_names_the_bins_that_have_rows() -> None:
    truth, scores = drawn(1000, 0.4, 20, 0.0)
    curve = measured(truth, scores).extras["reliability_curve"]
    edges = [number / 10 for number in range(11)]
    place = np.maximum(np.digitize(scores, edges, right=True) - 1, 0)
    bins = sorted(set(place.tolist()))
    assert curve["weights"] == [float((place == b).sum()) for b in bins]
    assert curve["scores"] == pytest.approx([scores[place == b].mean() for b in bins], abs=1e-12)
    assert curve["positives"] == pytest.approx([truth[place == b].mean() for b in bins], abs=1e-12)


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    truth, scores = drawn(300, 0.4, 20, 0.0)
    result = measured(truth, scores * 2 - 0.5)
    assert "auc" in result.metrics
    assert not {"brier_score", "expected_calibration_error"} & set(result.metrics)
    assert "reliability_curve" not in result.extras


def test_scores_of_nan_are_left_out_and_infinite_ones_rank_first_and_last() -> None:
    labels = ["1", "0", "1", "0", "1"]
    scores = [math.inf, -math.inf, math.nan, 0.2, None]
    monitor = BinaryQuality()
    state = monitor.update(labelled_batch(labels, scores=scores))
    assert (state.tally.rows, state.tally.not_a_class) == (5, 2)
    result = monitor.result(state)
    assert result.item_count == 3
    assert result.metrics["auc"].value == 1.0
    with_predictions = monitor.result(monitor.update(labelled_batch(labels, scores=scores, predictions=labels)))
    assert with_predictions.item_count == 5
    assert with_predictions.metrics["accuracy"].value == 1.0
    assert with_predictions.metrics["auc"].value == 1.0


def test_a_weight_of_zero_counts_for_nothing() -> None:
    truth, scores = drawn(300, 0.4, 20, 0.0)
    kept = np.arange(300) % 3 > 0
    found = measured(truth, scores, weights=kept.astype(float))
    for name, metric in measured(truth[kept], scores[kept]).metrics.items():
        assert found.metrics[name].value == pytest.approx(metric.value, abs=1e-12), name
    nothing = measured(truth, scores, weights=np.zeros(300))
    assert all(metric.value is None and metric.error for metric in nothing.metrics.values())
    statistics_document(nothing, "now")


def test_rounded_scores_say_how_far_the_area_can_be_off() -> None:
    truth, scores = drawn(5000, 0.3, 10**9, 0.0)
    monitor = BinaryQuality()
    monitor.scores = Scores(most_entries=600)
    result = monitor.result(monitor.update(labelled_batch(texts(truth), scores=scores)))
    rounding = result.extras["score_rounding"]
    assert abs(result.metrics["auc"].value - sk.roc_auc_score(truth, scores)) <= rounding["error_bound_of_auc"]
    assert "score_rounding" not in measured(truth, scores).extras
