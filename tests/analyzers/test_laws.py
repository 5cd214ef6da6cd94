"""Every analyzer keeps the laws of states, on rows of every kind; and the laws themselves notice a broken analyzer."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.analyzers.confusion import Confusion
from driftline.analyzers.scores import LEAST_ENTRIES, Scores, ScoreState
from driftline.core.errors import InputError
from driftline.core.state import State, pack
from driftline.testing import check_laws, judged_batch, one_batch, same, split

ANALYZERS = [Confusion(), Scores(), Scores(most_entries=LEAST_ENTRIES)]
IDS = ["confusion", "scores", "scores-rounded"]
INFINITE = [float("inf"), float("-inf"), 0.0, -0.0, 1e-320, 1.7e308, 0.5]


def classes(names: Sequence[str]) -> pa.DictionaryArray:
    return pa.array(list(names), pa.string()).dictionary_encode()


def batch_of(rows: list[tuple[str, str, float, int]], weights: Any = None) -> pa.RecordBatch:
    actual, predicted, scores, groups = ([row[i] for row in rows] for i in range(4))
    return pa.RecordBatch.from_pydict(
        {
            "actual": classes(actual),
            "predicted": classes(predicted),
            "score": pa.array(scores, pa.float64()),
            "positive": pa.array([name == "1" for name in actual], pa.bool_()),
            "group": pa.array(groups, pa.uint8()),
            "weight": pa.array(np.ones(len(rows)) if weights is None else weights, pa.float64()),
        }
    )


rows = st.lists(
    st.tuples(
        st.sampled_from(["0", "1", "", "ünï", "a", "Z"]),
        st.sampled_from(["0", "1", "b"]),
        st.one_of(st.sampled_from(INFINITE), st.floats(allow_nan=False)),
        st.integers(0, 63),
    ),
    max_size=90,
)


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=IDS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(rows=rows, seed=st.integers(0, 9))
def test_laws_on_any_rows(analyzer: Any, rows: list[tuple[str, str, float, int]], seed: int) -> None:
    check_laws(analyzer, [batch_of(rows)], seed=seed)


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=IDS)
@pytest.mark.parametrize(
    "options", [{"n": 0}, {"n": 1}, {"n": 63}, {"n": 20_000}, {"n": 5000, "distinct": 3}, {"n": 500, "positives": 0.0}]
)
def test_laws_on_predictions(analyzer: Any, options: dict[str, Any]) -> None:
    check_laws(analyzer, [judged_batch(**options)])


def test_laws_take_several_batches_with_other_dictionaries() -> None:
    check_laws(Confusion(), [batch_of([("a", "b", 0.0, 1)]), batch_of([("c", "a", 0.5, 2), ("b", "b", 0.1, 3)])])


def test_many_classes_use_the_sparse_path() -> None:
    names = [f"class-{number:04d}" for number in range(600)]
    batch = batch_of([(name, names[-1 - place], 0.5, place % 64) for place, name in enumerate(names)])
    check_laws(Confusion(), [batch])
    matrix = Confusion().result(Confusion().update(batch))
    assert matrix.labels == tuple(names)
    assert np.array_equal(matrix.cells, np.eye(600)[::-1])


def test_matrix_against_counting_by_hand() -> None:
    random = np.random.default_rng(5)
    made = [
        (str(a), str(b), 0.5, int(m))
        for a, b, m in zip(
            random.integers(0, 4, 500), random.integers(0, 4, 500), random.integers(0, 64, 500), strict=True
        )
    ]
    weights = random.integers(1, 9, 500).astype(float)
    matrix = Confusion().result(Confusion().update(batch_of(made, weights)))
    assert (matrix.rows, matrix.weighted) == (500, True)
    for i, actual in enumerate(matrix.labels):
        for j, predicted in enumerate(matrix.labels):
            assert matrix.cells[i, j] == sum(
                w for row, w in zip(made, weights, strict=True) if row[:2] == (actual, predicted)
            )
    for group in range(64):
        inside = [(row, w) for row, w in zip(made, weights, strict=True) if row[3] == group]
        for i, name in enumerate(matrix.labels):
            assert matrix.margins[group, 0, i] == sum(w for row, w in inside if row[0] == row[1] == name)
            assert matrix.margins[group, 1, i] == sum(w for row, w in inside if row[0] == name)
            assert matrix.margins[group, 2, i] == sum(w for row, w in inside if row[1] == name)


def test_scores_against_counting_by_hand() -> None:
    batch = judged_batch(700, seed=3, distinct=9)
    weights = np.random.default_rng(1).integers(1, 9, 700).astype(float)
    batch = batch.set_column(batch.schema.get_field_index("weight"), "weight", pa.array(weights))
    found = Scores().result(Scores().update(batch))
    cells = list(zip(*(batch.column(n).to_pylist() for n in ("score", "positive", "group", "weight")), strict=True))
    kept = np.random.default_rng(2).random((5, 64)) < 0.7
    for groups, table in [(np.ones(64, bool), found.table), *((part, found.part(part)) for part in kept)]:
        chosen = [cell for cell in cells if groups[cell[2]]]
        assert table.scores.tolist() == sorted({cell[0] for cell in cells})
        for score, positives, negatives in zip(*table, strict=True):
            assert positives == sum(cell[3] for cell in chosen if cell[0] == score and cell[1])
            assert negatives == sum(cell[3] for cell in chosen if cell[0] == score and not cell[1])


def test_minus_zero_is_zero() -> None:
    state = Scores().update(batch_of([("1", "1", -0.0, 1), ("1", "1", 0.0, 1)]))
    assert state.weights.tolist() == [2]
    assert state == Scores().update(batch_of([("1", "1", 0.0, 1), ("1", "1", -0.0, 1)]))


def test_columns_that_are_slices() -> None:
    whole = judged_batch(300, seed=4)
    for analyzer in ANALYZERS:
        again = one_batch([pa.RecordBatch.from_pylist(whole.slice(100, 50).to_pylist(), schema=None)])
        copied = batch_of([(row["actual"], row["predicted"], row["score"], row["group"]) for row in again.to_pylist()])
        assert analyzer.update(whole.slice(100, 50)) == analyzer.update(copied)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.one_of(st.binary(max_size=200), st.just(b"")))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="not a saved"):
        ScoreState.load(data)


@pytest.mark.parametrize(
    "data",
    [
        Confusion().identity().save(),
        pack("ScoreState", {}),
        pack("ScoreState", {"scores": 1, "codes": 2, "weights": 3, "more": 4}),
        pack("ScoreState", {"scores": {"dtype": "nonsense", "data": b""}}),
        pack("ScoreState", {"scores": {"dtype": "<f8", "data": b"123"}}),
        Scores().identity().save()[:-3],
    ],
)
def test_states_of_another_shape_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="not a saved ScoreState"):
        ScoreState.load(data)


def test_fields_that_are_no_mapping_are_refused() -> None:
    import msgspec

    for fields in ([1], 3, None, "text"):
        with pytest.raises(InputError, match="not a saved ScoreState"):
            ScoreState.load(msgspec.msgpack.encode({"kind": "ScoreState", "version": 1, "fields": fields}))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=rows, flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_bytes_load_or_are_refused(
    rows: list[tuple[str, str, float, int]], flips: list[tuple[int, int]]
) -> None:
    saved = bytearray(Scores().update(batch_of(rows)).save())
    for place, value in flips:
        saved[place % len(saved)] = value
    with contextlib.suppress(InputError):
        assert isinstance(ScoreState.load(bytes(saved)), ScoreState)


@dataclass(frozen=True, eq=False)
class _Seen(State):
    values: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))


class _Sum:
    """A correct analyzer to break in the ways the laws must notice."""

    name = "sum"

    def identity(self) -> _Seen:
        return _Seen((0,))

    def update(self, batch: pa.RecordBatch) -> _Seen:
        return _Seen((sum(batch.column("group").to_pylist()),))

    def merge(self, states: Sequence[_Seen]) -> _Seen:
        return _Seen((sum(state.values[0] for state in states),))

    def result(self, state: _Seen) -> int:
        return state.values[0]


class _OrderMatters(_Sum):
    def identity(self) -> _Seen:
        return _Seen(())

    def update(self, batch: pa.RecordBatch) -> _Seen:
        return _Seen(tuple(batch.column("group").to_pylist()))

    def merge(self, states: Sequence[_Seen]) -> _Seen:
        return _Seen(tuple(value for state in states for value in state.values))

    def result(self, state: _Seen) -> int:
        return sum(state.values)


class _CountsBatches(_Sum):
    def update(self, batch: pa.RecordBatch) -> _Seen:
        return _Seen((1,))


class _Counts(_Sum):
    def merge(self, states: Sequence[_Seen]) -> _Seen:
        return _Seen((sum(state.values[0] for state in states) + (len(states) > 2),))


class _Writes(_Sum):
    def merge(self, states: Sequence[_Seen]) -> _Seen:
        merged = super().merge(states)
        for state in states:
            object.__setattr__(state, "values", (state.values[0] + 7,))
        return merged


class _FailsEmpty(_Sum):
    def result(self, state: _Seen) -> int:
        return 1 // state.values[0]


class _Near(_Sum):
    """The first row's group in millionths: off by up to 63 of them in another split."""

    name = "near"

    def update(self, batch: pa.RecordBatch) -> _Seen:
        return _First().update(batch)

    def merge(self, states: Sequence[_Seen]) -> _Seen:
        return _First().merge(states)

    def result(self, state: _Seen) -> float:
        return float(state.values[0]) / 1e6


