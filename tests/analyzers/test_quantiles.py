"""The sketch keeps its promise on ranks, loses no weight, and is the same on every run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.analyzers.quantiles import (
    EXACT_DISTINCT,
    RANK_ERROR,
    Quantiles,
    QuantileState,
    certainly_many,
    from_levels,
    sorted_runs,
)
from driftline.core.errors import InputError
from driftline.testing import check_laws

Floats = npt.NDArray[np.float64]
SKETCH = Quantiles()
BATCH = 131_072


def batch(values: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"value": pa.array(values, pa.float64())})


def in_batches(values: Floats, *, held: int = 16) -> QuantileState:
    states: list[QuantileState] = []
    for start in range(0, len(values), BATCH):
        states.append(SKETCH.of(values[start : start + BATCH]))
        if len(states) == held:
            states = [SKETCH.merge(states)]
    return SKETCH.merge(states)


def rank_errors(state: QuantileState, values: Floats) -> Floats:
    """By how much the rank of each of 2,000 values is off, as a share of n; the oracle is all values in order."""
    ordered = np.sort(values)
    asked = ordered[np.linspace(0, len(ordered) - 1, 2000).astype(int)]
    off: Floats = np.abs(state.cdf(asked) - np.searchsorted(ordered, asked, side="right") / len(ordered))
    return off


def made(kind: str, n: int, seed: int = 0) -> Floats:
    random = np.random.default_rng(seed)
    values = random.normal(size=n)
    makers = {
        "normal": lambda: values,
        "ascending": lambda: np.sort(values),
        "descending": lambda: -np.sort(-values),
        "skewed": lambda: np.exp(3 * values),
        "ties": lambda: np.round(values, 3),
        "half zeros": lambda: np.where(random.random(n) < 0.5, 0.0, values),
        "huge": lambda: values * 1e307,
        "waves": lambda: np.sin(np.arange(n) * 0.0245436926) + values * 1e-9,  # a period of 256 rows
    }
    made: Floats = makers[kind]()
    return made


KINDS = ["normal", "ascending", "descending", "skewed", "ties", "half zeros", "huge", "waves"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("held", [2, 16])
def test_ranks_of_two_million_values_are_within_the_bound(kind: str, held: int) -> None:
    values = made(kind, 2_000_000)
    state = in_batches(values, held=held)
    off = rank_errors(state, values)
    # The bound is for 99 of 100 questions; the error of the others is of the same kind.
    assert np.quantile(off, 0.99) < RANK_ERROR
    assert off.max() < 2 * RANK_ERROR
    assert state.n == len(values)
    assert len(state.values) <= SKETCH.most < 6200


@pytest.mark.parametrize("n", [6000, 20_000, 65_537, 131_072, 131_073])
@pytest.mark.parametrize("kind", ["normal", "ties", "ascending"])
def test_ranks_of_one_batch_are_within_the_bound(kind: str, n: int) -> None:
    for seed in range(5):
        values = made(kind, n, seed)
        state = SKETCH.of(values)
        assert state.n == n
        assert np.quantile(rank_errors(state, values), 0.99) < RANK_ERROR


def test_a_small_sketch_has_a_larger_error_and_keeps_less() -> None:
    values = made("normal", 300_000)
    small = Quantiles(k=200)
    state = small.merge([small.of(part) for part in np.array_split(values, 40)])
    assert len(state.values) <= small.most < 1000
    assert state.n == 300_000
    assert np.quantile(rank_errors(state, values), 0.99) < 0.0165


def test_ranks_have_no_bias() -> None:
    """Over many samples of one distribution the errors at the median cancel out."""
    off = []
    for seed in range(200):
        values = made("normal", 20_000, seed)
        off.append(float(SKETCH.of(values).cdf(0.0)) - float((values <= 0).mean()))
    assert abs(np.mean(off)) < 4 * np.std(off) / np.sqrt(len(off)) + 1e-9


@settings(max_examples=60, deadline=None, derandomize=True)
@given(values=st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), max_size=60))
def test_laws_on_any_few_values_to_the_byte(values: list[float | None]) -> None:
    check_laws(SKETCH, [batch(values)])


@pytest.mark.parametrize("distinct", [1, 2, 17, EXACT_DISTINCT])
def test_few_distinct_values_are_exact_however_often_they_occur(distinct: int) -> None:
    random = np.random.default_rng(distinct)
    values = random.integers(0, distinct, 200_000) / 8 - 3
    check_laws(SKETCH, [batch(values)])
    found, weights = SKETCH.of(values).weighted()
    expected, counts = np.unique(values, return_counts=True)
    assert np.array_equal(found, expected)
    assert np.array_equal(weights, counts)


class _Ranks(Quantiles):
    """The ranks of some values instead of the sketch, so that the laws can be held to a bound."""

    def result(self, state: QuantileState) -> Any:
        return state.cdf(np.linspace(-2.5, 2.5, 41)) if state.n else None


@pytest.mark.parametrize("kind", ["normal", "ties", "ascending", "half zeros"])
def test_laws_on_many_values_within_the_bound(kind: str) -> None:
    check_laws(_Ranks(), [batch(made(kind, 150_000))], absolute=2 * RANK_ERROR)


def test_merging_does_not_depend_on_the_order() -> None:
    states = [SKETCH.of(made("normal", 30_000 + 7 * seed, seed)) for seed in range(9)]
    merged = SKETCH.merge(states)
    assert merged == SKETCH.merge(states[::-1]) == SKETCH.merge(states[4:] + states[:4])
    assert merged.n == sum(state.n for state in states)


def test_the_same_values_give_the_same_sketch() -> None:
    values = made("normal", 150_000)
    assert SKETCH.of(values) == SKETCH.of(values.copy())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50),
    shares=st.lists(st.floats(0, 1), max_size=5),
)
def test_quantiles_of_few_values_are_those_of_numpy(values: list[float], shares: list[float]) -> None:
    found = SKETCH.of(np.array(values)).quantile(shares)
    # Rounding of share * n differs, so either neighbour is right where the share falls on a step.
    near = [np.quantile(values, np.clip(np.array(shares) + d, 0, 1), method="inverted_cdf") for d in (-1e-9, 0, 1e-9)]
    assert ((found == near[0]) | (found == near[1]) | (found == near[2])).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    values=st.lists(st.sampled_from([-1.0, 0.0, -0.0, 0.5, 2.0]), max_size=30), at=st.sampled_from([-2, -1, 0, 0.3, 2])
)
def test_ranks_of_few_values_are_counts(values: list[float], at: float) -> None:
    state = SKETCH.of(np.array(values, dtype=float))
    assert state.below(at) == sum(value <= at for value in values)
    assert state.below(at, inclusive=False) == sum(value < at for value in values)


def test_no_values_have_no_quantiles() -> None:
    nothing = SKETCH.identity()
    assert (nothing.n, nothing.levels(), nothing.heaviest()) == (0, (), 0)
    assert np.isnan(nothing.quantile([0.0, 0.5])).all()
    assert np.isnan(nothing.cdf([1.0, 2.0])).all()
    assert nothing.below([1.0]).tolist() == [0]


def test_nulls_nan_and_infinities_are_left_out() -> None:
    state = SKETCH.update(batch([1.0, None, float("nan"), float("inf"), -float("inf"), 1.0]))
    assert (state.n, state.heaviest(), state.weighted()[0].tolist()) == (2, 2, [1.0])


def test_as_many_values_as_fit_are_all_kept() -> None:
    values = made("normal", SKETCH.most)
    assert np.array_equal(SKETCH.of(values).levels()[0], np.sort(values))
    assert SKETCH.merge([SKETCH.of(part) for part in np.array_split(values, 5)]) == SKETCH.of(values)


def test_minus_zero_is_zero() -> None:
    assert SKETCH.of(np.array([-0.0, 0.0])) == SKETCH.of(np.array([0.0, 0.0]))


def test_levels_are_read_back() -> None:
    state = in_batches(made("half zeros", 300_000))
    assert from_levels(state.levels()) == state
    assert from_levels([level.tolist() for level in state.levels()]) == state
    assert from_levels([]) == SKETCH.identity()


def test_levels_of_another_make_may_repeat_values_and_be_out_of_order() -> None:
    state = from_levels([[3.0, 1.0, 1.0], [], [1.0]])
    assert state.weighted()[0].tolist() == [1.0, 3.0]
    assert state.weighted()[1].tolist() == [6, 1]
    assert SKETCH.merge([state, state]).n == 14


@pytest.mark.parametrize("levels", [[[float("nan")]], [[1.0], [float("inf")]], [[1.0]] * 63])
def test_broken_levels_are_refused(levels: list[list[float]]) -> None:
    with pytest.raises(InputError, match="62 levels of finite numbers"):
        from_levels(levels)


def test_weights_of_a_million_million_values() -> None:
    state = SKETCH.of_counted(np.array([1.0, 2.0]), np.array([10**12, 3]))
    assert state.n == 10**12 + 3
    assert SKETCH.merge([state] * 4).n == 4 * state.n


def test_runs_are_ascending_and_keep_every_value() -> None:
    values = made("normal", 1000)
    runs, rest = sorted_runs(values)
    assert runs.shape == (3, 256)
    assert (np.diff(runs, axis=1) >= 0).all()
    assert np.array_equal(np.sort(np.concatenate((runs.ravel(), rest))), np.sort(values))


def test_a_column_of_few_values_is_never_taken_for_many() -> None:
    random = np.random.default_rng(0)
    assert not certainly_many(random.integers(0, EXACT_DISTINCT, 100_000).astype(float))
    assert certainly_many(random.normal(size=100_000))


@pytest.mark.parametrize(("k", "c"), [(7, 0.64), (2048, 0.5), (2048, 1.0)])
def test_parameters_that_make_no_sketch_are_refused(k: int, c: float) -> None:
    with pytest.raises(ValueError, match="k must be 8 or more"):
        Quantiles(k=k, c=c)
