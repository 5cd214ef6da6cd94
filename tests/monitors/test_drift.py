"""The drift of columns and of tables: the service's rules, ours, and what cannot be compared."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import chi2_contingency, false_discovery_control, ks_2samp

from driftline.core.table_constraints import (
    DataQualityConstraints,
    DistributionConstraints,
    DriftRules,
    FeatureConstraints,
    FeatureOverride,
)
from driftline.core.table_statistics import (
    FeatureStatistics,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
)
from driftline.monitors.data_quality.drift import TableDrift, compare
from driftline.monitors.data_quality.feature_drift import Drift

RANDOM = np.random.default_rng(1)
BASE = RANDOM.normal(size=3000)
NOW = RANDOM.normal(0.5, 1, 2000)
BEFORE_COUNTS = {"a": 500, "b": 300, "c": 200}
NOW_COUNTS = {"a": 100, "b": 150, "c": 200, "d": 50}


def numeric(name: str, values: Any, **more: Any) -> FeatureStatistics:
    found = np.sort(np.asarray(values, dtype=np.float64))
    ends = (float(found[0]), float(found[-1])) if len(found) else (None, None)
    deviation = float(found.std()) if len(found) and abs(found).max() < 1e100 else None
    numbers = NumericalStatistics(None, None, deviation, *ends, levels=(tuple(found.tolist()),), **more)
    return FeatureStatistics(name, "Fractional", len(found) + numbers.not_finite, 0, numerical=numbers)


def text(name: str, counts: dict[str, int], **more: Any) -> FeatureStatistics:
    present = more.pop("present", sum(counts.values()))
    texts = StringStatistics(len(counts), tuple(counts.items()), **more)
    return FeatureStatistics(name, "String", present, 0, string=texts)


def table(*features: FeatureStatistics) -> TableStatistics:
    return TableStatistics(max(one.num_present + one.num_missing for one in features), features)


def constraints(*names: str, drift: DriftRules | None = None, **more: Any) -> DataQualityConstraints:
    return DataQualityConstraints(tuple(FeatureConstraints(name, "Unknown") for name in names), drift=drift, **more)


def one(now: FeatureStatistics, before: FeatureStatistics, **more: Any) -> Drift:
    (found,) = compare(table(now), table(before), constraints(now.name, **more)).features
    return found


def overridden(now: FeatureStatistics, before: FeatureStatistics, **override: Any) -> Drift:
    feature = FeatureConstraints(now.name, "Unknown", override=FeatureOverride(**override))
    (found,) = compare(table(now), table(before), DataQualityConstraints((feature,))).features
    return found


def test_the_services_robust_and_simple_distances() -> None:
    statistic = ks_2samp(NOW, BASE).statistic
    simple = DistributionConstraints(comparison_method="Simple")
    assert one(numeric("x", NOW), numeric("x", BASE), distribution=simple).distance == pytest.approx(statistic)
    robust = one(numeric("x", NOW), numeric("x", BASE))
    assert robust.distance == pytest.approx(statistic - 1.8 * math.sqrt(5000 / 6e6))
    assert (robust.method, robust.threshold, robust.drifted, robust.n, robust.m) == ("Robust", 0.1, True, 2000, 3000)
    assert robust.adjusted_p_value is None


def test_the_services_l_infinity_is_corrected_where_its_distances_are_robust() -> None:
    # Category a falls from a half to a fifth.
    robust = one(text("x", NOW_COUNTS), text("x", BEFORE_COUNTS))
    assert robust.distance == pytest.approx(0.3 - 1.8 * math.sqrt(1500 / 5e5))
    simple = DistributionConstraints(comparison_method="Simple")
    plain = one(text("x", NOW_COUNTS), text("x", BEFORE_COUNTS), distribution=simple)
    assert plain.distance == pytest.approx(0.3)
    assert (plain.kind, plain.method, plain.drifted) == ("categorical", "LInfinity", True)


def test_the_services_chi_square_is_a_p_value_that_must_not_be_too_small() -> None:
    rules = DistributionConstraints(categorical_drift_method="ChiSquared", categorical_comparison_threshold=0.05)
    same = one(text("x", {"a": 51, "b": 29, "c": 20}), text("x", BEFORE_COUNTS), distribution=rules)
    assert (same.drifted, same.distance) == (False, same.p_value)
    assert same.distance is not None
    assert same.distance > 0.9
    assert one(text("x", NOW_COUNTS), text("x", BEFORE_COUNTS), distribution=rules).drifted
    few = one(text("x", {"a": 5, "b": 4}), text("x", {"a": 5, "b": 5}), distribution=rules)
    assert few.reason is not None
    assert few.reason.code == "too_few_expected"


def test_overrides_of_a_feature() -> None:
    now, before = numeric("x", NOW), numeric("x", BASE)
    assert not overridden(now, before, comparison_threshold=0.5).drifted
    assert overridden(now, before, comparison_method="Simple").distance == pytest.approx(ks_2samp(NOW, BASE).statistic)
    assert overridden(now, before, comparison_method="Wasserstein").distance == pytest.approx(0.5, abs=0.1)
    plain = overridden(text("x", NOW_COUNTS), text("x", BEFORE_COUNTS), comparison_method="Simple")
    assert (plain.method, plain.distance) == ("LInfinity", pytest.approx(0.3))
    misfit = overridden(now, before, comparison_method="LInfinity")
    assert misfit.reason is not None
    assert misfit.reason.code == "method_does_not_fit"


def test_comparison_is_switched_off_and_on() -> None:
    off = DistributionConstraints(perform_comparison="Disabled")
    pair = table(numeric("x", NOW)), table(numeric("x", BASE))
    assert compare(*pair, constraints("x", distribution=off)) == TableDrift()
    on = FeatureConstraints("x", "Unknown", override=FeatureOverride(perform_comparison="Enabled"))
    assert compare(*pair, DataQualityConstraints((on,), distribution=off)).drifted


@pytest.mark.parametrize("method", ["Simple", "Robust", "Wasserstein", "PSI", "JensenShannon"])
def test_every_distance_of_numbers_sees_a_shift_and_not_its_absence(method: Any) -> None:
    rules = DriftRules(numeric_method=method)
    found = one(numeric("x", NOW), numeric("x", BASE), drift=rules)
    assert (found.method, found.drifted) == (method, True)
    assert found.p_value is not None
    assert found.p_value < 1e-30
    same = one(numeric("x", RANDOM.normal(size=2000)), numeric("x", BASE), drift=rules)
    assert not same.drifted
    assert one(numeric("x", BASE), numeric("x", BASE), drift=rules).distance == 0


@pytest.mark.parametrize("method", ["LInfinity", "PSI", "JensenShannon", "ChiSquared"])
def test_every_distance_of_categories_sees_a_change_and_not_its_absence(method: Any) -> None:
    rules = DriftRules(categorical_method=method)
    assert one(text("x", NOW_COUNTS), text("x", BEFORE_COUNTS), drift=rules).drifted
    same = one(text("x", {"a": 250, "b": 150, "c": 100}), text("x", BEFORE_COUNTS), drift=rules)
    assert (same.drifted, same.p_value) == (False, pytest.approx(1))


def test_the_p_value_of_categories_is_that_of_two_samples() -> None:
    wanted = chi2_contingency([[100, 150, 200, 50], [500, 300, 200, 0]], correction=False).pvalue
    found = one(text("x", NOW_COUNTS), text("x", BEFORE_COUNTS), drift=DriftRules()).p_value
    assert found == pytest.approx(wanted, rel=1e-6)


def test_p_values_are_adjusted_over_all_features_that_are_compared() -> None:
    names = [f"x{place}" for place in range(12)]
    now = table(*(numeric(name, NOW[:200] - 0.5 + place / 20) for place, name in enumerate(names)), text("t", {}))
    before = table(*(numeric(name, BASE) for name in names), text("t", BEFORE_COUNTS))
    drift = compare(now, before, constraints(*names, "t", drift=DriftRules(false_discovery_rate=0.05)))
    assert len(drift.compared) == 12
    wanted = false_discovery_control([one.p_value for one in drift.compared])
    assert [one.adjusted_p_value for one in drift.compared] == pytest.approx(wanted)
    for feature in drift.compared:
        assert feature.adjusted_p_value is not None
        assert feature.drifted == (feature.beyond and feature.adjusted_p_value <= 0.05)
    assert 0 < sum(one.drifted for one in drift.features) < 12


def test_a_distance_that_chance_explains_is_no_drift_unless_told_so() -> None:
    now = numeric("x", RANDOM.normal(size=40))
    rules = DriftRules(numeric_threshold=0.01)
    assert not one(now, numeric("x", BASE), drift=rules).drifted
    assert one(now, numeric("x", BASE), drift=msgspec.structs.replace(rules, false_discovery_rate=None)).drifted


@pytest.mark.parametrize(("largest", "drifted"), [(None, True), (0.0, True), (0.4, True), (0.5, False), (1.0, False)])
def test_the_share_of_drifted_features_decides_where_it_is_given(largest: float | None, drifted: bool) -> None:
    now, before = table(numeric("x", NOW), numeric("y", BASE)), table(numeric("x", BASE), numeric("y", BASE))
    drift = compare(now, before, constraints("x", "y", drift=DriftRules(largest_drifted_share=largest)))
    assert (drift.drifted_share, drift.drifted) == (0.5, drifted)


INCOMPARABLE = [
    (numeric("x", NOW), text("x", BEFORE_COUNTS), "type_changed"),
    (text("x", NOW_COUNTS), numeric("x", BASE), "type_changed"),
    (numeric("x", NOW[:29]), numeric("x", BASE), "too_few_values"),
    (numeric("x", NOW), numeric("x", BASE[:29]), "too_few_values"),
    (text("x", {"a": 29}), text("x", BEFORE_COUNTS), "too_few_values"),
    (numeric("x", []), numeric("x", BASE), "nothing_present"),
    (numeric("x", NOW), numeric("x", []), "nothing_present"),
    (FeatureStatistics("x", "Unknown", 0, 50), text("x", BEFORE_COUNTS), "nothing_present"),
    (numeric("x", [], not_finite=50), numeric("x", BASE), "nothing_present"),
    (text("x", {}, present=100), text("x", BEFORE_COUNTS), "no_distribution"),
    (text("x", NOW_COUNTS), text("x", {}, present=100), "no_distribution"),
    (
        numeric("x", NOW),
        FeatureStatistics("x", "Integral", 9, 0, numerical=NumericalStatistics(1.0, 9.0, 0.5, 0.0, 2.0)),
        "no_distribution",
    ),
    (numeric("x", NOW), numeric("y", BASE), "not_in_baseline"),
    (numeric("y", NOW), numeric("x", BASE), "missing_column"),
]


@pytest.mark.parametrize(("now", "before", "code"), INCOMPARABLE)
def test_what_cannot_be_compared_says_why(now: FeatureStatistics, before: FeatureStatistics, code: str) -> None:
    drift = compare(table(now), table(before), constraints("x", drift=DriftRules()))
    (found,) = drift.features
    assert found.reason is not None
    assert (found.reason.code, found.drifted, found.distance) == (code, False, None)
    assert found.reason.message.startswith("feature x was not compared: ")
    assert (drift.drifted, drift.drifted_share, drift.compared) == (False, None, ())


def test_numbers_of_few_distinct_values_are_numbers() -> None:
    now, before = np.repeat([0.0, 1.0], [300, 700]), np.repeat([0.0, 1.0], [1000, 1000])
    found = one(numeric("x", now), numeric("x", before), drift=DriftRules())
    assert (found.kind, found.drifted) == ("numerical", True)
    assert found.distance == pytest.approx(0.2 / 0.5)


def test_a_constant_that_changes_has_drifted_and_one_that_stays_has_not() -> None:
    same, other = numeric("x", np.full(100, 7.0)), numeric("x", np.full(100, 8.0))
    assert (one(same, same, drift=DriftRules()).distance, one(other, same, drift=DriftRules()).distance) == (0, 1)
    assert one(other, same, drift=DriftRules()).drifted


def test_the_largest_numbers_are_compared() -> None:
    now, before = numeric("x", NOW * 1e307), numeric("x", BASE * 1e307)
    assert one(now, before, drift=DriftRules()).distance == pytest.approx(0.5, abs=0.1)


def test_lists_that_are_cut_short_are_compared_by_what_both_know() -> None:
    before = text("x", {"a": 500, "b": 300}, complete=False, error=2, present=1000)
    same = one(text("x", {"a": 250, "b": 150, "y": 100}), before, drift=DriftRules())
    # What the baseline did not list may have been y.
    assert (same.distance, same.n, same.m) == (pytest.approx(0), 500, 1000)
    assert one(text("x", {"a": 250, "y": 250}), before, drift=DriftRules()).drifted


def test_ids_that_are_new_every_time_are_no_drift() -> None:
    now, before = ({f"{side}{place}": 1 for place in range(5000)} for side in "ab")
    found = one(text("x", now), text("x", before), drift=DriftRules())
    assert (found.distance, found.p_value, found.drifted) == (pytest.approx(1), 1, False)


def test_sketches_that_are_not_exact_must_differ_by_more_than_their_error() -> None:
    values = np.sort(RANDOM.normal(size=4096))
    moved = values + 0.004 * values.std()
    far = NumericalStatistics(0.0, 0.0, 1.0, -4.0, 4.0, levels=((), *[()] * 9, tuple(values.tolist())))
    near = msgspec.structs.replace(far, levels=((), *[()] * 9, tuple(moved.tolist())))
    now, before = (FeatureStatistics("x", "Fractional", 4096 << 10, 0, numerical=one) for one in (near, far))
    found = one(now, before, drift=DriftRules(numeric_threshold=0.0))
    assert (found.n, found.p_value, found.drifted) == (4096 << 10, 1, False)


def test_two_thousand_features_and_odd_names() -> None:
    names = [f"ü {place}\n" for place in range(2000)]
    now = table(*(numeric(name, NOW[:50]) for name in names))
    drift = compare(now, table(*(numeric(name, BASE[:100]) for name in names)), constraints(*names, drift=DriftRules()))
    assert [one.name for one in drift.features] == names
    assert msgspec.json.decode(msgspec.json.encode(drift), type=TableDrift) == drift
