"""The state of probability vectors: its laws, its bound, and areas by group against brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from driftline.analyzers.scores import LEAST_ENTRIES, Scores, ScoreState
from driftline.analyzers.vectors import Vectors
from driftline.core.sampling import GROUPS
from driftline.stats import ranking
from driftline.testing import check_laws, split

ANALYZERS = [Vectors(3), Vectors(3, most_entries=3 * LEAST_ENTRIES)]


def batch_of(said: Any, labels: Any, groups: Any, weights: Any = None) -> pa.RecordBatch:
    said = np.asarray(said, dtype=np.float64).reshape(len(labels), -1 if len(labels) else 3)
    return pa.RecordBatch.from_pydict(
        {
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(said.ravel()), said.shape[1]),
            "actual": pa.array(labels, pa.int32()),
            "group": pa.array(groups, pa.uint8()),
            "weight": pa.array(np.ones(len(labels)) if weights is None else weights, pa.float64()),
        }
    )


def drawn(n: int, classes: int, seed: int, *, weighted: bool = False) -> pa.RecordBatch:
    random = np.random.default_rng(seed)
    said = random.dirichlet(np.full(classes, 0.7), n)
    labels = (random.random(n)[:, None] > np.cumsum(said, axis=1)[:, :-1]).sum(axis=1)
    return batch_of(said, labels, random.integers(0, GROUPS, n), random.random(n) * 3 if weighted else None)


rows = st.lists(
    st.tuples(
        st.sampled_from([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [-0.0, 0.5, 0.5], [1 / 3] * 3, [1e-320, 1.0, 0.0]]),
        st.integers(0, 2),
        st.integers(0, GROUPS - 1),
        st.sampled_from([1.0, 0.5, 7.0, 0.0]),
    ),
    max_size=60,
)


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=["exact", "rounded"])
@settings(max_examples=12, deadline=None, derandomize=True)
@given(rows=rows, seed=st.integers(0, 9))
def test_laws_on_any_rows(analyzer: Vectors, rows: list[tuple[list[float], int, int, float]], seed: int) -> None:
    said, labels, groups, weights = ([row[i] for row in rows] for i in range(4))
    check_laws(analyzer, [batch_of(said, labels, groups, weights)], tolerance=1e-12, absolute=1e-12, seed=seed)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("analyzer", ANALYZERS, ids=["exact", "rounded"])
def test_laws_on_many_rows(analyzer: Vectors, weighted: bool) -> None:
    check_laws(analyzer, [drawn(3000, 3, 5, weighted=weighted)], tolerance=1e-12, absolute=1e-12)


def entries(analyzer: Vectors, batch: pa.RecordBatch) -> int:
    merged = analyzer.merge([analyzer.update(part) for part in split(batch, 7)])
    return sum(len(ScoreState.load(one).scores) for one in merged.scores)


def test_all_classes_together_keep_no_more_than_the_bound() -> None:
    batch, most = drawn(20_000, 5, 6), 5 * 2000
    assert entries(Vectors(5), batch) == 5 * 20_000
    bounded = Vectors(5, most_entries=most)
    assert entries(bounded, batch) <= most
    exact, found = (analyzer.result(analyzer.update(batch)) for analyzer in (Vectors(5), bounded))
    for one, other in zip(exact.scores, found.scores, strict=True):
        assert one.rounding == 0
        assert other.rounding > 0
        bound = ranking.ties_bound(other.table)
        gap = abs((ranking.roc_auc(one.table).auc or 0) - (ranking.roc_auc(other.table).auc or 0))
        assert 0 < gap <= bound < 0.1
    assert np.array_equal(exact.places, found.places)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "distinct"), [(2, None), (40, 3), (300, 12), (4000, None)])
def test_areas_without_each_group_are_those_of_the_other_rows(n: int, distinct: int | None, weighted: bool) -> None:
    random = np.random.default_rng(n)
    scores, groups = random.random(n), random.integers(0, min(GROUPS, n), n)
    scores = scores if distinct is None else np.floor(scores * distinct)
    labels, weights = np.arange(n) % 3 == 0, random.random(n) + 0.1 if weighted else np.ones(n)
    table = {"score": scores, "positive": labels, "group": groups.astype(np.uint8), "weight": weights}
    analyzer = Scores()
    found = analyzer.result(analyzer.update(pa.RecordBatch.from_pydict(table))).areas_without()
    wanted: list[Any] = []
    for group in np.unique(groups):
        kept = groups != group
        both = kept.any() and len(set(labels[kept])) == 2
        wanted.append(sk.roc_auc_score(labels[kept], scores[kept], sample_weight=weights[kept]) if both else None)
    assert [one is None for one in found] == [one is None for one in wanted]
    assert [one for one in found if one is not None] == pytest.approx([w for w in wanted if w is not None], abs=1e-12)
