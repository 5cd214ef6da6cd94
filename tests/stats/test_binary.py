"""Metrics from counts against scikit-learn; undefined ones are None, not zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from driftline.stats import binary
from driftline.stats.binary import BETAS, PROPORTIONS, Counts

NAMES = [*PROPORTIONS, *BETAS]
UNDEFINED = {
    "recall": ("tp", "fn"),
    "true_positive_rate": ("tp", "fn"),
    "false_negative_rate": ("tp", "fn"),
    "true_negative_rate": ("tn", "fp"),
    "false_positive_rate": ("tn", "fp"),
    "precision": ("tp", "fp"),
    "accuracy": ("tp", "fp", "fn", "tn"),
    "f0_5": ("tp", "fp", "fn"),
    "f1": ("tp", "fp", "fn"),
    "f2": ("tp", "fp", "fn"),
}


def scikit(name: str, c: Counts) -> float:
    truth, said, weight = [1, 0, 1, 0], [1, 1, 0, 0], [c.tp, c.fp, c.fn, c.tn]
    share = {"sample_weight": weight, "zero_division": np.nan}
    if name in BETAS:
        return float(sk.fbeta_score(truth, said, beta=BETAS[name], **share))
    if name == "accuracy":
        return float(sk.accuracy_score(truth, said, sample_weight=weight))
    if name == "precision":
        return float(sk.precision_score(truth, said, **share))
    positive = name in ("recall", "true_positive_rate", "false_negative_rate")
    rate = float(sk.recall_score(truth, said, pos_label=int(positive), **share))
    return 1 - rate if name in ("false_negative_rate", "false_positive_rate") else rate


counts = st.one_of(st.integers(0, 3), st.integers(0, 10**9))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(tp=counts, fp=counts, fn=counts, tn=counts)
def test_every_metric_is_that_of_scikit_learn(tp: int, fp: int, fn: int, tn: int) -> None:
    c = Counts(tp, fp, fn, tn)
    for name in NAMES:
        found = binary.value(name, c)
        defined = sum(getattr(c, part) for part in UNDEFINED[name]) > 0
        assert (found is not None) == defined, name
        if found is not None:
            assert found == pytest.approx(scikit(name, c), abs=1e-9), name
            assert 0.0 <= found <= 1.0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(tp=counts, fp=counts, fn=counts, tn=counts)
def test_the_constant_classifier_says_positive_to_every_row(tp: int, fp: int, fn: int, tn: int) -> None:
    constant = Counts(tp, fp, fn, tn).always_positive()
    assert constant == Counts(tp + fn, fp + tn, 0, 0)
    assert constant.total == tp + fp + fn + tn


def test_every_metric_says_why_it_can_have_no_value() -> None:
    for name in NAMES:
        assert binary.undefined(name).startswith("no ")


def test_many_classifiers_at_once_have_the_values_of_each() -> None:
    cells = np.random.default_rng(3).integers(0, 3, (4, 200))
    for name in NAMES:
        each = [binary.value(name, Counts(*row)) for row in cells.T.tolist()]
        assert binary.values(name, Counts(*cells)).tolist() == pytest.approx(
            [np.nan if one is None else one for one in each], abs=0, nan_ok=True
        )
