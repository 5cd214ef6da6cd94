"""Columns of any type, in batches that differ, are measured as one would count them by hand."""

from __future__ import annotations

import contextlib
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.analyzers.categories import Categories
from driftline.analyzers.column import Column, ColumnState
from driftline.analyzers.columns import Columns, ColumnsState
from driftline.analyzers.numbers import Numbers
from driftline.core.errors import InputError
from driftline.testing import check_laws, split

COLUMNS = Columns()


def batch(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in columns.items()}
    )


def column(values: Any) -> ColumnState:
    return COLUMNS.update(batch(x=values)).columns[0]


def counts(state: Any) -> dict[str, int]:
    return dict(Categories().result(state).categories)


TYPED: list[tuple[str, pa.Array[Any], int, tuple[int, ...]]] = [
    ("integers", pa.array([1, 2, None, 2]), 1, (3, 0, 0, 0, 0)),
    ("small unsigned", pa.array([0, 255, None], pa.uint8()), 1, (2, 0, 0, 0, 0)),
    ("large unsigned", pa.array([0, 2**64 - 1], pa.uint64()), 0, (2, 0, 0, 0, 0)),
    ("the whole range", pa.array([-(2**63), 2**63 - 1]), 0, (2, 0, 0, 0, 0)),
    ("doubles", pa.array([1.0, 2.5, None, math.nan, math.inf]), 1, (0, 1, 3, 0, 0)),
    ("floats", pa.array([0.5, 3.0], pa.float32()), 0, (0, 1, 1, 0, 0)),
    ("halves", pa.array([0.5, 3.0], pa.float16()), 0, (0, 1, 1, 0, 0)),
    ("booleans", pa.array([True, None, False, True]), 1, (0, 0, 0, 3, 0)),
    ("only true", pa.array([True]), 0, (0, 0, 0, 1, 0)),
    ("text", pa.array(["a", "", None, " ", "true", "1", "2.0", "2.5"]), 3, (1, 1, 1, 1, 1)),
    ("large text", pa.array(["a", "", None], pa.large_string()), 2, (0, 0, 0, 0, 1)),
    ("categories", pa.array(["a", "", None, "7", "a"]).dictionary_encode(), 2, (1, 0, 0, 0, 2)),
    ("categories of integers", pa.array([7, None, 7]).dictionary_encode(), 1, (2, 0, 0, 0, 0)),
    ("nothing", pa.nulls(3), 3, (0, 0, 0, 0, 0)),
    ("null text", pa.nulls(3, pa.string()), 3, (0, 0, 0, 0, 0)),
    ("decimals", pa.array([Decimal("2.50"), Decimal("3.00"), None]), 1, (0, 1, 1, 0, 0)),
    ("whole decimals", pa.array([Decimal(2), Decimal(30)]), 0, (2, 0, 0, 0, 0)),
    ("days", pa.array([date(2026, 11, 22), None]), 1, (0, 0, 0, 0, 1)),
    ("times", pa.array([datetime(2026, 11, 22, tzinfo=UTC)]), 0, (0, 0, 0, 0, 1)),
]


@pytest.mark.parametrize(("values", "missing", "types"), [one[1:] for one in TYPED], ids=[one[0] for one in TYPED])
def test_every_type_is_counted(values: pa.Array[Any], missing: int, types: tuple[int, ...]) -> None:
    state = column(values)
    assert (state.error, state.rows, state.missing, state.types) == ("", len(values), missing, types)
    assert state.present == len(values) - missing
    check_laws(COLUMNS, [batch(x=values)], tolerance=1e-12)


@pytest.mark.parametrize("values", [[[1], [2]], [{"a": 1}], [b"\xff\xfe"]], ids=["lists", "objects", "bytes"])
def test_a_column_that_cannot_be_analysed_says_why_and_spares_the_others(values: Any) -> None:
    state = COLUMNS.update(batch(odd=values, x=[1] * len(values)))
    assert "cannot be analysed" in state.columns[0].error
    assert (state.columns[0].present, state.columns[0].rows) == (0, len(values))
    assert state.columns[1].present == len(values)
    merged = COLUMNS.merge([state, COLUMNS.update(batch(odd=["fine"]))])
    assert (merged.columns[0].present, merged.columns[0].error) == (1, state.columns[0].error)


