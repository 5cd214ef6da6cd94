"""Sums of local attributions keep the laws of states, and the aggregates are those of numpy on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.analyzers.attributions import PARTS, Attributions, AttributionState
from driftline.analyzers.vectors import as_matrix
from driftline.core.sampling import GROUPS
from driftline.stats.half_samples import balanced
from driftline.testing import check_laws, split

# Sums of n floats in another order differ by at most about n·2**-53 of the sum of their sizes.
TOLERANCE = 1e-11


def batch_of(values: Any, scores: Any, group: Any) -> pa.RecordBatch:
    """``values`` [rows, features, outputs] and ``scores`` [rows, outputs] as an analyzer sees them."""
    columns = {
        name: pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(one), pa.float64()), int(np.prod(np.shape(one)[1:])))
        for name, one in {"values": values, "scores": scores}.items()
    }
    return pa.RecordBatch.from_pydict(columns | {"group": pa.array(group, pa.uint8())})


def drawn(n: int, features: int = 3, outputs: int = 1, seed: int = 0) -> pa.RecordBatch:
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, features, outputs)) * np.arange(1, features + 1)[:, None]
    return batch_of(values, random.normal(size=(n, outputs)), random.integers(0, GROUPS, n))


@pytest.mark.parametrize("medians", [False, True])
@pytest.mark.parametrize(("features", "outputs"), [(1, 1), (3, 2)])
@pytest.mark.parametrize("n", [0, 1, 63, 2000])
def test_laws(n: int, features: int, outputs: int, medians: bool) -> None:
    analyzer = Attributions(features, outputs, medians=medians)
    check_laws(analyzer, [drawn(n, features, outputs, n)], tolerance=TOLERANCE, absolute=1e-12)


def of_numpy(values: Any, aggregation: str) -> Any:
    if aggregation == "median":
        return np.median(np.abs(values), axis=0)
    return np.mean(np.abs(values) if aggregation == "mean_abs" else values**2, axis=0)


@pytest.mark.parametrize("aggregation", ["mean_abs", "median", "mean_sq"])
@pytest.mark.parametrize("n", [1, 2, 500, 5001])
@pytest.mark.parametrize("parts", [1, 7])
def test_aggregates_are_numpy_s(aggregation: Any, n: int, parts: int) -> None:
    batch = drawn(n, 4, 2, n)
    analyzer = Attributions(4, 2, medians=True)
    sums = analyzer.result(analyzer.merge([analyzer.update(part) for part in split(batch, parts)]))
    found = sums.aggregate(aggregation)
    values = as_matrix(batch.column("values"), 8).reshape(n, 4, 2)
    group = batch.column("group").to_numpy()
    assert found.whole == pytest.approx(of_numpy(values, aggregation).T, rel=1e-12)
    left = group // (GROUPS // PARTS) if aggregation == "median" else group
    wanted = [of_numpy(values[left != one], aggregation).T for one in np.unique(left) if (left != one).any()]
    if len(wanted) > 1:
        assert found.without == pytest.approx(np.array(wanted), rel=1e-12)
    if n >= 500:
        half = balanced(PARTS if aggregation == "median" else GROUPS)[11]
        assert found.halves[11] == pytest.approx(of_numpy(values[half[left]], aggregation).T, rel=1e-12)
    assert sums.mean_scores() == pytest.approx(as_matrix(batch.column("scores"), 2).mean(axis=0), abs=1e-12)


def test_a_median_of_many_rows_is_within_its_rank_error() -> None:
    batch = drawn(60_000, 2)
    analyzer = Attributions(2, medians=True)
    found = analyzer.result(analyzer.merge([analyzer.update(part) for part in split(batch, 5)])).aggregate("median")
    sizes = np.sort(np.abs(as_matrix(batch.column("values"), 2)), axis=0)
    for column, value in enumerate(found.whole[0].tolist()):
        assert np.searchsorted(sizes[:, column], value) / len(sizes) == pytest.approx(0.5, abs=0.005)


def test_no_rows_have_no_attributions() -> None:
    analyzer = Attributions(2, 3, medians=True)
    sums = analyzer.result(analyzer.identity())
    for aggregation in ("mean_abs", "median", "mean_sq"):
        found = sums.aggregate(aggregation)
        assert np.isnan(found.whole).all()
        assert (found.whole.shape, found.without.shape) == ((3, 2), (0, 3, 2))
        assert np.isnan(found.halves).all()
    assert np.isnan(sums.mean_scores()).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_with_a_value_that_is_no_number_are_counted_and_left_out(bad: float) -> None:
    values, scores = np.ones((4, 2, 1)), np.ones((4, 1))
    values[1, 1], scores[2] = bad, bad
    state = Attributions(2).update(batch_of(values, scores, [0, 1, 2, 3]))
    assert (state.rows, state.refused) == (2, 2)
    assert state.weight[:4].tolist() == [1.0, 0.0, 0.0, 1.0]
    merged = Attributions(2).merge([state, Attributions(2).identity(), state])
    assert (merged.rows, merged.refused) == (4, 4)


def test_numbers_too_large_to_square_warn_nobody() -> None:
    analyzer = Attributions(1)
    state = analyzer.update(batch_of(np.full((3, 1, 1), 1e308), np.zeros((3, 1)), [1, 1, 2]))
    found = analyzer.result(analyzer.merge([state, state]))
    assert not np.isfinite(found.aggregate("mean_sq").whole).any()
    assert not np.isfinite(found.aggregate("mean_abs").whole).any()


def test_a_median_needs_sketches() -> None:
    analyzer = Attributions(2)
    with pytest.raises(ValueError, match="medians=True"):
        analyzer.result(analyzer.update(drawn(5, 2))).aggregate("median")


def test_a_model_without_features_is_no_error() -> None:
    analyzer = Attributions(0, medians=True)
    sums = analyzer.result(analyzer.identity())
    assert sums.aggregate("median").whole.shape == (1, 0)
    assert AttributionState.load(analyzer.identity().save()) == analyzer.identity()
