"""A sample of rows keeps the laws of states to the byte, and draws every row as often as any other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.analyzers.row_sample import RowSample
from driftline.core.sampling import GROUPS, groups_of, places_of
from driftline.testing import check_laws, split


def batch_of(n: int, features: int = 3, seed: int = 0, *, named: bool = True) -> pa.RecordBatch:
    ids = pa.array([f"order-{number}" for number in range(n)], pa.string()) if named else pa.nulls(n, pa.string())
    rows = np.arange(n)
    numbers = rows[:, None] * 10.0 + np.arange(features)
    return pa.RecordBatch.from_pydict(
        {
            "place": pa.array(places_of(ids, rows, seed=seed)),
            "group": pa.array(groups_of(ids, rows, seed=seed)),
            "features": pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), features),
        }
    )


@pytest.mark.parametrize("n", [0, 1, 50, 700])
@pytest.mark.parametrize("most", [1, 50, 1000])
def test_laws(n: int, most: int) -> None:
    check_laws(RowSample(3, most), [batch_of(n)])


def sampled(batch: pa.RecordBatch, most: int, parts: int = 1) -> Any:
    sample = RowSample(3, most)
    return sample.result(sample.merge([sample.update(part) for part in split(batch, parts)]))


def test_rows_groups_and_counts_stay_together() -> None:
    batch = batch_of(500)
    found = sampled(batch, 40, parts=7)
    assert found.seen == 500
    numbers = found.rows[:, 0] / 10
    assert found.rows.tolist() == [[10 * n, 10 * n + 1, 10 * n + 2] for n in numbers]
    assert found.group.tolist() == batch.column("group").to_numpy()[numbers.astype(int)].tolist()


def test_the_first_of_a_sample_are_a_sample() -> None:
    batch = batch_of(500, named=False)
    assert sampled(batch, 40).rows[:15].tolist() == sampled(batch, 15).rows.tolist()


def test_every_row_is_as_likely_and_groups_are_all_there() -> None:
    drawn = np.concatenate([sampled(batch_of(400, seed=seed), 100).rows[:, 0] / 10 for seed in range(60)])
    # The mean of 6,000 numbers of 0..399: standard error below 115.5/sqrt(6000) = 1.5; four of them.
    assert drawn.mean() == pytest.approx(199.5, abs=6)
    # A sample by the hash that also draws the groups would hold the first groups only.
    groups = sampled(batch_of(20_000, named=False), 5000).group
    counts = np.bincount(groups, minlength=GROUPS)
    assert counts.min() > 5000 / GROUPS - 5 * (5000 / GROUPS) ** 0.5


def test_a_sample_larger_than_the_rows_has_all() -> None:
    found = sampled(batch_of(5), 100)
    assert sorted(found.rows[:, 0].tolist()) == [0.0, 10.0, 20.0, 30.0, 40.0]
