"""Counts by facet, label, prediction and group, and the sample of the flip test: laws, bounds, counting by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.analyzers.contingency import BESIDE, INSIDE, Contingency, ContingencyState, Cut
from driftline.analyzers.facet_cells import FacetCells
from driftline.analyzers.flip_sample import FlipSample
from driftline.core.errors import InputError
from driftline.core.sampling import mix
from driftline.testing import check_laws, split

Row = tuple[str | None, float | None, int, int, str]  # plan, age, label, predicted, group
BOTH = (None, Cut(50.0))
rows = st.lists(
    st.tuples(
        st.sampled_from(["gold", "tin", "größe", "", None]),
        st.sampled_from([49.0, 50.0, 51.0, -0.0, float("nan"), float("inf"), -1e308, None]),
        st.integers(0, 2),
        st.integers(0, 2),
        st.sampled_from(["n", "s"]),
    ),
    max_size=40,
)


def batch_of(given: list[Row], order: Any = None) -> pa.RecordBatch:
    plan, age, label, predicted, group = zip(*given, strict=True) if given else ([], [], [], [], [])
    hashes = mix(np.arange(len(given), dtype=np.uint64)) if order is None else np.array(order, dtype=np.uint64)
    return pa.RecordBatch.from_pydict(
        {
            "label": pa.array(label, pa.int8()),
            "predicted": pa.array(predicted, pa.int8()),
            "group": pa.array(group, pa.string()).dictionary_encode(),
            "facet 0": pa.array(plan, pa.string()).dictionary_encode(),
            "facet 1": pa.array(age, pa.float64()),
            "order": pa.array(hashes),
            "feature age": pa.array(age, pa.float64()),
            "feature plan": pa.array(plan, pa.string()),
            "feature paid": pa.array([value == "n" for value in group], pa.bool_()),
        }
    )


@settings(max_examples=40, derandomize=True)
@given(given_rows=rows)
def test_laws_on_any_rows(given_rows: list[Row]) -> None:
    check_laws(Contingency(BOTH), [batch_of(given_rows)])
    check_laws(FlipSample(BOTH, most=7), [batch_of(given_rows)])


@settings(max_examples=30, derandomize=True)
@given(given_rows=rows)
def test_laws_where_only_some_values_and_groups_are_kept(given_rows: list[Row]) -> None:
    check_laws(Contingency(BOTH, most_values=2, most_groups=1), [batch_of(given_rows)])


@settings(max_examples=30, derandomize=True)
@given(given_rows=rows, data=st.data())
def test_the_sample_does_not_depend_on_the_order_of_rows_with_the_same_hash(given_rows: list[Row], data: Any) -> None:
    order = data.draw(st.lists(st.integers(0, 3), min_size=len(given_rows), max_size=len(given_rows)))
    check_laws(FlipSample(BOTH, most=5), [batch_of(given_rows, order)])


@settings(max_examples=60, derandomize=True)
@given(given_rows=rows)
def test_counts_are_those_of_counter(given_rows: list[Row]) -> None:
    plan, age = Contingency(BOTH).result(Contingency(BOTH).update(batch_of(given_rows)))
    expected = Counter((row[0], row[2] * 3 + row[3], row[4]) for row in given_rows if row[0] is not None)
    assert counted(plan) == expected
    numbers = [row for row in given_rows if row[1] is not None and not np.isnan(row[1])]
    assert counted(age) == Counter(
        (INSIDE if (row[1] or 0) > 50 else BESIDE, row[2] * 3 + row[3], row[4]) for row in numbers
    )
    assert (plan.missing, age.missing) == (sum(row[0] is None for row in given_rows), len(given_rows) - len(numbers))
    if numbers:
        assert (age.low, age.high) == (min(row[1] or 0 for row in numbers), max(row[1] or 0 for row in numbers))
    assert plan.counts().sum() == plan.rows == expected.total()


def counted(cells: FacetCells) -> Counter[tuple[str, int, str]]:
    places = zip(cells.value.tolist(), cells.outcome.tolist(), cells.group.tolist(), cells.count.tolist(), strict=True)
    return Counter({(cells.values[v], o, cells.groups[g]): count for v, o, g, count in places})


def test_an_inclusive_cut_has_the_threshold_in_the_facet() -> None:
    batch = batch_of([("a", 50.0, 1, 1, "n"), ("a", 49.9, 1, 1, "n")])
    for cut, inside in ((Cut(50.0), 0), (Cut(50.0, inclusive=True), 1)):
        cells = Contingency((None, cut)).update(batch).facets[1]
        assert dict(zip(cells.values, [2 - inside, inside], strict=False))[BESIDE] == 2 - inside


@pytest.mark.parametrize("parts", [1, 3, 50])
def test_values_beyond_the_bound_are_counted_together_and_those_kept_exactly(parts: int) -> None:
    random = np.random.default_rng(4)
    made: list[Row] = [(f"v{place}", 1.0, 1, 0, f"g{place % 7}") for place in random.integers(0, 60, 2000).tolist()]
    analyzer = Contingency(BOTH, most_values=10, most_groups=3)
    state = analyzer.merge([analyzer.update(part) for part in split(batch_of(made), parts)])
    cells = state.facets[0]
    true = Counter(row[0] for row in made)
    assert (len(cells.values), len(cells.groups)) == (10, 3)
    for place, name in enumerate(cells.values):
        assert int(cells.count[cells.value == place].sum()) == true[name]
    assert cells.rest == 2000 - sum(true[name] for name in cells.values)
    assert cells.rest_of_groups == sum(row[4] not in cells.groups for row in made)
    assert cells.counts().shape == (11, 3, 3, 4)
    assert cells.counts().sum() == 2000


def test_many_values_and_groups_use_the_sparse_path() -> None:
    made: list[Row] = [(f"v{number}", 1.0, 1, 0, f"g{number}") for number in range(700)]
    cells = Contingency(BOTH, most_values=700, most_groups=700).update(batch_of(made)).facets[0]
    assert (len(cells.values), cells.count.tolist()) == (700, [1] * 700)


def test_a_sample_keeps_the_rows_with_the_smallest_hashes_that_have_a_prediction() -> None:
    made: list[Row] = [("gold", float(number), 1, number % 3, "n") for number in range(300)]
    batch = batch_of(made)
    found = FlipSample(BOTH, most=20).result(FlipSample(BOTH, most=20).update(batch))
    order = batch.column("order").to_numpy()
    expected = sorted((number for number in range(300) if number % 3 < 2), key=lambda number: order[number])[:20]
    assert found.features == ("age", "paid")
    assert found.others == ("plan",)
    assert found.cells[:, 0].tolist() == [float(number) for number in expected]
    assert found.predicted.tolist() == [number % 3 == 1 for number in expected]
    assert [found.names[1][code] for code in found.facets[:, 1]] == [
        INSIDE if number > 50 else BESIDE for number in expected
    ]


def test_samples_of_tables_with_other_columns_are_merged() -> None:
    sample = FlipSample(BOTH)
    first = batch_of([("gold", 60.0, 1, 1, "n")], [1])
    second = batch_of([("tin", 40.0, 1, 0, "n")], [2]).drop_columns(["feature paid"])
    found = sample.result(sample.merge([sample.update(first), sample.update(second)]))
    assert found.features == ("age", "paid")
    np.testing.assert_array_equal(found.cells, [[60.0, 1.0], [40.0, np.nan]])


@pytest.mark.parametrize("data", [b"", b"nonsense", FacetCells().save(), ContingencyState().save()[:-2]])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="no"):
        ContingencyState.load(data)
