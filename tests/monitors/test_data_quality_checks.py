"""From statistics and constraints to violations and a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.core.documents import Violation
from driftline.core.table_constraints import (
    DataQualityConstraints,
    DriftRules,
    FeatureConstraints,
    FeatureOverride,
)
from driftline.core.table_statistics import (
    FeatureStatistics,
    InferredType,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
    TypeCounts,
)
from driftline.core.verdict import Verdict
from driftline.monitors.data_quality.checks import check
from driftline.monitors.data_quality.drift import compare

SOME = (("a", 60), ("b", 30), ("x", 8), ("y", 2))


def column(name: str = "f", kind: InferredType = "Integral", present: int = 100, **more: Any) -> FeatureStatistics:
    return FeatureStatistics(name, kind, present, more.pop("missing", 0), **more)


def texts(*categories: tuple[str, int], name: str = "f", **more: Any) -> FeatureStatistics:
    present = more.pop("present", sum(count for _, count in categories))
    return column(name, "String", present, string=StringStatistics(len(categories), categories, **more))


def numbers(values: Any, name: str = "f") -> FeatureStatistics:
    found = np.sort(np.asarray(values, dtype=np.float64))
    made = NumericalStatistics(
        float(found.mean()), float(found.sum()), float(found.std()), found[0], found[-1], levels=(tuple(found),)
    )
    return column(name, "Fractional", len(found), numerical=made)


def table(*features: FeatureStatistics, rows: int | None = None) -> TableStatistics:
    count = max((one.num_present + one.num_missing for one in features), default=0)
    return TableStatistics(count if rows is None else rows, features)


def expected(kind: InferredType = "Integral", name: str = "f", **more: Any) -> FeatureConstraints:
    return FeatureConstraints(name, kind, **more)


def found(feature: FeatureStatistics, rule: FeatureConstraints, **more: Any) -> list[Violation]:
    judgement, violations = check(table(feature), None, DataQualityConstraints((rule,), **more))
    assert judgement.verdict is (Verdict.VIOLATED if violations else Verdict.OK)
    return list(violations)


def test_a_type_that_does_not_match_is_worded_as_published(published: Path) -> None:
    golden = json.loads((published / "golden" / "data_quality_churn.json").read_text())["violations"]
    shares = {100: TypeCounts(fractional=1977), 0: TypeCounts(integral=1970, fractional=7)}
    texts = [found(column(present=1977, types=types), expected())[0].description for types in shares.values()]
    assert {one["description"] for one in golden} == set(texts)
    assert {one["constraint_check_type"] for one in golden} == {"data_type_check"}


@pytest.mark.parametrize(
    ("kind", "types", "loose", "exact"),
    [
        ("Integral", TypeCounts(integral=100), 1.0, 1.0),
        ("Integral", TypeCounts(integral=90, whole=10), 1.0, 0.9),
        ("Integral", TypeCounts(integral=90, fractional=10), 0.9, 0.9),
        ("Fractional", TypeCounts(integral=90, fractional=10), 1.0, 0.1),
        ("Fractional", TypeCounts(whole=50, fractional=40, string=10), 0.9, 0.9),
        ("Integral", TypeCounts(boolean=100), 0.0, 0.0),
        ("String", TypeCounts(integral=40, string=60), 1.0, 1.0),
        ("Unknown", TypeCounts(string=100), 1.0, 1.0),
    ],
)
def test_types_widen_unless_they_are_to_be_exact(
    kind: InferredType, types: TypeCounts, loose: float, exact: float
) -> None:
    for share, exactly in ((loose, False), (exact, True)):
        violations = found(column(kind="String", types=types), expected(kind), exact_types=exactly)
        assert [one.value for one in violations] == ([] if share == 1 else [share])


def test_a_column_of_texts_that_holds_numbers_alone_is_no_exact_match() -> None:
    feature = column(kind="Integral", types=TypeCounts(integral=100))
    assert found(feature, expected("String")) == []
    assert [one.value for one in found(feature, expected("String"), exact_types=True)] == [0.0]


@pytest.mark.parametrize(("kind", "violated"), [("Integral", False), ("Fractional", True), ("String", True)])
def test_without_counts_the_type_of_the_column_counts_for_all(kind: InferredType, violated: bool) -> None:
    assert bool(found(column(kind=kind), expected())) is violated


def test_the_threshold_of_types_can_be_another() -> None:
    feature = column(types=TypeCounts(integral=95, string=5))
    assert found(feature, expected(), datatype_check_threshold=0.95) == []
    assert found(feature, expected(override=FeatureOverride(datatype_check_threshold=0.9))) == []
    assert len(found(feature, expected(override=FeatureOverride(datatype_check_threshold=0.96)))) == 1


def test_completeness_is_a_fact_about_the_window() -> None:
    assert found(column(missing=0), expected(completeness=1.0)) == []
    assert found(column(present=99, missing=1), expected(completeness=0.99)) == []
    (violation,) = found(column(present=90, missing=10), expected(completeness=1.0))
    assert (violation.constraint_check_type, violation.feature_name) == ("completeness_check", "f")
    assert (violation.value, violation.threshold, violation.item_count) == (0.9, 1.0, 100)
    assert violation.description == (
        "Completeness requirement is not met. Expected completeness: 100.0%. "
        "Observed: Only 90.0% of values are present."
    )


def test_nothing_present_breaks_completeness_and_no_other_rule() -> None:
    empty = FeatureStatistics("f", "Unknown", 0, 100)
    rule = expected("String", completeness=0.5, domain=("a",), is_non_negative=True)
    assert [one.constraint_check_type for one in found(empty, rule)] == ["completeness_check"]


def test_a_negative_number_is_told() -> None:
    assert found(numbers([0.0] * 50), expected("Fractional", is_non_negative=True)) == []
    assert found(numbers([-1.0] * 50), expected("Fractional", is_non_negative=False)) == []
    (violation,) = found(numbers([-0.5, *[1.0] * 50]), expected("Fractional", is_non_negative=True))
    assert (violation.constraint_check_type, violation.value, violation.threshold) == ("non_negative_check", -0.5, 0.0)


def test_values_outside_the_domain_are_shown_with_their_counts() -> None:
    (violation,) = found(texts(*SOME), expected("String", domain=("a", "b", "c")))
    assert violation.constraint_check_type == "categorical_values_check"
    assert (violation.value, violation.new_categories) == (0.9, (("x", 8), ("y", 2)))
    assert found(texts(*SOME), expected("String", domain=("a", "b")), domain_content_threshold=0.9) == []
    loose = FeatureOverride(domain_content_threshold=0.9)
    assert found(texts(*SOME), expected("String", domain=("a", "b"), override=loose)) == []


def test_new_values_are_at_most_ten_and_none_of_a_sensitive_column() -> None:
    many = texts(*((f"value {place}", 1000 - place) for place in range(50)))
    (violation,) = found(many, expected("String", domain=()))
    assert violation.new_categories == tuple((f"value {place}", 1000 - place) for place in range(10))
    hidden = expected("String", domain=("a",), override=FeatureOverride(sensitive=True))
    (violation,) = found(texts(*SOME), hidden)
    assert violation.new_categories == ()
    assert violation.description.endswith("Observed: Only 60.0% of data is among the expected values.")


def test_counts_that_may_be_too_small_are_given_the_benefit_of_their_error() -> None:
    cut = texts(("a", 85), ("b", 10), present=100, complete=False, error=3)
    assert [one.value for one in found(cut, expected("String", domain=("a", "b")))] == []
    assert [one.value for one in found(cut, expected("String", domain=("b",)))] == [0.13]


def test_columns_that_are_missing_or_extra() -> None:
    rules = DataQualityConstraints((expected(), expected(name="gone"), expected(name="lost")))
    judgement, violations = check(table(column(), column("new")), None, rules)
    assert judgement.verdict is Verdict.VIOLATED
    assert [(one.constraint_check_type, one.feature_name) for one in violations] == [
        ("missing_column_check", "gone"),
        ("missing_column_check", "lost"),
        ("extra_column_check", "new"),
    ]
    assert violations[0].description.startswith("There are missing columns in current dataset.")


def drifting() -> tuple[TableStatistics, TableStatistics, list[FeatureConstraints]]:
    random = np.random.default_rng(1)
    now = table(numbers(random.normal(1, 1, 500), "x"), texts(*SOME, ("z", 400), name="t"), numbers([3.0] * 500, "c"))
    before = table(
        numbers(random.normal(size=1000), "x"), texts(("a", 700), ("b", 300), name="t"), numbers([3.0] * 900, "c")
    )
    return now, before, [expected("Fractional", "x"), expected("String", "t"), expected("Fractional", "c")]


def test_drift_by_the_services_rules_is_worded_as_published() -> None:
    now, before, rules = drifting()
    judgement, violations = check(now, before, DataQualityConstraints(tuple(rules)))
    assert judgement.verdict is Verdict.VIOLATED
    assert [one.feature_name for one in violations] == ["x", "t"]
    assert {one.constraint_check_type for one in violations} == {"baseline_drift_check"}
    number, category = violations
    assert number.description == f"Numerical distance: {number.value:.4g} exceeds numerical threshold: 0.1"
    assert category.description == f"Categorical distance: {category.value:.4g} exceeds categorical threshold: 0.1"
    assert (number.item_count, number.baseline_count) == (500, 1000)
    assert category.new_categories == (("x", 8), ("y", 2), ("z", 400))


def test_drift_by_our_rules_says_method_and_p_value() -> None:
    now, before, rules = drifting()
    drift = DriftRules()
    _, (number, category) = check(now, before, DataQualityConstraints(tuple(rules), drift=drift))
    assert number.description.startswith("Numerical distance: ")
    assert "(Wasserstein, adjusted p-value " in number.description
    assert "(JensenShannon, adjusted p-value " in category.description
    assert number.p_value is not None
    assert number.p_value < 1e-10
    assert category.threshold == drift.categorical_threshold


def test_a_p_value_below_its_threshold_is_worded_as_such() -> None:
    now, before, rules = drifting()
    held = DataQualityConstraints(tuple(rules), drift=DriftRules(numeric_method="KolmogorovSmirnov"))
    _, violations = check(now, before, held)
    assert violations[0].description.startswith("Numerical p-value: ")


def test_too_many_drifted_features_are_a_violation_of_the_table() -> None:
    now, before, rules = drifting()
    held = DataQualityConstraints(tuple(rules), drift=DriftRules(largest_drifted_share=0.5))
    _, violations = check(now, before, held)
    assert [one.feature_name for one in violations] == [None, "x", "t"]
    assert (violations[0].value, violations[0].threshold) == (pytest.approx(2 / 3), 0.5)
    few = DataQualityConstraints(tuple(rules), drift=DriftRules(largest_drifted_share=0.7))
    judgement, violations = check(now, before, few)
    assert (judgement.verdict, violations) == (Verdict.OK, ())


def test_drift_that_is_known_is_not_computed_again() -> None:
    now, before, rules = drifting()
    held = DataQualityConstraints(tuple(rules), drift=DriftRules())
    assert check(now, before, held, drift=compare(now, before, held)) == check(now, before, held)


def test_a_feature_that_cannot_be_compared_is_told_and_no_violation() -> None:
    now, before, rules = drifting()
    held = DataQualityConstraints((rules[2], expected("String", "lone")), drift=DriftRules())
    judgement, violations = check(
        table(now.features[2], texts(("a", 500), name="lone")), table(before.features[2], rows=900), held
    )
    assert (judgement.verdict, violations) == (Verdict.OK, ())
    (reason,) = judgement.reasons
    assert reason.code == "not_compared"
    assert list(reason.evidence["features"]) == ["lone"]


def test_where_nothing_could_be_compared_there_is_no_verdict() -> None:
    held = DataQualityConstraints((expected("String"),), drift=DriftRules())
    judgement, violations = check(table(texts(*SOME)), table(texts(*SOME, name="other")), held)
    assert (judgement.verdict, violations) == (Verdict.UNKNOWN, ())
    assert judgement.reasons[0].code == "not_compared"


@pytest.mark.parametrize(
    ("rows", "rules", "more", "code"),
    [
        (0, (expected(),), {}, "no_rows"),
        (29, (expected(),), {}, "too_few_rows"),
        (100, (), {}, "no_constraints"),
        (100, (expected("String"),), {"evaluate_constraints": "Disabled"}, "disabled"),
    ],
)
def test_what_cannot_be_judged_is_unknown(
    rows: int, rules: tuple[FeatureConstraints, ...], more: dict[str, Any], code: str
) -> None:
    judgement, violations = check(table(column(present=rows)), None, DataQualityConstraints(rules, **more))
    assert (judgement.verdict, violations) == (Verdict.UNKNOWN, ())
    assert [reason.code for reason in judgement.reasons] == [code]


def test_a_baseline_meets_what_it_meets() -> None:
    _, before, rules = drifting()
    for drift in (None, DriftRules()):
        judgement, violations = check(before, before, DataQualityConstraints(tuple(rules), drift=drift))
        assert (judgement.verdict, judgement.reasons, violations) == (Verdict.OK, (), ())
