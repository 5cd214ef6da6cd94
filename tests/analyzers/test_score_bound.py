"""Scores that are too many to keep: never more entries than allowed, and a bounded error whatever the order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from driftline.analyzers.scores import LEAST_ENTRIES, Scores
from driftline.stats import ranking
from driftline.testing import split

ENDS = [0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), 5e-324, -5e-324, 1.7976931348623157e308, -1.7e308, 2.0]


def batch_of(scores: Any, positive: Any, group: Any, weight: Any = None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "score": pa.array(scores, pa.float64()),
            "positive": pa.array(positive, pa.bool_()),
            "group": pa.array(group, pa.uint8()),
            "weight": pa.array(np.ones(len(scores)) if weight is None else weight, pa.float64()),
        }
    )


def drawn(n: int, seed: int = 0) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.3
    scores = 1 / (1 + np.exp(-random.normal(positive * 1.0, 1.0)))
    return scores, positive, random.integers(0, 64, n)


@pytest.mark.parametrize("most", [384, 500, 1000, 4096, 10_000])
def test_never_more_entries_and_the_area_within_its_bound(most: int) -> None:
    scores, positive, group = drawn(20_000)
    analyzer = Scores(most_entries=most)
    states = [analyzer.update(part) for part in split(batch_of(scores, positive, group), 9)]
    assert all(len(state.scores) <= most for state in states)
    state = analyzer.merge(states)
    assert len(state.scores) <= most
    assert (state.rows, state.weights.sum()) == (20_000, 20_000.0)
    found = analyzer.result(state)
    area = ranking.roc_auc(found.table).auc
    bound = ranking.ties_bound(found.table)
    assert found.rounding > 0
    assert area is not None
    assert abs(area - roc_auc_score(positive, scores)) <= bound + 1e-12
    if most >= 4096:
        assert bound < 0.05


@pytest.mark.parametrize("most", [384, 700, 5000])
def test_splits_and_order_give_the_same_bytes(most: int) -> None:
    scores, positive, group = drawn(6000, 1)
    scores = np.concatenate((scores, ENDS))
    positive, group = np.concatenate((positive, [True] * len(ENDS))), np.concatenate((group, [5] * len(ENDS)))
    analyzer, random = Scores(most_entries=most), np.random.default_rng(2)
    batch = batch_of(scores, positive, group)
    whole = analyzer.update(batch)
    for parts in (1, 7, 64, 1000):
        shuffled = batch.take(pa.array(random.permutation(batch.num_rows)))
        states = [analyzer.update(part) for part in split(shuffled, parts)]
        assert analyzer.merge(states) == whole
        random.shuffle(states)  # type: ignore[arg-type]
        pairs = [analyzer.merge(states[i : i + 2]) for i in range(0, len(states), 2)]
        assert analyzer.merge([analyzer.identity(), *pairs]) == whole


@pytest.mark.parametrize("most", [1000, 5000])
def test_a_rounded_score_is_within_its_stated_error(most: int) -> None:
    scores, positive, group = drawn(20_000, 3)
    analyzer = Scores(most_entries=most)
    found = analyzer.result(analyzer.update(batch_of(scores, positive, group)))
    for side, counts in ((True, found.table.positives), (False, found.table.negatives)):
        kept = np.repeat(found.table.scores, counts.astype(int))
        # Rounding keeps the order, so the i-th rounded score stands for the i-th score.
        exact = np.sort(scores[positive == side])
        assert (np.abs(kept - exact) <= found.rounding * np.abs(exact)).all()


def test_nothing_is_rounded_up_to_the_bound() -> None:
    scores, positive, group = drawn(1000, 4)
    batch = batch_of(scores, positive, group)
    exact = Scores(most_entries=1000)
    state = exact.merge([exact.update(part) for part in split(batch, 7)])
    assert (state.dropped, len(state.scores)) == (0, 1000)
    found = exact.result(state)
    assert found.rounding == 0.0
    # Sums of whole numbers, divided once.
    assert ranking.roc_auc(found.table).auc == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    one_less = Scores(most_entries=999).update(batch)
    assert one_less.dropped > 0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    scores=st.lists(st.one_of(st.sampled_from(ENDS), st.floats(allow_nan=False)), min_size=1, max_size=8),
    seed=st.integers(0, 99),
)
def test_the_least_bound_holds_for_any_scores(scores: list[float], seed: int) -> None:
    random = np.random.default_rng(seed)
    n = 2000
    values = random.choice(np.array(scores), n) * random.choice([1.0, 0.5, 2.0**-600, -1.0], n)
    values = values[~np.isnan(values)]
    batch = batch_of(values, random.random(len(values)) < 0.5, random.integers(0, 64, len(values)))
    analyzer = Scores(most_entries=LEAST_ENTRIES)
    state = analyzer.update(batch)
    assert len(state.scores) <= LEAST_ENTRIES
    assert analyzer.merge([analyzer.update(part) for part in split(batch, 5)]) == state
    kept = analyzer.result(state).table
    assert (np.diff(kept.scores) > 0).all()
    # Infinite scores stay what they are, and no finite score becomes one of them.
    for infinite in (np.inf, -np.inf):
        total = (kept.positives + kept.negatives)[kept.scores == infinite].sum()
        assert total == (values == infinite).sum()


def test_a_bound_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="384 or more"):
        Scores(most_entries=383)


def test_weights_are_kept_when_scores_are_rounded() -> None:
    scores, positive, group = drawn(5000, 5)
    weight = np.random.default_rng(6).random(5000)
    analyzer = Scores(most_entries=800)
    found = analyzer.result(analyzer.update(batch_of(scores, positive, group, weight)))
    assert found.table.positives.sum() == pytest.approx(weight[positive].sum(), rel=1e-12)
    assert found.table.negatives.sum() == pytest.approx(weight[~positive].sum(), rel=1e-12)
    area = ranking.roc_auc(found.table).auc
    assert area is not None
    wanted = roc_auc_score(positive, scores, sample_weight=weight)
    assert abs(area - wanted) <= ranking.ties_bound(found.table) + 1e-12
