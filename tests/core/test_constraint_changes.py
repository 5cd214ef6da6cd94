"""Constraints compared and edited: every change in words, every edit judged, nothing changed by one that is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.constraint_changes import diff, settings_of
from driftline.core.constraint_documents import Constraints
from driftline.core.constraint_edits import with_changes
from driftline.core.constraint_paths import parse_edit
from driftline.core.documents import Constraint, ModelQualityConstraints
from driftline.core.errors import InputError
from driftline.core.table_constraints import (
    DataQualityConstraints,
    DistributionConstraints,
    DriftRules,
    FeatureConstraints,
    FeatureOverride,
)

TABLE = DataQualityConstraints(
    (
        FeatureConstraints("age", "Integral", 1.0, True, suggestion={"completeness": "all", "is_non_negative": "18"}),
        FeatureConstraints("customer.plan", "String", 0.9, domain=("basic", "gold")),
        FeatureConstraints("customer", "String", 1.0),
        FeatureConstraints("a=b", "Fractional", 1.0, override=FeatureOverride(sensitive=True)),
    )
)
MODEL = ModelQualityConstraints(
    "BinaryClassification",
    {"f2": Constraint(0.6, "LessThanThreshold", "why"), "recall": Constraint(0.5, "LessThanThreshold")},
)
CONFIG = "monitoring_config"


def told(before: Constraints, after: Constraints) -> list[str]:
    return [str(change) for change in diff(before, after)]


EDITS: list[tuple[dict[str, Any], list[str]]] = [
    ({"age.completeness": 0.98}, ["feature age: completeness 1.0 → 0.98"]),
    ({"age.completeness": 0}, ["feature age: completeness 1.0 → 0.0"]),
    ({"age.completeness": None}, ["feature age: completeness 1.0 removed"]),
    ({"age.inferred_type": "Fractional"}, ["feature age: inferred_type Integral → Fractional"]),
    ({"age.num_constraints.is_non_negative": False}, ["feature age: is_non_negative true → false"]),
    ({"age.sensitive": True}, ["feature age: sensitive true (was not set)"]),
    ({"a=b.sensitive": None}, ["feature a=b: sensitive true removed"]),
    (
        {"age.monitoring_config_overrides.distribution_constraints.comparison_threshold": 2},
        ["feature age: comparison_threshold 2.0 (was not set)"],
    ),
    ({"customer.plan.domain+": "x"}, ['feature customer.plan: domain + "x"']),
    ({"customer.plan.domain+": ["x", "gold"]}, ['feature customer.plan: domain + "x"']),
    ({"customer.plan.domain-": "gold"}, ['feature customer.plan: domain − "gold"']),
    ({"customer.plan.string_constraints.domains": ["a"]}, ['feature customer.plan: domain + "a" − "basic", "gold"']),
    ({"customer.plan.domain": None}, ['feature customer.plan: domain "basic", "gold" removed']),
    ({"customer.domain+": ["y"]}, ['feature customer: domain "y" (was not set)']),
    ({"customer.plan.domain": ["gold", "basic"]}, []),
    ({"customer": None}, ["feature customer: removed (inferred_type String, completeness 1.0)"]),
    (
        {"new": {"inferred_type": "String", "domain": ["a"]}},
        ['feature new: added (inferred_type String, domain "a")'],
    ),
    ({f"{CONFIG}.emit_metrics": "Disabled"}, [f"{CONFIG}: emit_metrics Enabled → Disabled"]),
    ({f"{CONFIG}.exact_types": True}, [f"{CONFIG}: exact_types false → true"]),
    (
        {f"{CONFIG}.distribution_constraints.comparison_threshold": 0.2},
        [f"{CONFIG}.distribution_constraints: comparison_threshold 0.1 → 0.2"],
    ),
    (
        {f"{CONFIG}.driftline_drift": {"minimum_sample": 100, "largest_drifted_share": 0.5}},
        [
            f"{CONFIG}.driftline_drift: added (numeric_method Wasserstein, numeric_threshold 0.1, categorical_method "
            "JensenShannon, categorical_threshold 0.05, false_discovery_rate 0.01, minimum_sample 100, "
            "largest_drifted_share 0.5)"
        ],
    ),
]


@pytest.mark.parametrize(("edits", "words"), EDITS)
def test_an_edit_is_told_in_words(edits: dict[str, Any], words: list[str]) -> None:
    assert told(TABLE, with_changes(TABLE, edits)) == words


def test_a_change_tells_its_parts() -> None:
    (change,) = diff(TABLE, with_changes(TABLE, {"customer.plan.completeness": 0.5}))
    assert msgspec.to_builtins(change) == {
        "subject": "feature customer.plan",
        "setting": "completeness",
        "path": "customer.plan.completeness",
        "kind": "changed",
        "before": 0.9,
        "after": 0.5,
        "text": "feature customer.plan: completeness 0.9 → 0.5",
    }


def test_the_reason_of_a_changed_rule_goes() -> None:
    changed = with_changes(TABLE, {"age.completeness": 0.98}).features[0]
    assert changed.suggestion == {"is_non_negative": "18"}
    assert with_changes(TABLE, {"age.completeness": 1.0}) == TABLE
    assert with_changes(MODEL, {"f2.threshold": 0.7}).constraints["f2"] == Constraint(0.7, "LessThanThreshold")
    assert with_changes(MODEL, {"f2.threshold": 0.6}) == MODEL


def test_our_comparison_comes_and_goes() -> None:
    ours = with_changes(TABLE, {f"{CONFIG}.driftline_drift": {}})
    assert ours.drift == DriftRules()
    assert with_changes(ours, {f"{CONFIG}.driftline_drift": None}) == TABLE
    rate = with_changes(ours, {f"{CONFIG}.driftline_drift.false_discovery_rate": None})
    assert rate.drift == DriftRules(false_discovery_rate=None)
    assert told(ours, rate) == [f"{CONFIG}.driftline_drift: false_discovery_rate 0.01 → none"]
    at_once = with_changes(TABLE, {f"{CONFIG}.driftline_drift.false_discovery_rate": None})
    assert at_once == rate
    assert with_changes(rate, {f"{CONFIG}.driftline_drift.minimum_sample": None}) == rate


def test_settings_of_the_table_go_back_to_their_defaults() -> None:
    own = with_changes(
        TABLE, {f"{CONFIG}.emit_metrics": "Disabled", f"{CONFIG}.distribution_constraints": {"comparison_threshold": 1}}
    )
    assert own.distribution == DistributionConstraints(comparison_threshold=1.0)
    assert with_changes(own, {f"{CONFIG}.emit_metrics": None, f"{CONFIG}.distribution_constraints": None}) == TABLE


def test_edits_follow_one_another() -> None:
    edits = [("customer.domain+", "x"), ("customer.domain+", "y"), ("customer.domain-", "x"), ("age", None)]
    changed = with_changes(TABLE, edits)
    assert changed.features[1].domain == ("y",)
    assert [feature.name for feature in changed.features] == ["customer.plan", "customer", "a=b"]


def test_a_type_and_its_method_change_in_one_go() -> None:
    edits = {"age.comparison_method": "ChiSquared", "age.inferred_type": "String"}
    assert with_changes(TABLE, edits).features[0].override == FeatureOverride(comparison_method="ChiSquared")


def test_a_feature_may_be_named_like_a_setting() -> None:
    odd = DataQualityConstraints((FeatureConstraints("a.domain", "String"), FeatureConstraints("a", "String")))
    assert with_changes(odd, {"a.domain": None}).features == (odd.features[1],)
    assert with_changes(odd, {"a.domain": ["x"]}).features[1].domain == ("x",)
    assert with_changes(odd, {"a.domain.domain": ["x"]}).features[0].domain == ("x",)


@pytest.mark.parametrize(
    ("edits", "what", "hint"),
    [
        ({"agee.completeness": 1}, "agee.completeness: there is no feature agee", "did you mean age?"),
        ({"age.completnes": 1}, 'age.completnes: "completnes" is not known here; did you mean completeness?', ""),
        ({"age.completeness": 1.5}, "feature age: completeness: 1.5 is not a number from 0 to 1", ""),
        ({"age.completeness": 10**400}, "feature age: completeness: Infinity is not", ""),
        ({"age.completeness": "much"}, 'feature age: completeness: "much" is not a number from 0 to 1', ""),
        ({"age.inferred_type": None}, "feature age: inferred_type is missing", ""),
        (
            {"age.comparison_method": "ChiSquared"},
            "feature age: comparison_method: ChiSquared cannot compare Integral",
            "",
        ),
        ({"age": 3}, "age: there is no feature age", "did you mean age?"),
        ({"nobody": None}, "nobody: there is no feature nobody", "known are age"),
        ({"new": {"completeness": 1}}, "feature new: inferred_type is missing", ""),
        ({"new": {"inferred_type": "String", "x": 1}}, 'feature new: "x" is not known here', ""),
        ({"customer.domain": [3]}, "feature customer: domain: 3 is not a text", ""),
        ({"customer.domain": 3}, "feature customer: domain: 3 is not a list of texts", ""),
        ({"customer.domain+": 3}, "customer.domain+: 3 is neither a text nor a list of texts", ""),
        ({"customer.domain-": "x"}, 'customer.domain-: the domain does not hold "x"', ""),
        ({CONFIG: None}, f'{CONFIG}: "" is not known here; known are evaluate_constraints', ""),
        ({f"{CONFIG}.emit": 1}, f'{CONFIG}.emit: "emit" is not known here', ""),
        ({f"{CONFIG}.emit_metrics": True}, f"{CONFIG}: emit_metrics: true is not Enabled or Disabled", ""),
        ({f"{CONFIG}.driftline_drift": None}, f"{CONFIG}.driftline_drift: there is no {CONFIG}.driftline_drift", ""),
        ({f"{CONFIG}.driftline_drift": 1}, f"{CONFIG}.driftline_drift: 1 is no object", "null to take it away"),
        (
            {f"{CONFIG}.driftline_drift.minimum_sample": 0},
            f"{CONFIG}.driftline_drift: minimum_sample: 0.0 is not a whole number from 1",
            "",
        ),
    ],
)
def test_an_edit_that_is_not_valid_is_refused(edits: dict[str, Any], what: str, hint: str) -> None:
    with pytest.raises(InputError) as error:
        with_changes(TABLE, edits)
    assert error.value.what.startswith(what)
    assert hint in error.value.hint
    assert error.value.hint


def test_constraints_of_a_model_are_edited_too() -> None:
    changed = with_changes(
        MODEL,
        {
            "f2.threshold": 1,
            "recall": None,
            "auc": {"threshold": 0.9, "comparison_operator": "LessThanThreshold"},
        },
    )
    assert changed.constraints == {
        "f2": Constraint(1.0, "LessThanThreshold"),
        "auc": Constraint(0.9, "LessThanThreshold"),
    }
    assert told(MODEL, changed) == [
        "metric f2: threshold 0.6 → 1.0",
        "metric recall: removed (threshold 0.5, comparison_operator LessThanThreshold)",
        "metric auc: added (threshold 0.9, comparison_operator LessThanThreshold)",
    ]


@pytest.mark.parametrize(
    ("edits", "what"),
    [
        ({"f3.threshold": 1}, "f3.threshold: there is no constraint on metric f3"),
        ({"f2.treshold": 1}, 'f2.treshold: "treshold" is not known here; did you mean threshold?'),
        ({"f2.threshold": "x"}, "metric f2: 'x' is not a finite number"),
        ({"f2.threshold": None}, "metric f2: None is not a finite number"),
        ({"f2.threshold": 10**400}, "metric f2: inf is not"),
        ({"f2.comparison_operator": "Less"}, "metric f2: 'Less' is not an operator"),
        ({"f2": 3}, "f2: 3 is no object"),
        ({"f1": None}, "f1: there is no metric f1"),
        ({"f1": {"threshold": 1}}, "metric f1: None is not an operator"),
        ({"f1": {"limit": 1}}, 'metric f1: "limit" is not known here'),
    ],
)
def test_an_edit_of_a_model_that_is_not_valid_is_refused(edits: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError) as error:
        with_changes(MODEL, edits)
    assert error.value.what.startswith(what)


def test_constraints_of_different_things_are_not_compared() -> None:
    with pytest.raises(InputError, match="constraints of different things"):
        diff(TABLE, MODEL)
    with pytest.raises(InputError, match="the second for Regression"):
        diff(MODEL, ModelQualityConstraints("Regression", {}))


def test_the_order_of_features_is_no_difference() -> None:
    turned = msgspec.structs.replace(TABLE, features=TABLE.features[::-1])
    assert diff(TABLE, turned) == ()


def test_a_long_domain_is_told_shortly() -> None:
    many = with_changes(TABLE, {"customer.domain": [f"t{place}" for place in range(500)]})
    (change,) = diff(TABLE, many)
    assert change.text.endswith('"t9" and 490 more (was not set)')
    assert len(change.after) == 500


PATHS = sorted(
    {f"{name}.{setting}" for name in ("age", "customer") for setting in settings_of(TABLE)["feature", "age"]}
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from([*PATHS, "age", "x", "age.domain+", f"{CONFIG}.driftline_drift", f"{CONFIG}.exact_types", "", "."])
    | st.text(max_size=6),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.text(max_size=2)),
)
def test_any_edit_is_made_or_refused(path: str, value: Any) -> None:
    with suppress(InputError):
        changed = with_changes(TABLE, {path: value})
        assert (diff(TABLE, changed) == ()) == (
            settings_of(changed) == settings_of(TABLE) or path.endswith("suggestion")
        )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(0, 1), st.sampled_from(["Enabled", "Disabled"]), st.booleans())
def test_a_change_can_be_taken_back_by_its_path(share: float, switch: str, exact: bool) -> None:
    edits = {"age.completeness": share, f"{CONFIG}.emit_metrics": switch, f"{CONFIG}.exact_types": exact}
    plain = with_changes(TABLE, {"age.suggestion": None})
    changed = with_changes(plain, edits)
    back = {change.path: change.before for change in diff(plain, changed)}
    assert with_changes(changed, back) == plain


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("age.completeness=0.98", ("age.completeness", 0.98)),
        (" age.completeness = 1 ", ("age.completeness", 1.0)),
        ("age.inferred_type=String", ("age.inferred_type", "String")),
        ('age.inferred_type="String"', ("age.inferred_type", "String")),
        ("a=b.completeness=1", ("a=b.completeness", 1.0)),
        ("a.domain+=x=y", ("a.domain+", "x=y")),
        ("a.domain-=3", ("a.domain-", "3")),
        ("a.domain+=true", ("a.domain+", "true")),
        ('a.domain=["x", "y"]', ("a.domain", ["x", "y"])),
        ("a.domain=null", ("a.domain", None)),
        ("f2.threshold=0.6", ("f2.threshold", 0.6)),
        ("age=null", ("age", None)),
        ("age.completeness=", ("age.completeness", "")),
        ("x=" + "[" * 100_000, ("x", "[" * 100_000)),
    ],
)
def test_an_edit_is_read_as_it_is_typed(text: str, edit: tuple[str, Any]) -> None:
    assert parse_edit(text) == edit


def test_what_is_no_edit_is_refused() -> None:
    with pytest.raises(InputError, match=r"write PATH=VALUE"):
        parse_edit("age.completeness")
