"""Distances of numbers against scipy, brute force and by their own laws."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from driftline.stats import numeric_distances as distances
from driftline.stats.share_distances import robust
from driftline.stats.weighted import Distribution, from_levels

# Of one value against one scipy has no p-value, and warns.
SAMPLE = st.lists(st.one_of(st.floats(-1e6, 1e6), st.integers(-3, 3).map(float)), min_size=2, max_size=80)


def exact(values: object) -> Distribution:
    return from_levels([np.sort(np.asarray(values, dtype=np.float64))], 2048)  # type: ignore[list-item]


def moved(now: object, before: object) -> float:
    return distances.wasserstein(distances.gaps(exact(now), exact(before)), exact(before))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(now=SAMPLE, before=SAMPLE)
def test_the_largest_gap_is_that_of_scipy(now: list[float], before: list[float]) -> None:
    # Both divide the same whole numbers.
    wanted = ks_2samp(now, before, method="asymp").statistic
    assert distances.gaps(exact(now), exact(before)).largest == pytest.approx(wanted, abs=1e-14)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(now=SAMPLE, before=SAMPLE)
def test_both_sides_are_the_one_sided_gaps_of_scipy(now: list[float], before: list[float]) -> None:
    up, down = (ks_2samp(now, before, side, method="asymp").statistic for side in ("greater", "less"))
    assert distances.gaps(exact(now), exact(before)).both_sides == pytest.approx(up + down, abs=1e-14)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(now=SAMPLE, before=SAMPLE)
def test_wasserstein_is_that_of_scipy_in_deviations(now: list[float], before: list[float]) -> None:
    deviation = float(np.std(before))
    if deviation > 1e-6:
        wanted = wasserstein_distance(now, before) / deviation
        assert moved(now, before) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_weights_count_as_repeated_values() -> None:
    heavy, plain = from_levels([[1.0], [2.0], [3.0]], 2048), exact([1, 2, 2, 3, 3, 3, 3])
    other = exact([0.0, 2.5, 9.0])
    for one, same in ((heavy, plain), (plain, heavy)):
        assert distances.gaps(one, same).largest == 0
        assert distances.gaps(one, other).largest == distances.gaps(same, other).largest
    assert distances.stability_index(other, heavy) == distances.stability_index(other, plain)
    assert distances.spread(heavy) == pytest.approx(np.std([1, 2, 2, 3, 3, 3, 3]))


def test_a_constant_baseline_counts_the_values_that_left_it() -> None:
    assert moved([5.0] * 4, [5.0] * 9) == 0
    assert moved([5.0, 5.0, 5.0, 6.0], [5.0] * 9) == 0.25
    assert moved([1e300, -1e300], [5.0] * 9) == 1
    assert moved([5.0, 0.0], [0.0]) == 0.5


def test_a_known_deviation_is_the_unit() -> None:
    now, before = exact([1.0, 2.0]), exact([0.0, 1.0])
    assert distances.wasserstein(distances.gaps(now, before), before, 4.0) == pytest.approx(0.25)


@pytest.mark.parametrize("size", [1e308, 1e-300])
def test_numbers_as_large_or_small_as_can_be(size: float) -> None:
    random = np.random.default_rng(1)
    now, before = random.uniform(-1, 1, 500) * size, random.uniform(-1, 0.5, 500) * size
    assert moved(now, before) == pytest.approx(moved(now / size, before / size), rel=1e-9)
    for distance in (distances.stability_index, distances.jensen_shannon):
        assert distance(exact(now), exact(before)) == pytest.approx(distance(exact(now / size), exact(before / size)))


def test_binned_distances_are_brute_force_over_deciles() -> None:
    random = np.random.default_rng(2)
    now, before = random.normal(0.4, 1.2, 700), random.normal(size=1000)
    bounds = [-math.inf, *np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf"), math.inf]
    p, q = (np.array([((s > a) & (s <= b)).mean() for a, b in pairwise(bounds)]) for s in (now, before))
    assert distances.stability_index(exact(now), exact(before)) == pytest.approx(sum((p - q) * np.log(p / q)))
    assert distances.jensen_shannon(exact(now), exact(before)) == pytest.approx(jensenshannon(p, q, 2))


def test_a_change_of_spread_is_seen_by_wasserstein() -> None:
    random = np.random.default_rng(4)
    now, before = random.normal(0, 1.5, 200_000), random.normal(size=200_000)
    # E|Z| = sqrt(2/pi); the quantiles of the wider one lie half as far again from the middle.
    assert moved(now, before) == pytest.approx(0.5 * math.sqrt(2 / math.pi), abs=0.01)
    between = distances.gaps(exact(now), exact(before))
    assert between.largest < 0.1 < between.both_sides


def test_the_same_is_at_no_distance() -> None:
    sample = np.random.default_rng(5).normal(size=300)
    assert moved(sample, sample) == 0
    assert distances.stability_index(exact(sample), exact(sample)) == 0
    assert distances.jensen_shannon(exact(sample), exact(sample)) == 0


def test_robust_takes_off_what_chance_makes() -> None:
    assert robust(0.27, 2000, 3000) == pytest.approx(0.27 - 1.8 * math.sqrt(5000 / 6e6))
    assert robust(0.1, 10, 10) == 0
