"""The multiclass recipe with probabilities against scikit-learn: ties, missing classes, weights, one row, many rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as sk

from driftline.core.documents import dump
from driftline.core.errors import InputError
from driftline.monitors.quality.checks import suggest
from driftline.monitors.quality.multiclass import CONSTRAINED, MulticlassQuality
from driftline.monitors.quality.result import QualityResult, statistics_document
from driftline.testing import same, split

OURS = {"log_loss", "roc_auc_ovr", "weighted_roc_auc_ovr"}


def vector_batch(said: Any, labels: Any, predictions: Any = None, weights: Any = None) -> pa.RecordBatch:
    """Rows with one probability a class, as an engine hands them over; None is no vector."""
    n = len(labels)
    lists = (
        pa.FixedSizeListArray.from_arrays(pa.array(said.ravel()), said.shape[1])
        if isinstance(said, np.ndarray)
        else pa.array(said, pa.list_(pa.float64()))
    )
    columns = {
        "id": pa.nulls(n, pa.string()),
        "row": pa.array(np.arange(n)),
        "score": lists,
        "prediction": pa.array(predictions, pa.string()) if predictions is not None else pa.nulls(n, pa.string()),
        "label": pa.array(labels, pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns | ({} if weights is None else {"weight": pa.array(weights)}))


def drawn(n: int, classes: int, seed: int = 0, *, digits: int | None = None, missing: int = 0) -> tuple[Any, Any]:
    """Probabilities and codes of labels; the last ``missing`` classes never occur."""
    random = np.random.default_rng(seed)
    said = random.dirichlet(np.full(classes, 0.6), n)
    labels = (random.random(n)[:, None] > np.cumsum(said, axis=1)[:, :-1]).sum(axis=1) % (classes - missing)
    return (said if digits is None else np.round(said, digits)), labels


def names_of(classes: int) -> list[str]:
    """Class names in an order that is not that of the alphabet."""
    return [f"class {place:03}" for place in range(classes)][::-1]


def measured(said: Any, labels: Any, weights: Any = None, **options: Any) -> QualityResult:
    names = names_of(len(said[0]) if len(said) else 3)
    monitor = MulticlassQuality(classes=names, seed=options.pop("seed", 0))
    batch = vector_batch(said, [names[code] for code in labels], weights=weights, **options)
    return monitor.result(monitor.measure(split(batch, 3)))


def wanted(said: Any, labels: Any, weights: Any = None) -> dict[str, float]:
    """scikit-learn's values; areas averaged over the classes that have one."""
    classes = said.shape[1]
    every: dict[str, Any] = {"sample_weight": weights, "labels": range(classes)}
    with np.errstate(all="ignore"):
        found = {"log_loss": float(sk.log_loss(labels, said / 1.0, **every))}
    for k in (2, 3, 5):
        if k < classes:
            found[f"top_{k}_accuracy"] = float(sk.top_k_accuracy_score(labels, said, k=k, **every))
    present = [one for one in range(classes) if 0 < (labels == one).sum() < len(labels)]
    if not present:
        return found
    areas = [sk.roc_auc_score(labels == one, said[:, one], sample_weight=weights) for one in present]
    sizes = [float((labels == one) @ (np.ones(len(labels)) if weights is None else weights)) for one in present]
    return found | {
        "roc_auc_ovr": float(np.mean(areas)),
        "weighted_roc_auc_ovr": float(np.average(areas, weights=sizes)),
    }


CASES = [
    ("three classes", 400, 3, {}),
    ("a tie in nearly every row", 600, 4, {"digits": 1}),
    ("two classes of six missing", 500, 6, {"missing": 2}),
    ("one class only", 300, 3, {"missing": 2}),
    ("one row", 1, 3, {}),
    ("two rows", 2, 4, {}),
    ("fewer rows than classes", 30, 40, {}),
    ("200,000 rows", 200_000, 5, {}),
]


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "classes", "kind"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_metric_is_that_of_scikit_learn(n: int, classes: int, kind: dict[str, int], weighted: bool) -> None:
    said, labels = drawn(n, classes, **kind)
    if "digits" in kind:  # rounded rows that still add up
        kept = np.abs(said.sum(axis=1) - 1) < 1e-9
        said, labels = said[kept], labels[kept]
    weights = np.random.default_rng(9).random(len(labels)) * 2 if weighted else None
    result = measured(said, labels, weights)
    expected = wanted(said, labels, weights)
    for name, value in expected.items():
        assert result.metrics[name].value == pytest.approx(value, abs=1e-9), name
    if "roc_auc_ovr" not in expected:
        assert result.metrics["roc_auc_ovr"].error == "fewer than two classes occur"
    for name in (*OURS, *expected):
        metric = result.metrics[name]
        interval = metric.confidence_interval
        if interval is not None:
            assert 0 <= interval.lower <= metric.value + 1e-12, name
            assert interval.upper >= metric.value - 1e-12, name
        if n >= 400:
            assert interval is not None, name
            assert metric.standard_deviation is not None, name
    by_class = result.extras["one_vs_rest_auc"]
    names = names_of(classes)
    for place in range(classes):
        area, mine = by_class[names[place]], labels == place
        if mine.all() or not mine.any():
            assert area["value"] is None
            assert area["error"] in ("no actual positives", "no actual negatives")
        else:
            assert area["value"] == pytest.approx(
                sk.roc_auc_score(mine, said[:, place], sample_weight=weights), abs=1e-9
            )
            assert (area["standard_deviation"] == "NaN") == (len(labels) < 200) or mine.sum() < 10


