"""Counts of texts are exact while there are few, and off by no more than they say beyond that."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.analyzers.categories import Categories, CategoryState
from driftline.testing import check_laws, split

CATEGORIES = Categories()
FEW = Categories(most=50)


def batch(values: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"value": pa.array(values, pa.string())})


def counted(analyzer: Categories, values: list[str], parts: int = 1) -> CategoryState:
    return analyzer.merge([analyzer.update(part) for part in split(batch(values), parts)])


def skewed(n: int, distinct: int, seed: int = 0) -> list[str]:
    places = np.random.default_rng(seed).zipf(1.3, n) % distinct
    return [f"text-{place}" for place in places.tolist()]


texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.none(), max_size=60)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(values=texts)
def test_laws_on_any_texts_to_the_byte(values: list[str | None]) -> None:
    check_laws(CATEGORIES, [batch(values)])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(values=texts, most=st.integers(1, 5))
def test_laws_to_the_byte_where_nothing_is_kept_beyond_the_bound(values: list[str | None], most: int) -> None:
    check_laws(Categories(most=most, frequent=False), [batch(values)])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(values=texts)
def test_counts_are_those_of_counter_most_frequent_first(values: list[str | None]) -> None:
    found = CATEGORIES.result(CATEGORIES.update(batch(values)))
    expected = Counter(value for value in values if value is not None)
    assert dict(found.categories) == expected
    assert list(found.categories) == sorted(expected.items(), key=lambda pair: (-pair[1], pair[0]))
    assert (found.n, found.error, found.distinct) == (expected.total(), 0, len(expected))


@pytest.mark.parametrize("parts", [1, 2, 7, 64])
def test_beyond_the_bound_counts_are_too_small_by_the_error_at_most(parts: int) -> None:
    values = skewed(20_000, 3000)
    true = Counter(values)
    found = FEW.result(counted(FEW, values, parts))
    assert 0 < found.error <= len(values) / 50
    assert 0 < len(found.categories) <= 50
    for name, count in found.categories:
        assert true[name] - found.error <= count <= true[name]
    listed = {name for name, _ in found.categories}
    assert all(count <= found.error for name, count in true.items() if name not in listed)
    assert found.n == len(values)


def test_merging_does_not_depend_on_the_order() -> None:
    states = [counted(FEW, skewed(500, 400, seed)) for seed in range(6)]
    assert FEW.merge(states) == FEW.merge(states[::-1])


@pytest.mark.parametrize("parts", [1, 7])
@pytest.mark.parametrize("distinct", [30_000, 100_000])
def test_a_hundred_thousand_categories_are_counted_within_a_few_percent(distinct: int, parts: int) -> None:
    values = [f"größe-{number % distinct}" for number in range(120_000)] + ["often"] * 9000
    found = CATEGORIES.result(counted(CATEGORIES, values, parts))
    assert found.distinct == pytest.approx(distinct + 1, rel=0.07)
    assert found.error <= len(values) / 16_384
    assert found.categories[0][0] == "often"
    assert 9000 - found.error <= found.categories[0][1] <= 9000


def test_the_number_of_distinct_texts_does_not_depend_on_the_splits() -> None:
    values = skewed(30_000, 9000)
    assert len({FEW.result(counted(FEW, values, parts)).distinct for parts in (1, 3, 40)}) == 1


def test_few_more_than_the_bound_are_still_counted_exactly_as_distinct() -> None:
    found = FEW.result(counted(FEW, [f"{number}" for number in range(51)], 3))
    assert (found.distinct, found.error > 0) == (51.0, True)


def test_without_the_frequent_ones_nothing_is_listed_beyond_the_bound() -> None:
    analyzer = Categories(most=3, frequent=False)
    found = analyzer.result(counted(analyzer, ["a", "b", "c", "d", "a"], 2))
    assert (found.categories, found.n, found.error) == ((), 5, 5)


def test_long_texts_are_cut_and_stay_apart() -> None:
    long = ["ä" * 1000, "ä" * 1000 + "b", "x" * 256, "ä" * 1000]
    found = CATEGORIES.result(counted(CATEGORIES, long, 2))
    assert [count for _, count in found.categories] == [2, 1, 1]
    assert dict(found.categories)["x" * 256] == 1
    assert all(name.startswith("ä" * 64 + "… #") for name, _ in found.categories if "x" not in name)
    check_laws(CATEGORIES, [batch(long)])


def test_huge_texts_take_little_room() -> None:
    state = CATEGORIES.update(batch([f"{number}" + "z" * 200_000 for number in range(50)]))
    assert len(state.save()) < 10_000


def test_texts_given_several_times_are_summed() -> None:
    state = CATEGORIES.of(pa.array(["b", "a", "b"]), np.array([1, 2, 3]))
    assert CATEGORIES.result(state).categories == (("b", 4), ("a", 2))


def test_slices_and_dictionaries_are_read_as_they_are() -> None:
    column = pa.array(["x", "a", "b", "a", None, "y"])
    part = pa.RecordBatch.from_arrays([column.slice(1, 4)], names=["value"])
    assert CATEGORIES.result(CATEGORIES.update(part)).categories == (("a", 2), ("b", 1))


def test_no_room_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="most must be 1 or more"):
        Categories(most=0)
