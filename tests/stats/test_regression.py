"""Metrics of numbers from their sums: what the recipe's tests against scikit-learn do not reach."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.stats.regression import ErrorSums, metrics

NOTHING = {"mae": None, "mse": None, "rmse": None, "r2": None}
sums = st.floats(0, allow_infinity=True) | st.just(math.nan)


def test_no_weight_has_no_metrics() -> None:
    assert metrics(ErrorSums(0.0, 0.0, 0.0, 0.0)) == NOTHING


@pytest.mark.parametrize("squared", [0.0, 3.0])
def test_constant_truth_has_no_r2(squared: float) -> None:
    assert metrics(ErrorSums(3.0, 3.0, squared, 0.0))["r2"] is None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(weight=st.floats(1e-3, 1e9), absolute=sums, squared=sums, spread=sums)
def test_a_metric_is_a_finite_number_or_none(weight: float, absolute: float, squared: float, spread: float) -> None:
    found = metrics(ErrorSums(weight, absolute, squared, spread))
    assert found.keys() == NOTHING.keys()
    assert all(value is None or math.isfinite(value) for value in found.values())
    assert (found["mae"] is None) == (not math.isfinite(absolute / weight))
