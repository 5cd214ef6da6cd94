"""Sums of errors keep the laws of states within a stated tolerance, and are the sums of the definition."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.analyzers.residuals import Residuals, ResidualState
from driftline.testing import check_laws, split

# A sum of n floats in another order differs by at most about n·2**-53 of the sum of its magnitudes.
TOLERANCE = 1e-11


def batch_of(actual: Any, predicted: Any, group: Any, weight: Any = None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "actual": pa.array(actual, pa.float64()),
            "predicted": pa.array(predicted, pa.float64()),
            "group": pa.array(group, pa.uint8()),
            "weight": pa.array(np.ones(len(actual)) if weight is None else weight, pa.float64()),
        }
    )


def drawn(n: int, seed: int = 0, *, weighted: bool = True, mean: float = 5.0) -> pa.RecordBatch:
    random = np.random.default_rng(seed)
    actual = random.normal(mean, 1, n)
    weight = random.random(n) * 3 if weighted else None
    return batch_of(actual, actual + random.normal(0, 0.5, n), random.integers(0, 64, n), weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n", [0, 1, 2, 63, 3000, 100_000])
def test_laws(n: int, weighted: bool) -> None:
    check_laws(Residuals(), [drawn(n, n, weighted=weighted)], tolerance=TOLERANCE, absolute=1e-12)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 63), st.sampled_from([0.0, 0.1, 1.0, 3.0])
        ),
        max_size=60,
    )
)
def test_laws_on_any_rows(rows: list[tuple[float, float, int, float]]) -> None:
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    # Means of up to 60 numbers below 1e6 that cancel: 60·2**-53·1e6 is 1e-8; of squares below 1e13 it is 0.1.
    batch = batch_of(*map(list, columns))
    check_laws(Residuals(), [batch], tolerance=1e-9, absolute=1e-8)


def exact(batch: pa.RecordBatch) -> dict[str, list[float]]:
    """The sums by group, in fractions."""
    rows = [
        [Fraction(value) for value in row]
        for row in zip(*(batch.column(n).to_pylist() for n in ("actual", "predicted", "group", "weight")), strict=True)
    ]
    found: dict[str, list[float]] = {name: [] for name in ("weight", "absolute", "squared", "mean", "spread")}
    for group in range(64):
        inside = [row for row in rows if row[2] == group]
        weight = sum((w for *_, w in inside), Fraction(0))
        mean = sum((a * w for a, _, _, w in inside), Fraction(0)) / (weight or 1)
        found["weight"].append(float(weight))
        found["absolute"].append(float(sum(abs(a - p) * w for a, p, _, w in inside)))
        found["squared"].append(float(sum((a - p) ** 2 * w for a, p, _, w in inside)))
        found["mean"].append(float(mean))
        found["spread"].append(float(sum((a - mean) ** 2 * w for a, _, _, w in inside)))
    return found


@pytest.mark.parametrize("mean", [0.0, 1e9, -1e12])
@pytest.mark.parametrize("parts", [1, 7, 64])
def test_sums_are_exact_to_the_last_digits_even_of_large_numbers_close_together(mean: float, parts: int) -> None:
    batch = drawn(900, 4, mean=mean)
    state = Residuals().merge([Residuals().update(part) for part in split(batch, parts)])
    for name, wanted in exact(batch).items():
        # Sums of some dozen numbers: each addition costs at most 2**-53 of the sum.
        assert getattr(state, name) == pytest.approx(wanted, rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, -1e-300, 1e300])
@pytest.mark.parametrize("parts", [1, 7, 64])
def test_numbers_that_are_all_the_same_have_no_spread_at_all(value: float, parts: int) -> None:
    n = 777
    batch = batch_of([value] * n, [0.0] * n, np.arange(n) % 64, np.random.default_rng(0).random(n))
    with np.errstate(over="ignore"):
        state = Residuals().merge([Residuals().update(part) for part in split(batch, parts)])
    assert state.spread.tolist() == [0.0] * 64
    assert state.mean.tolist() == [value] * 64


@pytest.mark.parametrize("values", [[1.7e308, -1.7e308, 1.7e308], [1e200, -1e200, 1.0]])
def test_numbers_too_large_to_square_warn_nobody_and_end_in_no_number(values: list[float]) -> None:
    states = [Residuals().update(batch_of([value, -value], [0.0, value], [3, 4])) for value in values]
    merged = Residuals().merge(states)
    assert isinstance(merged, ResidualState)
    assert not math.isfinite(merged.squared[3])
    assert merged.rows == 6
