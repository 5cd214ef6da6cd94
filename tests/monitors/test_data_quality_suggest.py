"""What is suggested from a table's statistics, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from driftline.core.documents import dump
from driftline.core.table_constraints import DriftRules, FeatureConstraints
from driftline.core.table_constraints_document import read_table_constraints, table_constraints_document
from driftline.core.table_statistics import (
    FeatureStatistics,
    InferredType,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
    TypeCounts,
)
from driftline.monitors.data_quality.suggest import suggest


def suggested(feature: FeatureStatistics) -> FeatureConstraints:
    return suggest(TableStatistics(feature.num_present + feature.num_missing, (feature,))).features[0]


def numbers(low: float | None, *, present: int = 100, missing: int = 0, not_finite: int = 0) -> FeatureStatistics:
    numerical = NumericalStatistics(1.0, 100.0, 1.0, low, 9.0, not_finite=not_finite)
    return FeatureStatistics("age", "Fractional", present, missing, numerical)


def words(*counts: int, complete: bool = True, kind: InferredType = "String") -> FeatureStatistics:
    categories = tuple((f"w{place:02}", count) for place, count in enumerate(counts))[::-1]
    string = StringStatistics(len(counts), categories, complete)
    return FeatureStatistics("plan", kind, sum(counts), 0, None, string)


def test_a_column_without_a_gap_must_stay_so() -> None:
    found = suggested(numbers(0.0, present=2333))
    assert found.completeness == 1.0
    assert found.suggestion["completeness"] == "2,333 of 2,333 values were present"


def test_completeness_is_what_chance_leaves_of_the_observed_share() -> None:
    found = suggested(numbers(0.0, present=97, missing=3))
    wanted = binomtest(97, 100).proportion_ci(0.999, method="wilson").low
    assert found.completeness == pytest.approx(wanted, rel=1e-9)
    assert found.suggestion["completeness"].startswith("97 of 100 values were present, less the chance of so many rows")


def test_in_the_original_s_way_completeness_is_the_observed_share() -> None:
    found = suggest(TableStatistics(100, (numbers(0.0, present=97, missing=3),)), drift=None).features[0]
    assert (found.completeness, found.suggestion["completeness"]) == (0.97, "97 of 100 values were present")


@pytest.mark.parametrize(("low", "wanted"), [(0.0, True), (-0.0, True), (5e-324, True), (-5e-324, None), (None, None)])
def test_only_what_was_never_negative_must_stay_so(low: float | None, wanted: bool | None) -> None:
    found = suggested(numbers(low, not_finite=3))
    assert found.is_non_negative is wanted
    assert ("is_non_negative" in found.suggestion) == (wanted is not None)
    if low == 0:
        assert found.suggestion["is_non_negative"] == "the smallest of 97 numbers was 0"


def test_a_small_domain_is_closed_and_says_why() -> None:
    found = suggested(words(200, 95, 5))
    assert found.domain == ("w00", "w01", "w02")
    assert found.suggestion["domain"] == (
        "3 distinct texts among 300 values, the rarest met 5 times; "
        "one that was not met has with 95 % confidence a share below 1 %"
    )


@pytest.mark.parametrize(
    "feature",
    [
        words(*[100] * 21),
        words(200, 99),
        words(1000, 4),
        words(200, 200, complete=False),
        words(),
        words(200, 200, kind="Integral"),
        FeatureStatistics("plan", "String", 300, 0),
    ],
    ids=["too many", "too few values", "a rare text", "not all counted", "no value", "numbers", "no counts"],
)
def test_a_domain_that_may_grow_is_left_open(feature: FeatureStatistics) -> None:
    found = suggested(feature)
    assert (found.domain, "domain" in found.suggestion) == (None, False)


def test_twenty_texts_are_still_a_domain() -> None:
    assert len(suggested(words(*[15] * 20)).domain or ()) == 20


def test_a_closed_domain_seldom_meets_an_unseen_text() -> None:
    """Simulated: baselines of 400 values drawn from domains of unequal shares. Where the rule closes one, the share of
    texts that it does not hold is small in at least 95 of 100 cases."""
    rng = np.random.default_rng(11)
    unseen = []
    for _ in range(2000):
        shares = rng.dirichlet(np.full(int(rng.integers(2, 20)), 0.3))
        counts = rng.multinomial(400, shares)
        found = suggested(words(*counts[counts > 0].tolist()))
        if found.domain is not None:
            unseen.append(shares[counts == 0].sum())
    assert len(unseen) > 200
    assert np.mean(np.array(unseen) < 3 / 400) >= 0.95


def test_columns_without_values_or_rows() -> None:
    nothing = suggested(FeatureStatistics("x", "Unknown", 0, 10))
    assert (nothing.inferred_type, nothing.completeness, nothing.domain) == ("Unknown", 0.0, None)
    assert nothing.suggestion == {
        "inferred_type": "no value was present",
        "completeness": "0 of 10 values were present",
    }
    assert suggested(FeatureStatistics("x", "Unknown", 0, 0)).completeness is None
    assert suggest(TableStatistics(0)).features == ()


@pytest.mark.parametrize(
    ("kind", "types", "reason"),
    [
        ("Integral", TypeCounts(integral=1200), "1,200 whole numbers were present"),
        ("Fractional", TypeCounts(5, 1, 2), "5 whole numbers and 3 fractional numbers were present"),
        ("String", TypeCounts(boolean=4, string=1), "4 true or false and 1 other texts were present"),
        ("String", TypeCounts(integral=4, boolean=1), "4 whole numbers and 1 true or false were present together are"),
        ("String", None, "the type of 9 values"),
        ("String", TypeCounts(), "no value was present"),
    ],
)
def test_a_type_says_what_was_met(kind: InferredType, types: TypeCounts | None, reason: str) -> None:
    assert suggested(FeatureStatistics("x", kind, 9, 0, types=types)).suggestion["inferred_type"].startswith(reason)


def test_a_baseline_of_ours_compares_our_way() -> None:
    table = TableStatistics(100, (numbers(0.0),))
    assert suggest(table).drift == DriftRules()
    assert suggest(table, drift=None).drift is None
    assert (suggest(table).datatype_check_threshold, suggest(table).domain_content_threshold) == (1.0, 1.0)


def test_suggestions_read_back() -> None:
    found = suggest(TableStatistics(300, (numbers(-1.0), words(200, 100))))
    assert read_table_constraints(dump(table_constraints_document(found)), "c.json") == found


def test_the_published_constraints_follow_from_the_published_statistics(published: Path) -> None:
    golden: dict[str, Any] = json.loads((published / "golden" / "data_quality_churn.json").read_bytes())
    table = TableStatistics(
        2333,
        tuple(
            FeatureStatistics(
                one["name"],
                one["inferred_type"],
                one["num_present"],
                one["num_missing"],
                NumericalStatistics(one["mean"], one["sum"], one["std_dev"], one["min"], one["max"]),
            )
            for one in golden["statistics"]
        ),
    )
    found = [
        {
            "name": one.name,
            "inferred_type": one.inferred_type,
            "completeness": one.completeness,
            "is_non_negative": one.is_non_negative,
        }
        for one in suggest(table).features
    ]
    assert found == golden["constraints"]
