"""Adjusted p-values against scipy, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from driftline.stats.discoveries import adjusted


@settings(max_examples=200, deadline=None, derandomize=True)
@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_adjusted_p_values_are_those_of_scipy(values: list[float]) -> None:
    assert adjusted(np.array(values)) == pytest.approx(false_discovery_control(values), rel=1e-12)


def test_no_test_has_no_p_value() -> None:
    assert adjusted(np.empty(0)).tolist() == []


def test_one_p_value_stays_as_it_is() -> None:
    assert adjusted(np.array([0.03])).tolist() == [0.03]


def test_chance_alone_is_found_as_rarely_as_promised() -> None:
    random = np.random.default_rng(1)
    found = sum(adjusted(random.random(50)).min() <= 0.05 for _ in range(2000)) / 2000
    # Of independent tests the promise is kept exactly; 0.015 are three standard deviations.
    assert found == pytest.approx(0.05, abs=0.015)