def test_two_columns_of_one_name_are_told() -> None:
    twice = pa.RecordBatch.from_arrays([pa.array([1]), pa.array(["a"]), pa.array([2])], names=["x", "x", "y"])
    state = COLUMNS.update(twice)
    assert state.names == ("x", "y")
    assert state.columns[0].error == "2 columns have this name; the first was analysed"
    assert (state.columns[0].types, state.columns[1].error) == ((1, 0, 0, 0, 0), "")


cells = st.one_of(
    st.none(), st.sampled_from(["1", "2", "2.0", "-0", "a", "", " ", "true", "inf", "nan", "1e400", "ünï", "007"])
)


numbers = st.floats(-1e3, 1e3) | st.sampled_from([None, math.nan, math.inf, -math.inf, -0.0])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rows=st.lists(st.tuples(cells, numbers, st.integers(-3, 9) | st.none()), max_size=70))
def test_laws_on_any_cells(rows: list[tuple[Any, ...]]) -> None:
    kinds = (pa.string(), pa.float64(), pa.int64())
    arrays = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    check_laws(COLUMNS, [batch(t=arrays[0], f=arrays[1], i=arrays[2])], tolerance=1e-9, absolute=1e-9)


def test_a_batch_may_lack_a_column() -> None:
    merged = COLUMNS.merge([COLUMNS.update(batch(a=[1, 2], b=["x", None])), COLUMNS.update(batch(b=["y"], c=[0.5]))])
    found = COLUMNS.result(merged)
    assert (merged.rows, list(found)) == (3, ["a", "b", "c"])
    assert (found["a"].rows, found["a"].present, found["a"].missing) == (2, 2, 0)
    assert (found["b"].rows, found["b"].present, found["b"].missing) == (3, 2, 1)
    assert (found["c"].rows, found["c"].present, found["c"].missing) == (1, 1, 0)


def test_the_order_of_columns_is_that_of_the_table_whatever_is_merged_first() -> None:
    names = [f"c{number}" for number in range(20, 0, -1)]
    states = [COLUMNS.update(batch(**{key: [seed] for key in names})) for seed in range(3)]
    assert COLUMNS.merge(states).names == tuple(names)
    other = COLUMNS.update(batch(z=[1], c20=[1]))
    assert COLUMNS.merge([*states, other]) == COLUMNS.merge([other, *states])


def test_hours_of_different_types_are_merged() -> None:
    hours = [batch(x=[1, 2, 2]), batch(x=["2", "x", ""]), batch(x=[2.0, 0.5]), batch(x=[True]), batch(x=pa.nulls(2))]
    state = COLUMNS.merge([COLUMNS.update(hour) for hour in hours]).columns[0]
    assert (state.types, state.missing) == ((4, 1, 1, 1, 1), 3)
    assert counts(state.numerals) == {"1": 1, "2": 3, "2.0": 1, "0.5": 1}
    assert counts(state.texts) == {"x": 1, "true": 1}
    assert state.sketch.weighted()[0].tolist() == [0.5, 1.0, 2.0]
    assert Numbers().result(state.numbers).sum == 9.5


@pytest.mark.parametrize("text", [False, True], ids=["numbers", "text"])
@pytest.mark.parametrize("kind", ["integers", "decimals", "few"])
def test_numbers_are_the_same_as_numbers_and_as_text(kind: str, text: bool) -> None:
    random = np.random.default_rng(2)
    n = 70_000
    values = {
        "integers": random.integers(-(10**9), 10**9, n),
        "decimals": np.round(random.normal(size=n) * 100, 3),
        "few": random.integers(0, 40, n),
    }[kind]
    state = column([str(value) for value in values.tolist()] if text else values)
    found = Numbers().result(state.numbers)
    assert found.mean == pytest.approx(values.mean(), rel=1e-9)
    assert found.std_dev == pytest.approx(values.std(), rel=1e-9)
    assert (found.min, found.max, state.present) == (values.min(), values.max(), n)
    whole = int((np.floor(values) == values).sum()) if kind == "decimals" else 0
    assert state.types == ((n, 0, 0, 0, 0) if kind != "decimals" else (0, whole, n - whole, 0, 0))
    distinct = dict(zip(*(part.tolist() for part in np.unique(values, return_counts=True)), strict=True))
    assert counts(state.numerals) == ({str(key): n for key, n in distinct.items()} if kind == "few" else {})
    assert state.numerals.error == (0 if kind == "few" else n)


