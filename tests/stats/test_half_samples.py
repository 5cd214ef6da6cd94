"""Balanced half-samples against the textbook error of a mean, and on a ranking, which moves in jumps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from driftline.stats.half_samples import balanced, interval, standard_error
from driftline.stats.ndcg import ndcg


@pytest.mark.parametrize("groups", [2, 8, 64])
def test_halves_are_balanced(groups: int) -> None:
    kept = balanced(groups)
    assert kept.shape == (2 * (groups - 1), groups)
    assert (kept.sum(axis=1) == groups // 2).all()
    signs = np.where(kept, 1, -1)
    # Any two groups are in the same half as often as not, but for the one that the missing first row takes.
    assert (signs.T @ signs == 2 * (groups * np.eye(groups) - 1)).all()


@pytest.mark.parametrize("groups", [8, 64])
def test_of_a_mean_it_is_the_textbook_error(groups: int) -> None:
    values = np.random.default_rng(groups).normal(3, 2, groups)
    halves = np.array([values[half].mean() for half in balanced(groups)])
    wanted = values.std(ddof=1) / math.sqrt(groups)
    assert standard_error(float(values.mean()), halves) == pytest.approx(wanted, rel=1e-12)
    found = interval(float(values.mean()), halves, 0.9)
    assert found == pytest.approx(values.mean() + np.array([-1, 1]) * t.ppf(0.95, groups - 1) * wanted, rel=1e-9)


def test_of_a_ranking_it_is_near_the_spread_of_new_samples() -> None:
    random = np.random.default_rng(5)
    baseline = np.array([5.0, 4.0, 3.0, 1.0, 0.5])
    sizes = np.array([3.0, 3.2, 3.1, 0.7, 0.9])
    kept = balanced(64)
    errors, values = [], []
    for _ in range(300):
        groups = random.exponential(sizes, size=(64, 5, 5)).sum(axis=1)
        values.append(float(ndcg(baseline, groups.sum(axis=0))))
        errors.append(standard_error(values[-1], ndcg(baseline, kept @ groups)))
    # The spread of 300 values is known to some 4 %; the error is somewhat too large, never much too small.
    assert 0.9 < float(np.mean(errors)) / float(np.std(values)) < 1.5


def test_no_spread_no_halves_and_no_value() -> None:
    assert interval(1.0, np.ones(14), 0.95, 1.0) == (1.0, 1.0)
    assert interval(0.5, np.zeros(0), 0.95) is None
    assert interval(0.5, np.array([0.5, math.nan]), 0.95) is None
    assert interval(0.99, np.array([0.9, 1.0] * 7), 0.95, 1.0) == (pytest.approx(0.836, abs=0.005), 1.0)
