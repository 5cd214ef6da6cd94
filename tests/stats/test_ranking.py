"""Areas and curves against scikit-learn and against the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from driftline.stats.ranking import ScoreTable, precision_recall_curve, roc_auc, roc_curve, thin

ALL = 10**9


def table_of(scores: Any, positive: Any) -> ScoreTable:
    distinct, inverse = np.unique(scores, return_inverse=True)
    weights = np.bincount(inverse, weights=positive, minlength=len(distinct)).astype(np.int64)
    return ScoreTable(distinct, weights, np.bincount(inverse, minlength=len(distinct)).astype(np.int64) - weights)


def drawn(n: int, seed: int, distinct: int, share: float) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    positive = random.random(n) < share
    positive[0], positive[-1] = True, False
    return np.floor((random.random(n) + 0.3 * positive) * distinct) / distinct, positive


CASES = [
    (2, 1, 10, 0.5),
    (3, 2, 1, 0.5),
    (50, 3, 5, 0.5),
    (400, 4, 10**6, 0.02),
    (3000, 5, 40, 0.97),
    (100_000, 6, 10**7, 0.3),
]


@pytest.mark.parametrize(("n", "seed", "distinct", "share"), CASES)
def test_area_is_that_of_scikit_learn(n: int, seed: int, distinct: int, share: float) -> None:
    scores, positive = drawn(n, seed, distinct, share)
    # Ours adds integers and divides once; scikit-learn adds trapezoids of rounded rates.
    assert roc_auc(table_of(scores, positive)).auc == pytest.approx(sk.roc_auc_score(positive, scores), abs=1e-9)


def brute_force(scores: Any, positive: Any) -> tuple[float, float]:
    """DeLong, DeLong and Clarke-Pearson by its definition: every positive against every negative."""
    x, y = scores[positive][:, None], scores[~positive][None, :]
    psi = (x > y) + 0.5 * (x == y)
    area = psi.mean()
    m, n = psi.shape
    over = [psi.mean(axis=1), psi.mean(axis=0)]
    spread = [float(((part - area) ** 2).sum()) / max(len(part) - 1, 1) for part in over]
    return float(area), spread[0] / m + spread[1] / n


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    data=st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0, float("inf"), float("-inf")]), st.booleans()),
        min_size=2,
        max_size=60,
    )
)
def test_variance_is_that_of_the_definition(data: list[tuple[float, bool]]) -> None:
    scores, positive = np.array([score for score, _ in data]), np.array([truth for _, truth in data])
    area = roc_auc(table_of(scores, positive))
    if positive.all() or not positive.any():
        assert area.auc is None
        return
    wanted = brute_force(scores, positive)
    # Sums of at most 60 numbers below one: the two orders of addition differ in the last digits only.
    assert (area.auc, area.variance) == pytest.approx(wanted, abs=1e-12)


def test_variance_of_many_rows() -> None:
    scores, positive = drawn(1500, 9, 200, 0.2)
    area = roc_auc(table_of(scores, positive))
    assert (area.auc, area.variance) == pytest.approx(brute_force(scores, positive), rel=1e-10)


@pytest.mark.parametrize(("n", "seed", "distinct", "share"), CASES)
def test_roc_corners_are_those_of_scikit_learn(n: int, seed: int, distinct: int, share: float) -> None:
    scores, positive = drawn(n, seed, distinct, share)
    x, y = roc_curve(table_of(scores, positive), ALL)
    wanted_x, wanted_y, _ = sk.roc_curve(positive, scores, drop_intermediate=True)
    corners = set(zip(x.tolist(), y.tolist(), strict=True))
    # Ours drops every point on a straight line, so ours are among theirs, and theirs all lie on ours.
    assert corners <= set(zip(wanted_x.tolist(), wanted_y.tolist(), strict=True))
    vertical = np.isin(wanted_x, x[:-1][np.diff(x) == 0])
    assert np.interp(wanted_x, x, y)[~vertical] == pytest.approx(wanted_y[~vertical], abs=1e-12)
    assert np.trapezoid(y, x) == pytest.approx(sk.roc_auc_score(positive, scores), abs=1e-9)
    assert (x[0], y[0], x[-1], y[-1]) == (0.0, 0.0, 1.0, 1.0)


def test_thinned_roc_has_nearly_the_area() -> None:
    scores, positive = drawn(50_000, 11, 10**6, 0.3)
    x, y = roc_curve(table_of(scores, positive), 1000)
    assert len(x) <= 1000
    assert np.all(np.diff(x) >= 0)
    assert np.all(np.diff(y) >= 0)
    # A chord between kept points cuts off at most one step's rectangle: 1/1000 of the curve each way.
    assert np.trapezoid(y, x) == pytest.approx(sk.roc_auc_score(positive, scores), abs=1e-3)


@pytest.mark.parametrize(("n", "seed", "distinct", "share"), CASES)
def test_precision_recall_points_are_those_of_scikit_learn(n: int, seed: int, distinct: int, share: float) -> None:
    scores, positive = drawn(n, seed, distinct, share)
    precision, recall = precision_recall_curve(table_of(scores, positive), ALL)
    wanted_precision, wanted_recall, _ = sk.precision_recall_curve(positive, scores)
    assert precision == pytest.approx(wanted_precision[::-1], abs=1e-12)
    assert recall == pytest.approx(wanted_recall[::-1], abs=1e-12)


def test_thinned_precision_recall_points_are_some_of_them() -> None:
    scores, positive = drawn(20_000, 12, 10**6, 0.3)
    precision, recall = precision_recall_curve(table_of(scores, positive), 1000)
    wanted_precision, wanted_recall, _ = sk.precision_recall_curve(positive, scores)
    assert len(precision) == len(recall) == 1000
    wanted = set(zip(wanted_precision.round(12).tolist(), wanted_recall.round(12).tolist(), strict=True))
    assert set(zip(precision.round(12).tolist(), recall.round(12).tolist(), strict=True)) <= wanted


@pytest.mark.parametrize("positive", [[], [True], [False], [True, True], [False, False]])
def test_curves_of_one_class_or_of_nothing(positive: list[bool]) -> None:
    table = table_of(np.arange(float(len(positive))), np.array(positive, dtype=bool))
    assert roc_auc(table).auc is None
    for x, y in (roc_curve(table, 1000), precision_recall_curve(table, 1000)):
        assert len(x) == len(y) >= 1
        assert np.isfinite([*x, *y]).all()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(length=st.integers(0, 3000), points=st.integers(2, 1000))
def test_thinning_keeps_both_ends_and_the_order(length: int, points: int) -> None:
    kept = thin(np.arange(length), points)
    assert len(kept) == min(length, points)
    assert len(set(kept.tolist())) == len(kept)
    assert sorted(kept.tolist()) == kept.tolist()
    if length:
        assert (kept[0], kept[-1]) == (0, length - 1)
