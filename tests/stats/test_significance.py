"""Tests of two samples: against scipy, brute force over the rules of regrouping, and by how often they err."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency, chisquare, ks_2samp

from driftline.stats import significance
from driftline.stats.numeric_distances import Gaps, gaps
from driftline.stats.weighted import from_levels


def between(now: object, before: object) -> Gaps:
    return gaps(*(from_levels([np.sort(side)], 2048) for side in (now, before)))  # type: ignore[call-overload]


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1, 0.2])
def test_kolmogorov_smirnov_is_near_that_of_scipy(shift: float) -> None:
    random = np.random.default_rng(1)
    now, before = random.normal(shift, 1, 2000), random.normal(size=3000)
    found = significance.kolmogorov_smirnov(between(now, before), 2000, 3000)
    # Ours is the limit for many rows; scipy's has the finite ones.
    assert found == pytest.approx(ks_2samp(now, before).pvalue, rel=0.1)


def test_the_error_of_the_sketches_is_taken_off() -> None:
    apart = Gaps(np.array([0.0, 1.0]), np.array([0.05, 0.0]))
    assert significance.kolmogorov_smirnov(apart, 1e6, 1e6) < 1e-100
    assert significance.kolmogorov_smirnov(apart, 1e6, 1e6, 0.05) == 1
    assert significance.numeric(apart, 1e6, 1e6, 0.05) == 1


def test_a_change_of_spread_is_seen_by_kuiper_first() -> None:
    random = np.random.default_rng(2)
    apart = between(random.normal(0, 1.5, 200), random.normal(size=5000))
    smirnov, both = significance.kolmogorov_smirnov(apart, 200, 5000), significance.numeric(apart, 200, 5000)
    assert both < smirnov / 100


@pytest.mark.parametrize("discrete", [False, True])
def test_numeric_p_values_are_not_too_small(discrete: bool) -> None:
    random = np.random.default_rng(3)
    found = []
    for _ in range(1000):
        now, before = random.exponential(size=100), random.exponential(size=400)
        now, before = (np.floor(now), np.floor(before)) if discrete else (now, before)
        found.append(significance.numeric(between(now, before), 100, 400))
    for level in (0.01, 0.05, 0.2):
        # Three standard deviations of the share in 1,000 draws.
        assert np.mean(np.array(found) <= level) <= level + 3 * math.sqrt(level * (1 - level) / 1000)


def test_homogeneity_is_that_of_scipy_where_nothing_is_rare() -> None:
    now, before = np.array([30.0, 20, 15, 40, 9]), np.array([50.0, 60, 35, 80, 22])
    wanted = chi2_contingency([now, before], correction=False).pvalue
    assert significance.homogeneity(now, before) == pytest.approx(wanted, rel=1e-10)


def test_homogeneity_takes_the_rare_together() -> None:
    now, before = np.array([50.0, 40, 2, 1, 3, 0]), np.array([500.0, 420, 8, 9, 14, 30])
    wanted = chi2_contingency([[50, 40, 6], [500, 420, 61]], correction=False).pvalue
    assert significance.homogeneity(now, before) == pytest.approx(wanted, rel=1e-10)


def test_many_new_categories_are_seen_though_each_is_rare() -> None:
    now, before = np.append([500.0, 400.0], np.ones(300)), np.append([5000.0, 4000.0], np.zeros(300))
    assert significance.homogeneity(now, before) < 1e-50


def test_of_one_category_or_of_names_alone_nothing_can_be_told() -> None:
    assert significance.homogeneity(np.array([50.0]), np.array([70.0])) == 1
    ones, none = np.ones(500), np.zeros(500)
    assert significance.homogeneity(np.append(ones, none), np.append(none, ones)) == 1


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.7, 0.2, 0.05, 0.03, 0.02], list(np.ones(50) / 50)])
def test_homogeneity_is_not_too_often_significant(shares: list[float]) -> None:
    random = np.random.default_rng(4)
    pairs = [(random.multinomial(200, shares), random.multinomial(2000, shares)) for _ in range(2000)]
    found = np.array([significance.homogeneity(now * 1.0, before * 1.0) for now, before in pairs])
    for level in (0.01, 0.05):
        assert np.mean(found <= level) <= level + 4 * math.sqrt(level * (1 - level) / 2000)


def test_fit_is_that_of_scipy_where_nothing_is_rare() -> None:
    now, before = np.array([30.0, 20, 15, 40, 9]), np.array([50.0, 60, 35, 80, 22])
    wanted = chisquare(now, before / before.sum() * now.sum()).pvalue
    assert significance.fit(now, before) == pytest.approx(wanted, rel=1e-10)


def slow_fit(now: list[int], before: list[int]) -> float | None:
    """The rules as they are said: the rarest together, one more at a time, until none is broken."""
    pairs = sorted(zip(before, now, strict=True), key=lambda pair: pair[0])
    scale = sum(now) / sum(before)
    for pooled in range(len(pairs)):
        head, tail = pairs[: pooled + 1], pairs[pooled + 1 :]
        groups = [(sum(b for b, _ in head) * scale, sum(a for _, a in head)), *((b * scale, a) for b, a in tail)]
        expected = [wanted for wanted, _ in groups]
        small = sum(wanted < 5 for wanted in expected)
        sound = min(expected) >= 10 if len(groups) == 2 else small <= 0.2 * len(groups)
        if len(groups) >= 2 and sound and min(expected) > 0:
            statistic = sum((found - wanted) ** 2 / wanted for wanted, found in groups)
            return float(chi2.sf(statistic, len(groups) - 1))
    return None


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    counts=st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from([0, 1, 2, 3, 5, 8, 20, 100])), min_size=1, max_size=12
    ).filter(lambda pairs: sum(a for a, _ in pairs) > 0 and sum(b for _, b in pairs) > 0)
)
def test_fit_regroups_as_the_rules_say(counts: list[tuple[int, int]]) -> None:
    now, before = (list(side) for side in zip(*counts, strict=True))
    order = np.argsort(before, kind="stable")
    wanted = slow_fit([now[i] for i in order], [before[i] for i in order])
    found = significance.fit(np.array(now, dtype=np.float64), np.array(before, dtype=np.float64))
    if wanted is None:
        assert found is None
    else:
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-300)
