"""Metrics estimated without labels: how often they hold, what they depend on, and when they must not be given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from driftline.serving.runtime import load_model
from driftline.stats import binary
from driftline.stats.calibrator import Calibrator, Condition, fit
from driftline.stats.estimability import Unlabelled
from driftline.stats.estimation import METRICS, Estimate, estimate
from driftline.stats.hindsight import check, contradicted
from driftline.stats.isotonic import isotonic
from driftline.stats.ranking import ScoreTable

THRESHOLD, LEVEL, REPEATS = 0.5, 0.95, 200
# Three standard deviations of a share of 200 repeats about 0.95: many metrics and cases are looked at.
TOLERANCE = 0.046


def labelled(scores: Any, positive: Any) -> ScoreTable:
    distinct, place = np.unique(scores, return_inverse=True)
    wins = np.bincount(place, weights=positive).astype(np.int64)
    return ScoreTable(distinct, wins, np.bincount(place).astype(np.int64) - wins)


def unlabelled(scores: Any) -> Unlabelled:
    return Unlabelled(*np.unique(scores, return_counts=True))


def realised(scores: Any, positive: Any, threshold: float = THRESHOLD) -> dict[str, float | None]:
    said = scores > threshold
    cells = (said & positive, said & ~positive, ~said & positive, ~said & ~positive)
    counts = binary.Counts(*(int(cell.sum()) for cell in cells))
    found = {name: binary.value(name, counts) for name in METRICS}
    both = positive.any() and not positive.all()
    return found | {"auc": float(sk.roc_auc_score(positive, scores)) if both else None}


def made(random: Any, rows: int, a: float = 0.3, b: float = 1.2) -> tuple[Any, Any]:
    """Scores that are the probabilities of their labels."""
    scores = random.beta(a, b, rows)
    return scores, random.random(rows) < scores


def rates_of(outcomes: list[dict[str, bool | None]]) -> dict[str, float]:
    known = {name: [one[name] for one in outcomes if one.get(name) is not None] for name in (*METRICS, "auc")}
    return {name: float(np.mean([bool(inside) for inside in seen])) for name, seen in known.items() if seen}


def outcome(baseline: tuple[Any, Any], window: tuple[Any, Any], seed: int) -> tuple[Estimate, dict[str, bool | None]]:
    calibrator = fit(labelled(*baseline), threshold=THRESHOLD, seed=seed)
    found = estimate(calibrator, unlabelled(window[0]), threshold=THRESHOLD, seed=seed, level=LEVEL)
    return found, check(found.metrics, realised(*window))


@pytest.fixture(scope="module")
def churn(published: Path) -> tuple[Any, Any]:
    folder = published / "churn"
    rows = np.loadtxt(folder / "validation.csv", delimiter=",", dtype=np.float32)
    scores = load_model(folder / "xgb-churn-prediction-model.json").predict(np.ascontiguousarray(rows[:, 1:]))
    return scores.astype(np.float64), rows[:, 0] == 1


@pytest.mark.parametrize("seed", range(20))
def test_isotonic_is_that_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    length = int(random.integers(1, 60))
    values, weights = random.integers(0, 6, length) / 5, random.integers(1, 30, length).astype(float)
    expected = IsotonicRegression().fit(np.arange(length), values, weights).predict(np.arange(length))
    assert isotonic(values, weights) == pytest.approx(expected, abs=1e-9)


def test_isotonic_fits_many_sequences_as_it_fits_one() -> None:
    random = np.random.default_rng(5)
    values, weights = random.random((7, 30)), random.random((7, 30)) + 0.1
    each = [isotonic(v, w) for v, w in zip(values, weights, strict=True)]
    assert isotonic(values, weights) == pytest.approx(np.stack(each), abs=1e-9)
    assert isotonic([], []).tolist() == []


CASES = {
    "calibrated": (600, 600, 1.0),
    "small baseline, large window": (500, 20_000, 1.0),
    "large baseline, small window": (5000, 200, 1.0),
    "overconfident": (2000, 1000, 3.0),
    "underconfident": (2000, 1000, 0.5),
}


@pytest.mark.parametrize(
    "case",
    ["overconfident", *(pytest.param(case, marks=pytest.mark.long) for case in CASES if case != "overconfident")],
)
def test_intervals_hold_at_the_stated_rate(case: str) -> None:
    before, after, power = CASES[case]
    random = np.random.default_rng(len(case))

    def drawn(rows: int) -> tuple[Any, Any]:
        p, positive = made(random, rows)
        return p**power / (p**power + (1 - p) ** power), positive

    outcomes = [outcome(drawn(before), drawn(after), seed) for seed in range(REPEATS)]
    assert sum(bool(found.conditions) for found, _ in outcomes) <= 0.02 * REPEATS
    held = rates_of([inside for _, inside in outcomes])
    assert {name: share for name, share in held.items() if share < LEVEL - TOLERANCE} == {}


def test_intervals_hold_on_held_out_halves_of_the_churn_data(churn: tuple[Any, Any]) -> None:
    scores, positive = churn
    random, outcomes = np.random.default_rng(20), []
    for seed in range(REPEATS):
        order = random.permutation(len(scores))
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        outcomes.append(outcome((scores[one], positive[one]), (scores[other], positive[other]), seed))
    assert sum(bool(found.conditions) for found, _ in outcomes) <= 0.05 * REPEATS
    held = rates_of([inside for _, inside in outcomes])
    assert {name: share for name, share in held.items() if share < LEVEL - TOLERANCE} == {}


def test_intervals_are_not_held_by_being_wide(churn: tuple[Any, Any]) -> None:
    """A third of the unit interval and more would hold anything and say nothing."""
    scores, positive = churn
    found, _ = outcome((scores[::2], positive[::2]), (scores[1::2], positive[1::2]), 1)
    widths = {name: one.upper - one.lower for name, one in found.metrics.items() if one.lower is not None and one.upper}
    assert max(widths.values()) < 0.34
    assert widths["accuracy"] < 0.09


def test_covariate_shift_is_still_held() -> None:
    random, outcomes = np.random.default_rng(8), []
    for seed in range(REPEATS):
        scores, positive = made(random, 1000)
        # Rows of higher scores are seen more often; the share of positives at a score stays.
        kept = random.random(1000) < 0.5 + 0.5 * scores
        outcomes.append(outcome(made(random, 1000), (scores[kept], positive[kept]), seed))
    assert sum(bool(found.conditions) for found, _ in outcomes) <= 0.05 * REPEATS
    held = rates_of([inside for _, inside in outcomes])
    assert {name: share for name, share in held.items() if share < LEVEL - TOLERANCE} == {}


def test_concept_drift_that_scores_cannot_show_is_contradicted_by_labels() -> None:
    random, history = np.random.default_rng(9), []
    calibrator = fit(labelled(*made(random, 3000)), threshold=THRESHOLD, seed=1)
    for seed in range(5):
        scores, positive = made(random, 1000)
        positive = np.where((scores > 0.4) & (scores < 0.9), ~positive, positive)
        found = estimate(calibrator, unlabelled(scores), threshold=THRESHOLD, seed=seed)
        assert not found.conditions, "nothing is to be seen before the labels come"
        history.append(check(found.metrics, realised(scores, positive)))
    now = estimate(calibrator, unlabelled(made(random, 500)[0]), threshold=THRESHOLD, seed=9, history=history)
    assert [one.code for one in now.conditions] == ["estimate_contradicted"]
    assert now.metrics == {}


def test_drift_that_moves_the_scores_is_unknown_at_once(churn: tuple[Any, Any]) -> None:
    scores, positive = churn
    calibrator = fit(labelled(scores, positive), threshold=THRESHOLD, seed=1)
    moved = np.random.default_rng(3).permutation(np.concatenate([scores, np.repeat(scores[positive], 6)]))
    found = estimate(calibrator, unlabelled(moved), threshold=THRESHOLD, seed=1)
    assert "score_drift" in {one.code for one in found.conditions}


def test_sound_windows_are_rarely_called_contradicted() -> None:
    random = np.random.default_rng(11)
    names = ("accuracy", "precision", "recall", "true_negative_rate", "auc")
    called = [
        contradicted([dict(zip(names, row, strict=True)) for row in (random.random((20, 5)) < LEVEL).tolist()])
        for _ in range(2000)
    ]
    assert np.mean([one is not None for one in called]) <= 0.015


@pytest.mark.parametrize(
    ("inside", "fires"),
    [
        ([False], False),
        ([True] * 19 + [False], False),
        ([False, False], False),
        ([False] * 3, True),
        ([True, False, False, True, False], True),
        ([], False),
        ([None] * 9, False),
        # Old misses are forgotten.
        ([False] * 3 + [True] * 20, False),
    ],
)
def test_what_contradicts(inside: list[bool | None], fires: bool) -> None:
    assert (contradicted([{"auc": one} for one in inside]) is not None) == fires


def test_an_estimate_depends_only_on_the_merged_summary() -> None:
    random = np.random.default_rng(13)
    scores, positive = made(random, 900)
    scores = np.round(scores, 2)
    order = random.permutation(900)
    one = fit(labelled(scores, positive), threshold=THRESHOLD, seed=4)
    assert one == fit(labelled(scores[order], positive[order]), threshold=THRESHOLD, seed=4)
    whole = unlabelled(scores)
    # The same rows with some scores that nobody has, as a merge may leave them.
    padded = Unlabelled(np.append(whole.scores, 2.0)[:-1], whole.counts)
    assert estimate(one, whole, threshold=THRESHOLD, seed=2) == estimate(one, padded, threshold=THRESHOLD, seed=2)
    flagged = np.where(whole.scores > THRESHOLD, whole.counts, 0)
    given = Unlabelled(whole.scores, whole.counts, flagged)
    assert estimate(one, given, threshold=THRESHOLD, seed=2) == estimate(one, whole, threshold=THRESHOLD, seed=2)


def test_a_calibrator_survives_its_document() -> None:
    calibrator = fit(labelled(*made(np.random.default_rng(1), 500)), threshold=THRESHOLD, seed=4)
    assert isinstance(calibrator, Calibrator)
    assert Calibrator.from_builtins(json.loads(json.dumps(calibrator.to_builtins()))) == calibrator
    rates = calibrator.rates()
    assert (np.diff(rates) >= 0).all()
    assert (rates > 0).all()
    assert (rates < 1).all()
    assert min(np.add(calibrator.positives, calibrator.negatives)) >= 10


def refused(scores: Any, positive: Any) -> str:
    found = fit(labelled(np.asarray(scores, dtype=float), np.asarray(positive)), threshold=THRESHOLD, seed=1)
    assert isinstance(found, Condition)
    assert estimate(found, unlabelled(np.full(500, 0.5)), threshold=THRESHOLD, seed=1).conditions == (found,)
    return found.code


def test_baselines_that_cannot_calibrate() -> None:
    random = np.random.default_rng(2)
    scores, positive = made(random, 2000, 1, 1)
    assert refused([], []) == "baseline_too_small"
    assert refused([0.3], [True]) == "baseline_too_small"
    assert refused(scores, np.zeros(2000, dtype=bool)) == "baseline_one_class"
    assert refused(scores * 3, positive) == "not_probabilities"
    assert refused(np.append(scores, np.inf), np.append(positive, True)) == "not_probabilities"
    assert refused(np.append(scores, np.nan), np.append(positive, True)) == "not_probabilities"
    assert refused(1 - scores, positive) == "calibration_poor"
    halves = labelled(scores, positive)
    weighted = fit(ScoreTable(halves.scores, halves.positives / 2, halves.negatives), threshold=THRESHOLD, seed=1)
    assert isinstance(weighted, Condition)
    assert weighted.code == "weighted_baseline"


def codes(scores: Any, flagged: Any = None) -> set[str]:
    calibrator = fit(labelled(*made(np.random.default_rng(6), 2000)), threshold=THRESHOLD, seed=1)
    distinct, counts = np.unique(np.asarray(scores, dtype=float), return_counts=True)
    given = Unlabelled(distinct, counts, None if flagged is None else flagged(distinct, counts))
    found = estimate(calibrator, given, threshold=THRESHOLD, seed=1)
    assert bool(found.metrics) != bool(found.conditions), "UNKNOWN has no numbers, and numbers no doubts"
    return {one.code for one in found.conditions}


def test_windows_that_cannot_be_estimated() -> None:
    scores = np.sort(made(np.random.default_rng(7), 1000)[0])
    assert codes(scores) == set()
    assert codes([]) == {"too_few_rows"}
    assert codes([0.5]) == {"too_few_rows"}
    assert codes(scores - 0.1) == {"not_probabilities"}
    assert codes(np.append(scores, np.nan)) == {"not_probabilities"}
    assert "score_drift" in codes(np.full(1000, 0.3))
    assert codes(scores, lambda s, n: np.where(np.arange(len(s)) % 3 == 0, n, 0)) == {"decisions_not_by_score"}
    absent = estimate(None, unlabelled(scores), threshold=THRESHOLD, seed=1)
    assert [one.code for one in absent.conditions] == ["no_calibrator"]


def test_scores_where_the_baseline_had_none_are_unknown() -> None:
    random = np.random.default_rng(4)
    low, high = random.uniform(0, 0.2, 1000), random.uniform(0.8, 1, 200)
    scores = np.concatenate([low, high])
    calibrator = fit(labelled(scores, random.random(1200) < scores), threshold=THRESHOLD, seed=1)
    # The gap is filled with every tenth row only, too few for the distributions to be far apart.
    filled = np.where(np.arange(1200) % 9 == 0, 0.45, scores)
    found = estimate(calibrator, unlabelled(filled), threshold=THRESHOLD, seed=1)
    assert "outside_support" in {one.code for one in found.conditions}


def test_a_metric_that_may_be_undefined_has_no_estimate() -> None:
    random = np.random.default_rng(12)
    scores = random.uniform(0, 0.4, 1000)
    found, inside = outcome((scores, random.random(1000) < scores), (scores[:300], random.random(300) < 0.2), 1)
    assert found.metrics["precision"].value is None
    assert "no predicted positives" in str(found.metrics["precision"].error)
    assert inside["precision"] is None


def test_a_constant_score_orders_nothing() -> None:
    random = np.random.default_rng(14)
    constant = np.full(800, 0.3)
    found, _ = outcome((constant, random.random(800) < 0.3), (constant[:400], random.random(400) < 0.3), 1)
    auc = found.metrics["auc"]
    assert auc[:3] == pytest.approx((0.5, 0.5, 0.5))
    assert found.metrics["accuracy"].value == pytest.approx(0.7, abs=0.06)


def test_check_needs_both_values() -> None:
    found, _ = outcome(made(np.random.default_rng(1), 800), made(np.random.default_rng(2), 800), 1)
    assert check(found.metrics, {}) == dict.fromkeys(found.metrics)
    assert check(found.metrics, {"auc": 0.01})["auc"] is False
    assert check(found.metrics, {"auc": found.metrics["auc"].upper})["auc"] is True
