"""Metrics of many classes estimated without labels: laws of the summary, rate of the intervals, conditions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from driftline.stats.calibrator import Condition
from driftline.stats.hindsight import check
from driftline.stats.masses import UNIT, Masses, masses, merged
from driftline.stats.multiclass_estimation import MulticlassCalibrator, estimate_multiclass, fit_multiclass

CLASSES, REPEATS, LEVEL, TOLERANCE = 4, 200, 0.95, 0.046


def made(random: Any, rows: int, power: float = 1.0) -> tuple[Any, Any, Any]:
    """Probabilities (sharpened by ``power``, so overconfident above one), decisions and labels."""
    true = random.dirichlet(np.array([1.2, 0.8, 0.5, 0.3]), rows)
    labels = (random.random(rows)[:, None] > np.cumsum(true, axis=1)[:, :-1]).sum(axis=1)
    said = np.maximum(true, 1e-12) ** power
    said /= said.sum(axis=1, keepdims=True)
    return said, said.argmax(axis=1), labels


def confusion(predicted: Any, labels: Any) -> Any:
    """[predicted, actual]."""
    return np.bincount(predicted * CLASSES + labels, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def realised(predicted: Any, labels: Any) -> dict[str, float | None]:
    found: dict[str, float | None] = {"accuracy": sk.accuracy_score(labels, predicted)}
    weighted: dict[str, Any] = {"average": "weighted", "zero_division": 0}
    found["weighted_recall"] = sk.recall_score(labels, predicted, **weighted)
    found["weighted_precision"] = sk.precision_score(labels, predicted, **weighted)
    for name, beta in {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}.items():
        found[f"weighted_{name}"] = sk.fbeta_score(labels, predicted, beta=beta, **weighted)
    return found


_LONG = [pytest.param(*rows, 1.0, marks=pytest.mark.long) for rows in ((1000, 1000), (500, 5000))]


@pytest.mark.parametrize(
    ("before", "after", "power"),
    [(2000, 500, 1.5), *_LONG],
)
def test_intervals_hold_at_the_stated_rate(before: int, after: int, power: float) -> None:
    random, outcomes = np.random.default_rng(before), []
    for seed in range(REPEATS):
        said, predicted, labels = made(random, before, power)
        calibrator = fit_multiclass(masses(said, predicted), confusion(predicted, labels))
        said, predicted, labels = made(random, after, power)
        found = estimate_multiclass(calibrator, masses(said, predicted), seed=seed)
        outcomes.append(check(found.metrics, realised(predicted, labels)))
    assert sum(not one for one in outcomes) <= 0.02 * REPEATS
    held = {name: np.mean([one[name] for one in outcomes if one]) for name in realised(predicted, labels)}
    assert {name: share for name, share in held.items() if share < LEVEL - TOLERANCE} == {}


def digits(model: Any) -> tuple[Any, Any]:
    """Probabilities and labels of the handwritten digits that a model was not trained on."""
    data, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(5).permutation(len(labels))
    model.fit(data[order[:400]], labels[order[:400]])
    return model.predict_proba(data[order[400:]]), labels[order[400:]]


MODELS = [
    ("honest", make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))),
    ("too modest", make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=3000))),
    ("far too sure", GaussianNB()),
    ("few values", KNeighborsClassifier(7)),
]


@pytest.mark.parametrize("model", [model for _, model in MODELS], ids=[name for name, _ in MODELS])
def test_intervals_hold_on_real_data_of_ten_classes(model: Any) -> None:
    """Most places of the confusion matrix have no row or one: nothing may lean on what stands in a single place."""
    said, labels = digits(model)
    random, outcomes, gaps = np.random.default_rng(1), [], []
    for seed in range(40):
        half = np.array_split(random.permutation(len(labels)), 2)
        (before, truth), (now, realised_labels) = ((said[part], labels[part]) for part in half)
        actual = np.zeros((10, 10), dtype=np.int64)
        np.add.at(actual, (before.argmax(axis=1), truth), 1)
        calibrator = fit_multiclass(masses(before, before.argmax(axis=1)), actual)
        found = estimate_multiclass(calibrator, masses(now, now.argmax(axis=1)), seed=seed)
        if found.conditions:
            continue
        outcomes.append(check(found.metrics, realised(now.argmax(axis=1), realised_labels)))
        gaps.append((found.metrics["accuracy"].value or 0) - np.mean(now.argmax(axis=1) == realised_labels))
    assert len(outcomes) >= 35
    # Of 40 intervals that hold with a chance of 95 %, fewer than 33 do in one of 3,000 trials.
    assert all(np.mean([one[name] for one in outcomes]) >= 33 / 40 for name in outcomes[0])
    assert abs(np.mean(gaps)) < 0.006


def same(one: Masses, other: Masses) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_merging_is_exact_and_order_free() -> None:
    said, predicted, _ = made(np.random.default_rng(3), 999)
    whole = masses(said, predicted)
    for split in (1, 7, 64):
        parts = [masses(said[i::split], predicted[i::split]) for i in range(split)]
        assert same(merged(parts), whole)
        assert same(merged(parts[::-1]), whole)
    none = masses(said[:0], predicted[:0])
    assert same(merged([none, whole]), whole)
    assert whole.mass.sum() * UNIT == pytest.approx(999)
    expected = np.stack([(said * (1 - said))[predicted == k].sum(axis=0) for k in range(CLASSES)])
    assert whole.spread * UNIT == pytest.approx(expected, abs=1e-6)


def baseline(seed: int = 1) -> MulticlassCalibrator:
    said, predicted, labels = made(np.random.default_rng(seed), 2000)
    found = fit_multiclass(masses(said, predicted), confusion(predicted, labels))
    assert isinstance(found, MulticlassCalibrator)
    return found


def test_a_calibrator_survives_its_document() -> None:
    one = baseline()
    other = MulticlassCalibrator.from_builtins(json.loads(json.dumps(one.to_builtins())))
    assert np.array_equal(one.actual, other.actual)
    assert same(one.said, other.said)


def codes(said: Any, predicted: Any, history: Any = ()) -> set[str]:
    found = estimate_multiclass(baseline(), masses(said, predicted), seed=1, history=history)
    assert bool(found.metrics) != bool(found.conditions)
    return {one.code for one in found.conditions}


def test_windows_that_cannot_be_estimated() -> None:
    said, predicted, _ = made(np.random.default_rng(5), 1000)
    assert codes(said, predicted) == set()
    assert codes(said[:0], predicted[:0]) == {"too_few_rows"}
    assert codes(said[:1], predicted[:1]) == {"too_few_rows"}
    for bad in (np.nan, np.inf, -0.1, 1.5):
        broken = said.copy()
        broken[0, 0] = bad
        assert codes(broken, predicted) == {"not_probabilities"}
    chosen = predicted == 2
    assert "score_drift" in codes(np.repeat(said[chosen], 5, axis=0), np.repeat(predicted[chosen], 5))
    assert codes(said, predicted, [{"accuracy": False}] * 3) == {"estimate_contradicted"}
    found = estimate_multiclass(None, masses(said, predicted), seed=1)
    assert [one.code for one in found.conditions] == ["no_calibrator"]


def test_classes_the_baseline_hardly_predicted_are_unknown() -> None:
    said, predicted, labels = made(np.random.default_rng(6), 1000)
    kept = predicted != 3
    calibrator = fit_multiclass(masses(said[kept], predicted[kept]), confusion(predicted[kept], labels[kept]))
    rare = np.concatenate([np.flatnonzero(kept)[:400], np.flatnonzero(~kept)[:30]])
    found = estimate_multiclass(calibrator, masses(said[rare], predicted[rare]), seed=1)
    assert "outside_support" in {one.code for one in found.conditions}


def test_baselines_that_cannot_calibrate() -> None:
    said, predicted, labels = made(np.random.default_rng(7), 1000)

    def code(rows: slice, truth: Any, probabilities: Any = said) -> str:
        found = fit_multiclass(masses(probabilities[rows], predicted[rows]), confusion(predicted[rows], truth[rows]))
        assert isinstance(found, Condition)
        return found.code

    every = slice(None)
    assert code(slice(0), labels) == "baseline_too_small"
    assert code(slice(1), labels) == "baseline_too_small"
    assert code(every, np.zeros_like(labels)) == "baseline_one_class"
    assert code(every, (labels + 1) % CLASSES) == "calibration_poor"
    assert code(every, labels, np.where(np.arange(1000)[:, None] == 3, np.nan, said)) == "not_probabilities"
