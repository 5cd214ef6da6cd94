"""The comparison of attributions: ranks by hand, and notes only on what ran."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import spearmanr


def test_rank_correlation_is_scipys(bench_module: Callable[[str], ModuleType]) -> None:
    measure, random = bench_module("measure"), np.random.default_rng(2)
    for _ in range(20):
        one, other = random.integers(0, 6, size=(2, 12)).astype(float)
        assert measure.rank_correlation(one.tolist(), other.tolist()) == pytest.approx(spearmanr(one, other)[0])
    assert measure.rank_correlation([1, 1], [1, 2]) == 1.0


def test_rankings_are_held_against_the_exact_one(bench_module: Callable[[str], ModuleType]) -> None:
    w5 = bench_module("w5")
    exact, near, silent = (w5.Subject(name) for name in ("driftline", "near", "silent"))
    exact.metrics, near.metrics = {"ranking": [3.0, 1.0, 0.0]}, {"ranking": [2.0, 1.0, 1.0]}
    w5.compare([exact, near, silent])
    assert near.notes[0].startswith("rank correlation")
    assert near.notes[1] == "50.0% of all attributions elsewhere"
    assert not exact.notes
    assert not silent.notes
    w5.compare([silent, near])
    assert len(near.notes) == 2


def test_rows_a_second_are_kept(bench_module: Callable[[str], ModuleType]) -> None:
    w5 = bench_module("w5")
    subject = w5.Subject("x")
    found = {"output": 'talk\n{"rate": 10.0, "ranking": [1]}\n'}
    assert w5.read(found, subject) == {"ranking": [1]}
    assert subject.rate == [10.0]
