"""Which columns are there, and which have drifted."""

from __future__ import annotations

from collections.abc import Iterator

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints, FeatureConstraints
from driftline.core.table_statistics import FeatureStatistics, TableStatistics
from driftline.monitors.data_quality.categories import new_categories
from driftline.monitors.data_quality.column_checks import percent
from driftline.monitors.data_quality.drift import TableDrift
from driftline.monitors.data_quality.drift_rules import P_VALUES
from driftline.monitors.data_quality.feature_drift import Drift


def check_columns(current: TableStatistics, constraints: DataQualityConstraints) -> Iterator[Violation]:
    """A violation for every column that is missing, and for every one that nothing is said about."""
    here = {one.name: None for one in current.features}
    expected = {one.name: None for one in constraints.features}
    numbers = (
        f"Number of columns in current dataset: {len(here)}, Number of columns in baseline constraints: {len(expected)}"
    )
    for name in [one for one in expected if one not in here]:
        text = f"There are missing columns in current dataset. {numbers}. Missing: {name}"
        yield _column(name, "missing_column_check", text, current.item_count)
    for name in [one for one in here if one not in expected]:
        text = f"There are extra columns in current dataset. {numbers}. Extra: {name}"
        yield _column(name, "extra_column_check", text, current.item_count)


def _column(name: str, check: str, text: str, rows: int) -> Violation:
    return Violation(feature_name=name, constraint_check_type=check, description=text, item_count=rows)


def check_drift(
    drift: TableDrift, current: TableStatistics, baseline: TableStatistics, constraints: DataQualityConstraints
) -> Iterator[Violation]:
    """A violation for every feature that has drifted, when the table has; first one of the table where shares count."""
    if not drift.drifted:
        return
    if drift.largest_drifted_share is not None:
        yield _share(drift, drift.largest_drifted_share, current.item_count, baseline.item_count)
    now, before = ({one.name: one for one in table.features} for table in (current, baseline))
    expected = {one.name: one for one in constraints.features}
    for one in drift.features:
        if one.drifted:
            new = _new(now[one.name], before[one.name], expected.get(one.name))
            yield _drifted(one, new)


def _share(drift: TableDrift, largest: float, n: int, m: int) -> Violation:
    count, compared = sum(one.drifted for one in drift.features), len(drift.compared)
    text = f"Drifted features: {count} of {compared} exceed the largest share allowed: {percent(largest)}"
    return Violation(
        constraint_check_type="baseline_drift_check",
        description=text,
        value=drift.drifted_share,
        threshold=largest,
        item_count=n,
        baseline_count=m,
    )


def _new(
    now: FeatureStatistics, before: FeatureStatistics, expected: FeatureConstraints | None
) -> tuple[tuple[str, int], ...]:
    """Texts that the baseline did not have; none where it does not list all it had, or where they must not be shown."""
    sensitive = expected is not None and expected.override is not None and expected.override.sensitive
    if sensitive or before.string is None or not before.string.complete:
        return ()
    return new_categories(now.string, (text for text, _ in before.string.categories))


def _drifted(one: Drift, new: tuple[tuple[str, int], ...]) -> Violation:
    return Violation(
        feature_name=one.name,
        constraint_check_type="baseline_drift_check",
        description=_sentence(one),
        value=one.distance,
        threshold=one.threshold,
        item_count=one.n,
        p_value=one.p_value if one.adjusted_p_value is None else one.adjusted_p_value,
        baseline_count=one.m,
        new_categories=new,
    )


def _sentence(one: Drift) -> str:
    """As the service words it; for our own rules with the method and the p-value."""
    if one.method in P_VALUES:
        text = f"{one.kind.title()} p-value: {one.distance:.4g} is below {one.kind} threshold: {one.threshold!r}"
    else:
        text = f"{one.kind.title()} distance: {one.distance:.4g} exceeds {one.kind} threshold: {one.threshold!r}"
    if one.adjusted_p_value is None:
        return text
    return f"{text} ({one.method}, adjusted p-value {one.adjusted_p_value:.2g})"
