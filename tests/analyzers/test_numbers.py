"""Moments are those of exact arithmetic, whatever the numbers are and however they are split."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from driftline.analyzers.numbers import Moments, Numbers, NumberState
from driftline.testing import check_laws, split

NUMBERS = Numbers()
LARGEST = 1.7976931348623157e308


def batch(values: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"value": pa.array(values, pa.float64())})


def moments(values: Any, parts: int = 1) -> Moments:
    return NUMBERS.result(NUMBERS.merge([NUMBERS.update(part) for part in split(batch(values), parts)]))


@pytest.mark.parametrize("parts", [1, 7, 64])
@pytest.mark.parametrize("offset", [0.0, 1e9, -1e15])
def test_moments_against_scipy(parts: int, offset: float) -> None:
    values = np.random.default_rng(1).normal(size=50_000).round(1) + offset
    found, oracle = moments(values, parts), stats.describe(values - offset, ddof=0)
    assert found.mean == pytest.approx(float(oracle.mean) + offset, rel=1e-15, abs=1e-15)
    assert found.std_dev == pytest.approx(math.sqrt(oracle.variance), rel=1e-12)
    assert (found.min, found.max) == (values.min(), values.max())
    assert found.sum == pytest.approx(math.fsum(values.tolist()), rel=1e-15, abs=1e-9)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30), parts=st.integers(1, 5))
def test_moments_against_exact_arithmetic(values: list[float], parts: int) -> None:
    found, exact = moments(values, parts), [Fraction(value) for value in values]
    scale = max(abs(value) for value in values)
    assert found.mean == pytest.approx(float(sum(exact) / len(exact)), rel=1e-12, abs=1e-15 * scale)
    assert found.sum == pytest.approx(float(sum(exact)), rel=1e-12, abs=1e-14 * scale)
    apart = Fraction(sum((value - sum(exact) / len(exact)) ** 2 for value in exact)) / len(exact)
    root = Fraction(math.isqrt(int(apart * 10**800)), 10**400)
    assert found.std_dev == pytest.approx(float(root), rel=1e-7, abs=1e-15 * scale)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(values=st.lists(st.floats() | st.none(), max_size=40))
def test_laws_on_any_values(values: list[float | None]) -> None:
    finite = [abs(value) for value in values if value is not None and math.isfinite(value)]
    check_laws(NUMBERS, [batch(values)], tolerance=1e-6, absolute=1e-13 * min(max(finite, default=0.0), 1e300))


def test_laws_on_many_values() -> None:
    check_laws(NUMBERS, [batch(np.random.default_rng(0).lognormal(size=20_000))], tolerance=1e-12)


def test_merging_does_not_depend_on_the_order() -> None:
    states = [NUMBERS.of(np.random.default_rng(seed).normal(seed, 1, 100 + seed)) for seed in range(7)]
    assert NUMBERS.merge(states) == NUMBERS.merge(states[::-1])


def test_large_values_close_together_lose_no_digits() -> None:
    values = 1e15 + np.arange(1000) % 4
    for parts in (1, 7, 64):
        found = moments(values, parts)
        assert (found.mean, found.sum) == (1e15 + 1.5, 1e18 + 1500)
        assert found.std_dev == pytest.approx(statistics.pstdev([0, 1, 2, 3]), rel=1e-13)


def test_sums_of_whole_numbers_are_whole() -> None:
    values = np.random.default_rng(3).integers(0, 2, 2333)
    assert moments(values.astype(float), 7).sum == values.sum()


def test_constant_values_have_no_spread_at_all() -> None:
    for value in (0.1, 1e308, -LARGEST, 1e-320):
        found = moments([value] * 999, 7)
        assert (found.std_dev, found.mean, found.min, found.max) == (0.0, value, value, value)


def test_the_largest_numbers_have_a_mean_and_a_deviation_but_no_sum() -> None:
    for parts in (1, 3):
        found = moments([LARGEST, LARGEST, 0.0, 0.0], parts)
        assert found.sum is None
        assert found.reason == "the numbers are too large for a sum"
        assert found.mean == pytest.approx(LARGEST / 2)
        assert found.std_dev == pytest.approx(LARGEST / 2)
        cancelled = moments([LARGEST, -LARGEST], parts)
        assert (cancelled.mean, cancelled.sum, cancelled.reason) == (0.0, 0.0, None)
        assert cancelled.std_dev == pytest.approx(LARGEST)


def test_tiny_numbers_have_a_deviation() -> None:
    assert moments([1e-200, 3e-200]).std_dev == pytest.approx(1e-200)
    assert moments([1e-200, 3e-200, 1e200, 3e200], 4).std_dev == pytest.approx(statistics.pstdev([0, 0, 1, 3]) * 1e200)


def test_a_large_number_among_ordinary_ones() -> None:
    found = moments([1.0, 2.0, 1e200], 3)
    assert found.mean == pytest.approx(1e200 / 3)
    assert found.std_dev == pytest.approx(math.sqrt(2) / 3 * 1e200)


def test_nan_and_infinities_are_counted_apart() -> None:
    state = NUMBERS.update(batch([1.0, float("nan"), float("nan"), float("inf"), -float("inf"), None, 3.0]))
    assert (state.count, state.nan, state.above, state.below, state.not_finite) == (2, 2, 1, 1, 4)
    assert NUMBERS.result(state).mean == 2.0
    assert NUMBERS.merge([state, state]).not_finite == 8


def test_no_finite_number_has_no_moments() -> None:
    for values in ([], [None], [float("nan"), float("inf")]):
        assert moments(values) == Moments(0, reason="no finite number")


@pytest.mark.parametrize("seed", range(3))
def test_counted_numbers_are_as_many_single_ones(seed: int) -> None:
    random = np.random.default_rng(seed)
    values, counts = random.normal(size=40), random.integers(1, 50, 40)
    counted, single = NUMBERS.of_counted(values, counts), NUMBERS.of(np.repeat(values, counts))
    for name in ("mean", "std_dev", "sum", "min", "max"):
        assert getattr(NUMBERS.result(counted), name) == pytest.approx(getattr(NUMBERS.result(single), name))


def test_minus_zero_is_zero() -> None:
    assert NUMBERS.of(np.array([-0.0])) == NUMBERS.of(np.array([0.0]))


def test_a_state_is_small() -> None:
    assert len(NumberState().save()) < 200
