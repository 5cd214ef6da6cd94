"""The rows that are shown with a violation are those that broke its rule, and no secret is among them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints, FeatureConstraints
from driftline.core.table_statistics import (
    FeatureStatistics,
    InferredType,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
)
from driftline.monitors.data_quality.samples import LONGEST, MOST, Breaking, breaking, rows_of, shown


def rule(
    check: str, kind: InferredType = "Integral", domain: tuple[str, ...] | None = None, **baseline: Any
) -> Breaking:
    before = FeatureStatistics("x", kind, 3, 0, **baseline) if baseline else None
    return Breaking("x", check, FeatureConstraints("x", kind, domain=domain), before)


NUMBERS = NumericalStatistics(mean=2.0, sum=6.0, std_dev=1.0, min=1.0, max=3.0)
TEXTS = StringStatistics(2.0, (("a", 2), ("b", 1)))


@pytest.mark.parametrize(
    ("column", "wanted", "rows"),
    [
        (pa.array([1, None, 3]), rule("completeness_check"), [1]),
        (pa.array(["a", "", " ", None, "b"]), rule("completeness_check", "String"), [1, 2, 3]),
        (pa.array(["1", "x", "2.5", None, "", "2.0", " 7 "]), rule("data_type_check"), [1, 2]),
        (pa.array([1.0, 2.5, None, float("nan"), float("inf")]), rule("data_type_check"), [1, 3]),
        (pa.array(["1", "x", "2.5", "1e5", "1."]), rule("data_type_check", "Fractional"), [1]),
        (pa.array([1, 2]), rule("data_type_check"), []),
        (pa.array(["x"]), rule("data_type_check", "String"), []),
        (pa.array(["a", "c", None, ""]), rule("categorical_values_check", "String", ("a", "b")), [1]),
        (pa.array(["a", "c"]).dictionary_encode(), rule("categorical_values_check", "String", ("a",)), [1]),
        (pa.array([1, 2]), rule("categorical_values_check", "String", ("1",)), [1]),
        (pa.array([0.5, 1.0, 3.0, 3.5, None]), rule("baseline_drift_check", numerical=NUMBERS), [0, 3]),
        (pa.array(["a", "c", None]), rule("baseline_drift_check", "String", string=TEXTS), [1]),
        (pa.array(["a"]), rule("baseline_drift_check"), []),
        (pa.array(["text"]), rule("baseline_drift_check", numerical=NUMBERS), []),
        # Whole and broken numbers in one batch come as texts.
        (
            pa.array(["2", "2.5", " 3.5 ", "+4", "-1e3", "x", "", None, "1e999"]),
            rule("baseline_drift_check", "Fractional", numerical=NUMBERS),
            [2, 3, 4, 8],
        ),
        (pa.array([True, False]), rule("baseline_drift_check", numerical=NUMBERS), []),
        (pa.nulls(2), rule("completeness_check"), [0, 1]),
    ],
)
def test_the_rows_are_those_that_broke_the_rule(column: Any, wanted: Breaking, rows: list[int]) -> None:
    assert rows_of(pa.record_batch({"x": column}), wanted) == rows


def test_no_more_than_ten_rows_are_taken() -> None:
    batch = pa.record_batch({"x": pa.nulls(50, pa.int64())})
    assert rows_of(batch, rule("completeness_check")) == list(range(MOST))
    assert rows_of(batch, rule("completeness_check"), 3) == [0, 1, 2]


def test_a_column_that_a_batch_has_not_has_no_rows() -> None:
    assert rows_of(pa.record_batch({"y": pa.array([1])}), rule("completeness_check")) == []


def test_only_violations_of_rows_are_looked_for() -> None:
    violations = [
        Violation(feature_name="x", constraint_check_type=check, description="")
        for check in ("missing_column_check", "data_type_check", "extra_column_check", "baseline_drift_check")
    ]
    constraints = DataQualityConstraints((FeatureConstraints("x", "Integral"),))
    found = breaking(violations, constraints, TableStatistics(0))
    assert [one is not None for one in found] == [False, True, False, True]


def test_a_sample_has_its_id_and_masks_what_is_sensitive() -> None:
    batch = pa.record_batch({"card": ["4111"], "age": [34], "day": pa.array([0], pa.date32())})
    text = shown(batch, 0, "age", frozenset({"card"}), "o-17")
    assert text == 'o-17: {"age":34,"card":"***","day":"1970-01-01"}'


def test_a_long_row_is_cut() -> None:
    batch = pa.record_batch({"x": ["ü" * 2000]})
    text = shown(batch, 0, "x", frozenset())
    assert len(text) == LONGEST
    assert text.endswith("…")
