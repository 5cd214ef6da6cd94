"""Distributions of sketches: their order, quantiles, bins and error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.stats.weighted import Distribution, edges, from_levels, quantiles, shares

NUMBERS = st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=60)


def exact(values: object) -> Distribution:
    return from_levels([np.sort(np.asarray(values, dtype=np.float64))], 2048)  # type: ignore[list-item]


def test_levels_have_their_weights_and_one_order() -> None:
    made = from_levels([[3.0, 5.0], [], [1.0, 4.0]], 2048)
    assert made.values.tolist() == [1.0, 3.0, 4.0, 5.0]
    assert made.weights.tolist() == [4.0, 1.0, 4.0, 1.0]
    assert made.total == 10
    # 2.446 / 2048**0.9433, as DataSketches has it for a difference of two ranks.
    assert made.rank_error == pytest.approx(0.00184, abs=1e-5)


def test_one_level_is_exact_and_no_level_is_empty() -> None:
    assert from_levels([[1.0, 1.0], []], 2048).rank_error == 0
    assert from_levels([], 2048).total == 0
    assert from_levels([[]], 2048).total == 0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(values=NUMBERS, share=st.floats(0.001, 1))
def test_quantiles_are_those_of_numpy(values: list[float], share: float) -> None:
    assume_between = abs(share * len(values) - round(share * len(values))) > 1e-9
    if assume_between:
        wanted = np.quantile(values, share, method="inverted_cdf")
        assert quantiles(exact(values), np.array([share]))[0] == wanted


@settings(max_examples=200, deadline=None, derandomize=True)
@given(values=NUMBERS, others=NUMBERS)
def test_bins_hold_every_value_once(values: list[float], others: list[float]) -> None:
    bounds = edges(exact(values))
    found = shares(exact(others), bounds)
    wanted = np.bincount(np.searchsorted(bounds, others), minlength=len(bounds) + 1) / len(others)
    assert found == pytest.approx(wanted, abs=1e-12)
    assert bool((np.diff(bounds) > 0).all())


def test_bins_of_a_smooth_sample_are_its_deciles() -> None:
    sample = np.random.default_rng(3).normal(size=1000)
    assert edges(exact(sample)) == pytest.approx(np.quantile(sample, np.arange(1, 10) / 10, method="inverted_cdf"))
    assert shares(exact(sample), edges(exact(sample))) == pytest.approx(np.full(10, 0.1))


def test_a_frequent_value_has_a_bin_of_its_own() -> None:
    bounds = edges(exact([0.0] * 50 + [1.0] * 50))
    # Nothing below 0; 0; nothing between; 1; nothing above.
    assert shares(exact([0.0] * 50 + [1.0] * 50), bounds).tolist() == [0.0, 0.5, 0.0, 0.5, 0.0]


def test_weights_count_as_repeated_values() -> None:
    heavy = from_levels([[1.0], [2.0], [3.0]], 2048)
    plain = exact([1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0])
    at = np.arange(1, 10) / 10
    assert quantiles(heavy, at).tolist() == quantiles(plain, at).tolist()
    assert shares(heavy, np.array([1.0, 2.5])).tolist() == shares(plain, np.array([1.0, 2.5])).tolist()


def test_the_smallest_of_all_numbers_can_be_an_edge() -> None:
    low = float(np.finfo(np.float64).min)
    assert shares(exact([low] * 9 + [0.0]), edges(exact([low] * 9 + [0.0]))).sum() == pytest.approx(1)
