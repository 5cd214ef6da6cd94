"""NDCG against the worked example, scikit-learn and every order of tied features; and what has none."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from driftline.stats.ndcg import aligned, discounts, losses, ndcg, places, shares

ATTRIBUTIONS = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 7.0]), min_size=1, max_size=6)


def by_definition(baseline: Any, order: Any) -> float:
    """The NDCG of features in this order."""
    gain = sum(baseline[f] / math.log2(place + 2) for place, f in enumerate(order))
    best = sum(a / math.log2(place + 2) for place, a in enumerate(sorted(baseline, reverse=True)))
    return float(gain / best)


def over_ties(baseline: Any, live: Any) -> float:
    """The mean over every order that the live attributions allow."""
    orders = [
        order
        for order in itertools.permutations(range(len(live)))
        if all(live[a] >= live[b] for a, b in itertools.pairwise(order))
    ]
    return math.fsum(by_definition(baseline, order) for order in orders) / len(orders)


def test_the_worked_example() -> None:
    assert float(ndcg(np.array([0.70, 0.50, 0.05]), np.array([0.10, 0.20, 0.70]))) == pytest.approx(0.688, abs=5e-4)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(data=st.data(), baseline=ATTRIBUTIONS)
def test_it_is_the_mean_over_every_order_of_tied_features(data: Any, baseline: list[float]) -> None:
    live = data.draw(st.lists(st.sampled_from([0.0, 1.0, 3.0]), min_size=len(baseline), max_size=len(baseline)))
    found = float(ndcg(np.array(baseline), np.array(live)))
    if not any(baseline):
        assert math.isnan(found)
    else:
        assert found == pytest.approx(over_ties(baseline, live), rel=1e-12)


@pytest.mark.parametrize("n", [2, 5, 70])
def test_it_is_scikit_learn_s(n: int) -> None:
    random = np.random.default_rng(n)
    baseline = random.gamma(0.5, size=n)
    live = np.round(random.gamma(0.5, size=(4, n)), 1)  # with ties
    wanted = [ndcg_score([baseline], [row]) for row in live]
    assert ndcg(baseline, live) == pytest.approx(wanted, rel=1e-12)


def test_many_rankings_at_once_are_those_one_by_one() -> None:
    random = np.random.default_rng(3)
    baseline, live = random.random(9), random.random((4, 3, 9)).round(1)
    found = ndcg(baseline, live)
    assert found.shape == (4, 3)
    assert found == pytest.approx(np.array([[float(ndcg(baseline, one)) for one in row] for row in live]), rel=1e-14)


def test_the_same_ranking_has_one_and_nothing_is_above_it() -> None:
    for seed in range(50):
        values = np.random.default_rng(seed).gamma(0.3, size=30)
        assert float(ndcg(values, values)) == 1.0
        assert float(ndcg(values, values * 3)) == 1.0


def test_the_order_of_columns_does_not_matter() -> None:
    random = np.random.default_rng(1)
    baseline, live = random.random(20), random.integers(0, 4, 20).astype(float)
    order = random.permutation(20)
    assert float(ndcg(baseline[order], live[order])) == pytest.approx(float(ndcg(baseline, live)), rel=1e-14)


@pytest.mark.parametrize(
    ("baseline", "live"),
    [
        ([], []),
        ([0.0, 0.0], [1.0, 2.0]),
        ([math.nan, 1.0], [1.0, 2.0]),
        ([1.0, math.inf], [1.0, 2.0]),
        ([1.0, 2.0], [math.nan, 2.0]),
        ([1.0, 2.0], [1.0, -math.inf]),
    ],
)
def test_nothing_to_rank_by_has_no_value(baseline: list[float], live: list[float]) -> None:
    assert math.isnan(float(ndcg(np.array(baseline), np.array(live))))
    assert np.isnan(losses(np.array(baseline), np.array(live))).all()


def test_defined_answers_at_the_edges() -> None:
    assert float(ndcg(np.array([4.0]), np.array([0.0]))) == 1.0
    # Without any live attribution every order is as good as any other.
    assert float(ndcg(np.array([1.0, 0.0]), np.zeros(2))) == pytest.approx((1 + 1 / math.log2(3)) / 2)
    assert float(ndcg(np.array([1e308, 1e300]), np.array([1.0, 2.0]))) == pytest.approx(1 / math.log2(3), rel=1e-6)
    assert ndcg(np.zeros(0), np.zeros((3, 0))).shape == (3,)


def test_a_nan_in_one_ranking_leaves_the_others() -> None:
    found = ndcg(np.array([2.0, 1.0]), np.array([[1.0, math.nan], [2.0, 1.0]]))
    assert np.isnan(found[0])
    assert found[1] == 1.0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), baseline=ATTRIBUTIONS)
def test_what_the_features_take_adds_up_to_what_is_missing(data: Any, baseline: list[float]) -> None:
    live = data.draw(st.lists(st.floats(0, 9), min_size=len(baseline), max_size=len(baseline)))
    first, second = np.array(baseline), np.array(live)
    if first.any():
        assert losses(first, second).sum() == pytest.approx(1 - float(ndcg(first, second)), abs=1e-12)


def test_features_that_one_side_does_not_have_are_zero_there() -> None:
    found = aligned({"a": 3.0, "gone": 2.0}, {"new": 5.0, "a": 1.0})
    assert found.features == ("a", "gone", "new")
    assert found.baseline.tolist() == [3.0, 2.0, 0.0]
    assert found.live.tolist() == [1.0, 0.0, 5.0]
    assert aligned({}, {}).baseline.shape == (0,)


def test_places_and_shares() -> None:
    assert places(np.array([0.5, 0.9, 0.5, 0.1])).tolist() == [2, 1, 2, 4]
    assert places(np.zeros(0)).tolist() == []
    assert shares(np.array([1e308, 1e308])).tolist() == [0.5, 0.5]
    assert shares(np.array([-1.0, 3.0])).tolist() == [0.25, 0.75]
    assert shares(np.zeros(2)).tolist() == [0.0, 0.0]
    assert shares(np.array([5e-324, 0.0])).tolist() == [1.0, 0.0]
    assert np.isnan(shares(np.array([math.inf, 1.0]))).all()
    assert shares(np.zeros(0)).tolist() == []


def test_equal_values_share_the_discounts_of_their_places() -> None:
    assert discounts(np.zeros((2, 0))).shape == (2, 0)
    first, second, third = (1 / math.log2(place + 1) for place in (1, 2, 3))
    assert discounts(np.array([1.0, 1.0, 9.0])).tolist() == pytest.approx([(second + third) / 2] * 2 + [first])