@pytest.mark.parametrize("distinct", [256, 257])
@pytest.mark.parametrize("parts", [1, 5])
def test_numbers_are_listed_up_to_256_different_ones(distinct: int, parts: int) -> None:
    values = np.arange(3000) % distinct
    for made in (values, values / 1.0, [str(value) for value in values.tolist()]):
        state = COLUMNS.merge([COLUMNS.update(part) for part in split(batch(x=made), parts)]).columns[0]
        assert len(counts(state.numerals)) == (256 if distinct == 256 else 0)
        assert (state.numerals.error == 0) == (distinct == 256)


def test_large_integers_that_are_equal_as_doubles_are_different_texts() -> None:
    state = column([2**53, 2**53 + 1, 2**53 + 1])
    assert counts(state.numerals) == {str(2**53): 1, str(2**53 + 1): 2}


def test_nan_and_infinities_among_many_numbers() -> None:
    values = np.random.default_rng(0).normal(size=140_000)
    values[::1000], values[1::1000], values[2::7000] = np.nan, np.inf, -np.inf
    state = column(values)
    assert (state.numbers.nan, state.numbers.above, state.numbers.below) == (140, 140, 20)
    assert (state.sketch.n, state.numbers.count, state.types) == (139_700, 139_700, (0, 0, 140_000, 0, 0))
    assert Numbers().result(state.numbers).mean == pytest.approx(values[np.isfinite(values)].mean(), rel=1e-9)


def test_columns_that_are_slices() -> None:
    whole = batch(
        t=["a", "1", "", None, "b"] * 50, d=pa.array(["p", None, "q", "p", "r"] * 50).dictionary_encode(),
        f=[0.5, None, 2.0, math.nan, 1e308] * 50, b=[True, None, False, True, True] * 50,
    )  # fmt: skip
    copied = pa.RecordBatch.from_pylist(whole.slice(33, 100).to_pylist(), schema=None)
    assert COLUMNS.result(COLUMNS.update(whole.slice(33, 100))) == COLUMNS.result(COLUMNS.update(copied))


def test_threads_give_the_same_state() -> None:
    random = np.random.default_rng(4)
    made = batch(**{f"c{number}": random.normal(size=5000) for number in range(12)}, t=["x", "y"] * 2500)
    with ThreadPoolExecutor(4) as pool:
        threaded = Columns(over=pool.map)
        states = [threaded.update(part) for part in split(made, 3)]
        assert threaded.merge(states) == COLUMNS.merge([COLUMNS.update(part) for part in split(made, 3)])


def test_a_state_is_saved_and_read_back() -> None:
    state = COLUMNS.update(batch(a=[1, None], b=["x", "ü"], c=[[1], [2]]))
    loaded = ColumnsState.load(state.save())
    assert loaded == state
    assert COLUMNS.merge([loaded, state]) == COLUMNS.merge([state, state])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_damaged_bytes_load_or_are_refused(place: int, value: int) -> None:
    saved = bytearray(COLUMNS.update(batch(a=[1.5, None], b=["x", "y"])).save())
    saved[place % len(saved)] = value
    with contextlib.suppress(InputError):
        assert isinstance(ColumnsState.load(bytes(saved)), ColumnsState)


@pytest.mark.parametrize("data", [b"", b"{}", ColumnState().save(), ColumnsState().save()[:-2]])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="not a saved ColumnsState"):
        ColumnsState.load(data)


def test_a_hundred_thousand_different_texts_among_numbers() -> None:
    made = [f"id-{number}" if number % 2 else str(number) for number in range(200_000)]
    state = Column(most_categories=1000).of(pa.array(made))
    assert state.types == (100_000, 0, 0, 0, 100_000)
    assert (state.texts.n, state.texts.error > 0, state.numerals.error) == (100_000, True, 100_000)
    assert Categories().result(state.texts).distinct == pytest.approx(100_000, rel=0.07)