class _First(_Sum):
    def update(self, batch: pa.RecordBatch) -> _Seen:
        return _Seen(((batch.column("group").to_pylist() or [0])[0],))

    def merge(self, states: Sequence[_Seen]) -> _Seen:
        return _Seen((max((state.values[0] for state in states), default=0),))


def test_the_laws_accept_what_is_right() -> None:
    check_laws(_Sum(), [judged_batch(100)])


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (_OrderMatters(), r"sum: merge\(\[a, b\]\) against merge\(\[b, a\]\)"),
        (_CountsBatches(), "sum: update of a batch without rows"),
        (_Counts(), "sum: merge of a state with identities"),
        (_Writes(), "sum: merge"),
        (_First(), "sum: the rows "),
    ],
)
def test_the_laws_notice_what_is_wrong(broken: Any, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_laws(broken, [judged_batch(200)])


def test_an_absolute_tolerance_is_only_as_wide_as_given() -> None:
    check_laws(_Near(), [judged_batch(200)], absolute=1e-4)
    with pytest.raises(AssertionError, match="near: the rows "):
        check_laws(_Near(), [judged_batch(200)], absolute=1e-6)


def test_the_laws_ask_for_a_result_of_no_rows() -> None:
    with pytest.raises(ZeroDivisionError):
        check_laws(_FailsEmpty(), [judged_batch(200)])


def test_same_compares_by_content() -> None:
    assert same({"a": [1.0, float("nan")]}, {"a": [1.0, float("nan")]})
    assert not same({"a": 1.0}, {"b": 1.0})
    assert same(np.array([1.0, np.inf]), np.array([1.0 + 1e-12, np.inf]), 1e-9)
    assert not same(np.array([1, 2]), np.array([1, 3]))
    assert same({"a": [0.0, np.array([1e-20])]}, {"a": [1e-20, np.array([0.0])]}, absolute=1e-12)
    assert not same(0.0, 1e-20, 1e-9)
    assert not same(np.array([0.0]), np.array([1e-20]), 1e-9)
    assert not same(1.0, None)
    assert not same(None, 1.0)
    assert not same([1], [1, 2])
    assert same(Scores().identity(), Scores().identity())


def test_split_covers_every_row_once() -> None:
    batch = judged_batch(10)
    for parts in (1, 3, 10, 64):
        found = split(batch, parts)
        assert len(found) == parts
        assert one_batch(found).equals(batch)
