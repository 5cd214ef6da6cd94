"""Intervals: against scipy where it has them, and by how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from driftline.stats import binary, intervals
from driftline.stats.ranking import ScoreTable, roc_auc

LEVELS = (0.8, 0.95, 0.99)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(whole=st.integers(1, 100_000), share=st.floats(0, 1), level=st.sampled_from(LEVELS))
def test_wilson_is_that_of_scipy(whole: int, share: float, level: float) -> None:
    part = round(share * whole)
    wanted = binomtest(part, whole).proportion_ci(level, method="wilson")
    found = intervals.wilson(part, whole, level)
    assert found is not None
    # Two ways to round the same closed formula.
    assert found == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert 0.0 <= found[0] <= part / whole <= found[1] <= 1.0


def test_wilson_of_no_rows_is_none() -> None:
    assert intervals.wilson(0, 0, 0.95) is None


@pytest.mark.parametrize("level", LEVELS)
def test_quantile_is_that_of_scipy(level: float) -> None:
    assert intervals.quantile(level) == pytest.approx(norm.ppf(0.5 + level / 2), abs=1e-9)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    tp=st.integers(0, 5000),
    fp=st.integers(0, 5000),
    fn=st.integers(0, 5000),
    beta=st.sampled_from([0.5, 1.0, 2.0]),
    level=st.sampled_from(LEVELS),
)
def test_f_beta_interval_holds_its_own_value(tp: int, fp: int, fn: int, beta: float, level: float) -> None:
    found = intervals.f_beta(tp, fp, fn, beta, level)
    value = binary.f_beta(binary.Counts(tp, fp, fn, 0), beta)
    if value is None:
        assert found is None
        return
    assert found is not None
    assert 0.0 <= found[0] <= value <= found[1] <= 1.0
    assert found[0] < found[1]


def test_f_beta_interval_is_the_delta_method_by_numerical_gradient() -> None:
    tp, fp, fn, beta = 160.0, 40.0, 70.0, 2.0
    counts = np.array([tp, fp, fn])

    def logit(c: np.ndarray) -> float:
        value = binary.f_beta(binary.Counts(c[0], c[1], c[2], 0), beta)
        assert value is not None
        return math.log(value / (1 - value))

    step = 1e-4
    gradient = np.array([(logit(counts + e) - logit(counts - e)) / (2 * step) for e in np.eye(3) * step])
    total = 1000.0
    share = counts / total
    covariance = total * (np.diag(share) - np.outer(share, share))
    half = norm.ppf(0.975) * math.sqrt(gradient @ covariance @ gradient)
    wanted = [1 / (1 + math.exp(-(logit(counts) + side * half))) for side in (-1, 1)]
    # A central difference with step 1e-4 is good to about 1e-8.
    assert intervals.f_beta(tp, fp, fn, beta, 0.95) == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(auc=st.floats(0, 1), p=st.integers(1, 2000), n=st.integers(1, 2000), variance=st.sampled_from([0.0, 1e-6, 1e-2]))
def test_area_interval_holds_its_area(auc: float, p: int, n: int, variance: float) -> None:
    lower, upper = intervals.area(auc, variance, p, n, 0.95)
    # The bisection ends within 2**-60 of its bound, and a float has 2**-53.
    assert 0.0 <= lower <= auc + 1e-12
    assert auc - 1e-12 <= upper <= 1.0


@pytest.mark.parametrize(("p", "n"), [(1, 1), (5, 5), (20, 180), (1000, 1000)])
def test_perfect_and_useless_areas_have_an_interval(p: int, n: int) -> None:
    lower, upper = intervals.area(1.0, 0.0, p, n, 0.95)
    assert upper == 1.0
    assert 0.0 < lower < 1.0
    assert intervals.area(0.0, 0.0, p, n, 0.95) == pytest.approx((0.0, 1.0 - lower), abs=1e-9)
    wider = intervals.area(1.0, 0.0, p, n, 0.99)
    assert wider[0] < lower


# A share of 0.95 of 1000 simulations has a standard error of 0.0069, one of 300 of 0.0126; four of them are allowed. At
# n = 200 (60 positives) the normal approximations behind F2 and the area may err by another 0.015, later by 0.005.
REPEATS = {200: 1000, 2000: 1000, 20_000: 300}
MORE = {200: 0.015, 2000: 0.005, 20_000: 0.005}
POSITIVES, SHIFT, CUT = 0.3, 1.2, 0.6


def simulated(n: int, seed: int) -> tuple[list[binary.Counts], list[ScoreTable]]:
    random = np.random.default_rng(seed)
    counts, tables = [], []
    for _ in range(REPEATS[n]):
        positive = random.random(n) < POSITIVES
        scores = np.round(random.normal(size=n) + SHIFT * positive, 6)
        decided = scores > CUT
        counts.append(
            binary.Counts(
                int((decided & positive).sum()),
                int((decided & ~positive).sum()),
                int((~decided & positive).sum()),
                int((~decided & ~positive).sum()),
            )
        )
        order = np.argsort(scores)
        tables.append(ScoreTable(scores[order], positive[order].astype(np.int64), (~positive[order]).astype(np.int64)))
    return counts, tables


@pytest.mark.parametrize("n", sorted(REPEATS))
def test_intervals_hold_the_truth_as_often_as_they_say(n: int) -> None:
    hit, false = float(norm.sf(CUT - SHIFT)), float(norm.sf(CUT))
    truth = {
        "recall": hit,
        "precision": POSITIVES * hit / (POSITIVES * hit + (1 - POSITIVES) * false),
        "f2": 5 * POSITIVES * hit / (5 * POSITIVES * hit + 4 * POSITIVES * (1 - hit) + (1 - POSITIVES) * false),
        "auc": norm.cdf(SHIFT / math.sqrt(2)),
    }
    held = dict.fromkeys(truth, 0)
    counts, tables = simulated(n, seed=n)
    for count, table in zip(counts, tables, strict=True):
        area = roc_auc(table)
        assert area.auc is not None
        found = {
            "recall": intervals.wilson(*binary.proportion("recall", count), 0.95),
            "precision": intervals.wilson(*binary.proportion("precision", count), 0.95),
            "f2": intervals.f_beta(count.tp, count.fp, count.fn, 2.0, 0.95),
            "auc": intervals.area(area.auc, area.variance, area.positives, area.negatives, 0.95),
        }
        for name, bounds in found.items():
            assert bounds is not None
            held[name] += bounds[0] <= truth[name] <= bounds[1]
    shares = {name: count / REPEATS[n] for name, count in held.items()}
    print(f"n = {n}: {shares}")
    band = 4 * math.sqrt(0.95 * 0.05 / REPEATS[n]) + MORE[n]
    for name, share in shares.items():
        assert abs(share - 0.95) <= band, (name, share)