def test_our_average_is_that_of_one_vs_rest() -> None:
    said, labels = drawn(3000, 5)
    for name, average in (("roc_auc_ovr", "macro"), ("weighted_roc_auc_ovr", "weighted")):
        score = sk.roc_auc_score(labels, said, multi_class="ovr", average=average)
        assert measured(said, labels).metrics[name].value == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_any_split_gives_the_same(weighted: bool) -> None:
    said, labels = drawn(2000, 4)
    names = names_of(4)
    weights = np.random.default_rng(3).random(2000) if weighted else None
    batch = vector_batch(said, [names[code] for code in labels], weights=weights)
    monitor = MulticlassQuality(classes=names, seed=4)
    found = [monitor.result(monitor.measure(split(batch, parts))) for parts in (1, 7, 64)]
    assert same(found[0], found[1], 1e-12)
    assert same(found[0], found[2], 1e-12)


def test_without_a_prediction_the_most_probable_class_is_it() -> None:
    said = [[0.5, 0.5, 0.0], [0.1, 0.2, 0.7], [0.4, 0.3, 0.3]]
    monitor = MulticlassQuality(classes=["c", "b", "a"])
    state = monitor.update(vector_batch(said, ["c", "a", "b"]))
    assert monitor.result(state).extras["confusion_matrix"] == {
        "a": {"a": 1, "b": 0, "c": 0},
        "b": {"a": 0, "b": 0, "c": 1},
        "c": {"a": 0, "b": 0, "c": 1},
    }
    given = monitor.update(vector_batch(said, ["c", "a", "b"], predictions=["a", None, "b"]))
    assert monitor.result(given).metrics["accuracy"].value == pytest.approx(2 / 3)


def test_a_label_that_is_no_class_is_judged_but_has_no_probability() -> None:
    monitor = MulticlassQuality(classes=["1", "2", "3"])
    state = monitor.update(vector_batch([[0.6, 0.3, 0.1]] * 3, ["1.0", "2", "other"]))
    result = monitor.result(state)
    assert result.item_count == 3
    assert result.extras["rows_with_probabilities"] == 2
    assert result.metrics["accuracy"].value == pytest.approx(1 / 3)
    assert result.metrics["log_loss"].value == pytest.approx(-(np.log(0.6) + np.log(0.3)) / 2)


def test_a_row_without_a_vector_is_judged_by_its_prediction() -> None:
    monitor = MulticlassQuality(classes=["a", "b"])
    said = [[0.6, 0.4], None, [0.5], [0.9, 0.9]]
    result = monitor.result(monitor.update(vector_batch(said, ["a"] * 4, predictions=["a"] * 4)))
    assert (result.item_count, result.extras["rows_with_probabilities"]) == (4, 1)
    alone = monitor.update(vector_batch(said, ["a"] * 4))
    assert (alone.tally.rows, monitor.result(alone).item_count) == (4, 1)


def test_no_rows_have_an_answer() -> None:
    monitor = MulticlassQuality(classes=["a", "b", "c"])
    for state in (monitor.merge([]), monitor.measure([]), monitor.update(vector_batch([], []))):
        result = monitor.result(state)
        assert result.item_count == 0
        assert suggest(result, monitor.constrained).constraints == {}
        json.loads(dump(statistics_document(result, "now")))


def test_the_area_is_suggested_as_a_constraint_only_where_there_are_probabilities() -> None:
    said, labels = drawn(500, 3)
    names = names_of(3)
    monitor = MulticlassQuality(classes=names)
    result = monitor.result(monitor.update(vector_batch(said, [names[code] for code in labels])))
    assert set(suggest(result, monitor.constrained).constraints) == {*CONSTRAINED, "roc_auc_ovr"}
    assert MulticlassQuality().constrained == CONSTRAINED


@pytest.mark.parametrize("classes", [["1", "1.0", "2"], ["a", " a", "b"]])
def test_classes_that_are_equal_are_refused(classes: list[str]) -> None:
    with pytest.raises(InputError, match="of the same class") as error:
        MulticlassQuality(classes=classes)
    assert error.value.hint
