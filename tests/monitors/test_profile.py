"""The statistics of a table are those the service published, and those of numpy, for tables of every kind."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from driftline.analyzers.quantiles import RANK_ERROR, from_levels
from driftline.core.errors import InputError
from driftline.core.table_statistics import Bucket, FeatureStatistics, TableStatistics, TypeCounts
from driftline.monitors.data_quality import profile
from driftline.monitors.data_quality.profile import Profile, inferred_type, load_state, save_state


def statistics(columns: dict[str, Any], *, rows: int = 131_072) -> TableStatistics:
    measured = Profile().measure(pa.table(columns).to_batches(max_chunksize=rows))
    return Profile().result(measured)


def feature(values: Any) -> FeatureStatistics:
    return statistics({"x": values}).features[0]


@pytest.mark.shared
@pytest.mark.parametrize("rows", [131_072, 100])
def test_every_published_figure_is_reproduced(published: Path, rows: int) -> None:
    table = pacsv.read_csv(published / "churn" / "training-dataset-with-header.csv")
    found = Profile().result(Profile().measure(table.to_batches(max_chunksize=rows)))
    golden = json.loads((published / "golden" / "data_quality_churn.json").read_text())
    assert found.item_count == 2333
    assert [one.name for one in found.features] == table.column_names
    assert len(golden["statistics"]) == 10
    for one, wanted in zip(found.features, golden["statistics"], strict=False):
        numbers = one.numerical
        assert numbers is not None
        assert (one.name, one.inferred_type) == (wanted["name"], wanted["inferred_type"])
        assert (one.num_present, one.num_missing) == (wanted["num_present"], wanted["num_missing"])
        # The published figures are rounded to six digits after the point.
        for name in ("mean", "std_dev"):
            assert getattr(numbers, name) == pytest.approx(wanted[name], abs=6e-7)
        assert (numbers.sum, numbers.min, numbers.max) == (wanted["sum"], wanted["min"], wanted["max"])
        assert (numbers.c, numbers.k) == (wanted["kll_c"], wanted["kll_k"])
        first = numbers.buckets[0]
        text = f"[{{'lower_bound': {first.lower}, 'upper_bound': {first.upper}, 'count': {first.count}"
        cut = wanted["first_bucket"].removesuffix("...")
        assert len(cut) > 40
        assert text.startswith(cut)


@pytest.mark.shared
def test_published_data_read_as_text_gives_the_same_numbers(published: Path) -> None:
    path = published / "churn" / "training-dataset-with-header.csv"
    typed = pacsv.read_csv(path)
    options = pacsv.ConvertOptions(column_types=dict.fromkeys(typed.column_names, pa.string()))
    texts, numbers = (
        Profile().result(Profile().measure(table.to_batches()))
        for table in (pacsv.read_csv(path, convert_options=options), typed)
    )
    for text, number in zip(texts.features, numbers.features, strict=True):
        assert text.numerical is not None
        assert number.numerical is not None
        assert (text.inferred_type, text.numerical.levels) == (number.inferred_type, number.numerical.levels)
        assert text.numerical.mean == pytest.approx(number.numerical.mean, rel=1e-12)


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (TypeCounts(), "Unknown"),
        (TypeCounts(integral=3), "Integral"),
        (TypeCounts(whole=3), "Fractional"),
        (TypeCounts(integral=9, fractional=1), "Fractional"),
        (TypeCounts(boolean=3), "String"),
        (TypeCounts(integral=3, boolean=1), "String"),
        (TypeCounts(integral=9, whole=9, fractional=9, string=1), "String"),
    ],
)
def test_types_follow_from_the_values(types: TypeCounts, kind: str) -> None:
    assert inferred_type(types) == kind


@pytest.mark.parametrize("n", [10, 3000, 300_000])
def test_buckets_are_a_histogram(n: int) -> None:
    values = np.random.default_rng(n).gamma(2, size=n)
    numbers = feature(values).numerical
    assert numbers is not None
    counts, edges = np.histogram(values, bins=10)
    assert [bucket.lower for bucket in numbers.buckets] == pytest.approx(edges[:-1].tolist())
    assert numbers.buckets[-1].upper == numbers.max == values.max()
    assert sum(bucket.count for bucket in numbers.buckets) == n
    room = 0.5 if n <= 3000 else 2 * RANK_ERROR * n
    assert [bucket.count for bucket in numbers.buckets] == pytest.approx(counts.tolist(), abs=room)


def test_levels_answer_for_the_values() -> None:
    values = np.random.default_rng(1).normal(size=400_000)
    numbers = feature(values).numerical
    assert numbers is not None
    sketch = from_levels(numbers.levels)
    assert sketch.n == len(values)
    for share in (0.01, 0.25, 0.5, 0.99):
        assert (values <= sketch.quantile(share)).mean() == pytest.approx(share, abs=2 * RANK_ERROR)


def test_constant_numbers_have_one_bucket() -> None:
    numbers = feature([7.5] * 100).numerical
    assert numbers is not None
    assert (numbers.buckets, numbers.std_dev) == ((Bucket(7.5, 7.5, 100),), 0.0)


def test_the_largest_numbers_have_buckets() -> None:
    numbers = feature([-1.7e308, 0.0, 1.7e308, 1e308]).numerical
    assert numbers is not None
    assert [bucket.count for bucket in numbers.buckets] == [1, 0, 0, 0, 0, 1, 0, 1, 0, 1]
    assert all(np.isfinite([bucket.lower, bucket.upper]).all() for bucket in numbers.buckets)
    assert (numbers.mean, numbers.std_dev is not None) == (pytest.approx(2.5e307), True)


def test_numbers_that_are_not_finite_are_present_and_nothing_else() -> None:
    found = feature([1.0, np.nan, np.inf, 3.0])
    assert (found.num_present, found.num_missing, found.inferred_type) == (4, 0, "Fractional")
    assert found.numerical is not None
    assert (found.numerical.not_finite, found.numerical.mean, found.numerical.max) == (2, 2.0, 3.0)
    none = feature([np.nan, np.inf]).numerical
    assert none is not None
    assert (none.mean, none.sum, none.std_dev, none.min, none.buckets, none.levels) == (None, None, None, None, (), ())


def test_texts_come_most_frequent_first_then_by_text() -> None:
    values = ["b", "a", "ü", "b", "c", None, "", "a"]
    found = feature(values)
    assert (found.inferred_type, found.num_present, found.num_missing) == ("String", 6, 2)
    assert found.string is not None
    assert found.string.categories == (("a", 2), ("b", 2), ("c", 1), ("ü", 1))
    assert (found.string.distinct_count, found.string.complete, found.numerical) == (4, True, None)


@pytest.mark.parametrize("values", [[True, False, True, None], ["true", "false", "true", ""]])
def test_truth_is_text(values: Any) -> None:
    found = feature(values)
    assert (found.inferred_type, found.types) == ("String", TypeCounts(boolean=3))
    assert found.string is not None
    assert found.string.categories == (("true", 2), ("false", 1))


def test_numbers_among_texts_are_categories_too() -> None:
    values = ["x", "1", "2.0", "1", "true"]
    found = feature(values)
    assert found.string is not None
    assert dict(found.string.categories) == Counter(values)
    assert (found.types, found.string.complete) == (TypeCounts(2, 1, 0, 1, 1), True)


def test_many_different_numbers_among_texts_are_not_listed_and_the_error_says_how_frequent_one_can_be() -> None:
    values = ["n/a"] * 500 + [str(number) for number in range(1000)] + ["77"] * 300
    text = feature(values).string
    assert text is not None
    assert (text.categories, text.complete) == ((("n/a", 500),), False)
    assert 301 <= text.error <= 320
    assert 257 <= text.distinct_count <= 1001


def test_a_hundred_thousand_categories_are_estimated() -> None:
    values = [f"größe {number}" for number in range(100_000)] + ["often"] * 5000
    text = feature(values).string
    assert text is not None
    assert not text.complete
    assert text.distinct_count == pytest.approx(100_001, rel=0.07)
    assert text.categories[0][0] == "often"
    assert 5000 - text.error <= text.categories[0][1] <= 5000


def test_nothing_is_unknown() -> None:
    found = feature(pa.nulls(5))
    assert (found.inferred_type, found.num_present, found.num_missing) == ("Unknown", 0, 5)
    assert (found.numerical, found.string) == (None, None)


def test_no_rows_have_no_features() -> None:
    assert Profile().result(Profile().measure([])) == TableStatistics(0)
    assert statistics({"x": pa.array([], pa.int64())}) == TableStatistics(0)


def test_a_column_that_failed_says_so_in_its_statistics() -> None:
    found = statistics({"odd": [[1], [2]], "x": [1, 2]})
    assert "cannot be analysed" in (found.features[0].error or "")
    assert (found.features[0].inferred_type, found.features[1].error) == ("Unknown", None)


def test_two_thousand_columns_are_measured_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "_MOST_BYTES", 1 << 24)
    random = np.random.default_rng(0)
    kinds = [pa.array(random.normal(size=600)), pa.array(["a", "b", "c"] * 200), pa.array(random.integers(0, 9, 600))]
    batch = pa.RecordBatch.from_arrays([kinds[i % 3] for i in range(2000)], names=[f"c{i}" for i in range(2000)])
    held: list[int] = []
    recipe = Profile()
    merge = recipe.merge

    def watched(states: Any) -> Any:
        held.append(sum(state.nbytes for state in states))
        return merge(states)

    monkeypatch.setattr(recipe, "merge", watched)
    found = recipe.result(recipe.measure(batch for _ in range(5)))
    assert (len(found.features), found.item_count) == (2000, 3000)
    assert max(held) < 1 << 25  # less than the states of all batches together
    assert len(held) > 1
    assert [one.num_present for one in found.features] == [3000] * 2000


def test_a_kept_hour_is_as_good_as_a_measured_one() -> None:
    table = pa.table({"f": np.random.default_rng(0).normal(size=3000), "s": ["x", "y", None] * 1000})
    whole = Profile().measure(table.to_batches())
    hours = [Profile().measure(table.slice(start, 1000).to_batches()) for start in (0, 1000, 2000)]
    merged = Profile().merge([load_state(save_state(hour)) for hour in hours])
    a, b = Profile().result(merged), Profile().result(whole)
    assert a.features[1] == b.features[1]
    first, second = a.features[0].numerical, b.features[0].numerical
    assert first is not None
    assert second is not None
    assert (first.levels, first.min, first.max) == (second.levels, second.min, second.max)
    assert first.std_dev == pytest.approx(second.std_dev, rel=1e-12)
    with pytest.raises(InputError, match="not a saved"):
        load_state(b"something else")


def test_an_executor_gives_the_same_statistics() -> None:
    table = pa.table({f"c{i}": np.random.default_rng(i).normal(size=2000) for i in range(8)})
    with ThreadPoolExecutor(4) as pool:
        threaded = Profile(executor=pool).measure(table.to_batches(max_chunksize=300))
    assert threaded == Profile().measure(table.to_batches(max_chunksize=300))
