"""The jackknife by brute force, and Student's t by scipy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from driftline.stats import jackknife
from driftline.stats.jackknife import SCALES, Scale


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99, 0.999])
def test_student_quantile_is_that_of_scipy(level: float) -> None:
    for freedom in (*range(1, 64), 100, 1001):
        wanted = t.ppf(0.5 + level / 2, freedom)
        assert jackknife.student_quantile(level, freedom) == pytest.approx(wanted, rel=1e-9), freedom


def left_out(values: Any, metric: Any) -> list[float]:
    return [float(metric(np.delete(values, place, axis=0))) for place in range(len(values))]


@pytest.mark.parametrize("n", [2, 3, 10, 47])
def test_of_a_mean_it_is_the_textbook_error(n: int) -> None:
    values = np.random.default_rng(n).normal(3, 2, n)
    error = jackknife.standard_error(left_out(values, np.mean))
    assert error == pytest.approx(values.std(ddof=1) / math.sqrt(n), rel=1e-10)


@pytest.mark.parametrize("metric", [np.mean, np.var, lambda v: math.sqrt((v**2).mean()), lambda v: np.exp(v).sum()])
def test_of_any_metric_it_is_the_variance_of_pseudo_values(metric: Any) -> None:
    values = np.random.default_rng(3).normal(0, 1, 30)
    left = np.array(left_out(values, metric))
    pseudo = 30 * metric(values) - 29 * left
    # Tukey's form: the standard error of the mean of the pseudo-values.
    assert jackknife.standard_error(left.tolist()) == pytest.approx(pseudo.std(ddof=1) / math.sqrt(30), rel=1e-9)


@pytest.mark.parametrize("left", [[], [1.0]])
def test_fewer_than_two_groups_have_no_error(left: list[float]) -> None:
    assert jackknife.standard_error(left) is None
    assert jackknife.interval(1.0, left, 0.95, "log") is None


def test_metrics_that_no_group_changes_tell_nothing_of_their_error() -> None:
    for scale in SCALES:
        assert jackknife.interval(0.5, [0.5] * 64, 0.95, scale) is None


FORWARD = {"log": math.log, "logit": lambda x: math.log(x / (1 - x)), "log of 1 - value": lambda x: math.log(1 - x)}


@pytest.mark.parametrize("scale", ["log", "logit", "log of 1 - value"])
def test_an_interval_is_symmetric_on_its_scale(scale: Scale) -> None:
    random = np.random.default_rng(1)
    value, left = 0.7, (0.7 + random.normal(0, 0.01, 40)).tolist()
    found = jackknife.interval(value, left, 0.9, scale)
    assert found is not None
    low, middle, high = sorted(FORWARD[scale](x) for x in (*found, value))
    error = jackknife.standard_error([FORWARD[scale](x) for x in left])
    assert error is not None
    half = t.ppf(0.95, 39) * error
    assert (low, high) == pytest.approx((middle - half, middle + half), rel=1e-9)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    value=st.floats(0, 1),
    left=st.lists(st.floats(0, 1), min_size=2, max_size=20),
    scale=st.sampled_from(sorted(SCALES)),
)
def test_an_interval_holds_its_value_and_stays_in_the_metric_s_range(
    value: float, left: list[float], scale: Scale
) -> None:
    found = jackknife.interval(value, left, 0.95, scale)
    if found is None:
        return
    low, high = {"log": (0.0, math.inf), "logit": (0.0, 1.0), "log of 1 - value": (-math.inf, 1.0)}[scale]
    # There and back through a logarithm costs a few of the last digits.
    assert low <= found[0] <= value * (1 + 1e-9) + 1e-9
    assert value * (1 - 1e-9) - 1e-9 <= found[1] <= high
