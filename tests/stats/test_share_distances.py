"""Distances of shares against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from driftline.stats.share_distances import FLOOR, jensen_shannon, largest_difference, stability_index

COUNTS = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=30).filter(
    lambda pairs: sum(a for a, _ in pairs) > 0 and sum(b for _, b in pairs) > 0
)


def both(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    now, before = np.array(pairs, dtype=np.float64).T
    return now / now.sum(), before / before.sum()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs=COUNTS)
def test_jensen_shannon_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    now, before = both(pairs)
    # Near zero the root of a rounding error of 1e-16 is 1e-8.
    assert jensen_shannon(now, before) == pytest.approx(np.nan_to_num(jensenshannon(now, before, 2)), abs=3e-8)
    assert 0 <= jensen_shannon(now, before) <= 1


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs=COUNTS)
def test_distances_are_the_same_both_ways(pairs: list[tuple[int, int]]) -> None:
    now, before = both(pairs)
    for distance in (stability_index, jensen_shannon, largest_difference):
        assert distance(now, before) == pytest.approx(distance(before, now), abs=1e-9)
        assert distance(now, now) == pytest.approx(0, abs=3e-8)


def test_stability_index_by_hand() -> None:
    now, before = np.array([0.2, 0.8]), np.array([0.5, 0.5])
    assert stability_index(now, before) == pytest.approx(-0.3 * np.log(0.4) + 0.3 * np.log(1.6))


def test_an_empty_bin_costs_as_if_it_had_the_floor() -> None:
    found = stability_index(np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    assert found == pytest.approx((FLOOR - 0.5) * np.log(FLOOR / 0.5) + 0.5 * np.log(2))


def test_the_largest_difference_is_of_one_category() -> None:
    assert largest_difference(np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.4, 0.4])) == pytest.approx(0.3)
    assert largest_difference(np.empty(0), np.empty(0)) == 0


def test_categories_that_vanished_and_came_are_as_far_as_can_be() -> None:
    assert jensen_shannon(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == 1
    assert largest_difference(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == 1
