"""Metrics of several classes from their margins against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from driftline.stats import multiclass
from driftline.stats.multiclass import BETAS, NAMES


def scikit(truth: Any, said: Any, weight: Any = None) -> dict[str, float]:
    shared: dict[str, Any] = {"average": "weighted", "zero_division": 0, "sample_weight": weight}
    found = {"accuracy": float(sk.accuracy_score(truth, said, sample_weight=weight))}
    for name, beta in BETAS.items():
        precision, recall, score, _ = sk.precision_recall_fscore_support(truth, said, beta=beta, **shared)
        found |= {"weighted_precision": float(precision), "weighted_recall": float(recall), name: float(score)}
    return found


def margins(truth: Any, said: Any, weight: Any, size: int) -> list[Any]:
    right = truth == said
    return [
        np.bincount(truth[right], weight[right], size),
        np.bincount(truth, weight, size),
        np.bincount(said, weight, size),
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 5)), min_size=1, max_size=40))
def test_every_metric_is_that_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    truth, said, weight = (np.array(column) for column in zip(*rows, strict=True))
    found = multiclass.metrics(*margins(truth, said, weight.astype(float), 5))
    assert found == pytest.approx(scikit(truth, said, weight), abs=1e-12)
    assert tuple(found) == NAMES


@settings(max_examples=30, deadline=None, derandomize=True)
@given(rows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_the_constant_classifier_says_the_most_frequent_class(rows: list[tuple[int, int]]) -> None:
    truth, said = (np.array(column) for column in zip(*rows, strict=True))
    given_margins = margins(truth, said, np.ones(len(truth)), 5)
    constant = np.full(len(truth), np.bincount(truth).argmax())
    found = multiclass.metrics(*multiclass.always_majority(*given_margins))
    assert found == pytest.approx(scikit(truth, constant), abs=1e-12)


@pytest.mark.parametrize("size", [0, 3])
def test_no_rows_have_no_metrics(size: int) -> None:
    none = np.zeros(size)
    assert multiclass.metrics(none, none, none) == dict.fromkeys(NAMES)
    assert multiclass.metrics(*multiclass.always_majority(none, none, none)) == dict.fromkeys(NAMES)
