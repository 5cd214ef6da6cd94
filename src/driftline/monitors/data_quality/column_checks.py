"""What one column is held against besides its drift: type, completeness, sign, and the values allowed."""

from __future__ import annotations

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints, FeatureConstraints, FeatureOverride
from driftline.core.table_statistics import FeatureStatistics
from driftline.monitors.data_quality.categories import new_categories
from driftline.monitors.data_quality.type_match import matching
from driftline.stats.intervals import wilson

CHANCE = 0.999
"""The level of the interval of a share of present values: a window falls below it by chance once in two thousand."""


def check_column(
    feature: FeatureStatistics, expected: FeatureConstraints, constraints: DataQualityConstraints
) -> list[Violation]:
    """The violations of one column. Shares of types and of a domain are facts about the window, which need no interval;
    that of present values, where some may be missing, is held against the chance of so many rows."""
    override = expected.override or FeatureOverride()
    types = _first(override.datatype_check_threshold, constraints.datatype_check_threshold)
    domain = _first(override.domain_content_threshold, constraints.domain_content_threshold)
    found = (
        _type(feature, expected, types, constraints.exact_types),
        _completeness(feature, expected, plain=constraints.drift is None),
        _sign(feature, expected),
        _domain(feature, expected, domain, bool(override.sensitive)),
    )
    return [one for one in found if one is not None]


def _first(own: float | None, common: float) -> float:
    return common if own is None else own


def percent(share: float) -> str:
    """A share as the service writes it.

    >>> percent(1.0)
    '100.0%'
    """
    return f"{share * 100}%"


def _type(feature: FeatureStatistics, expected: FeatureConstraints, least: float, exact: bool) -> Violation | None:
    kind, present = expected.inferred_type, feature.num_present
    if not present or kind == "Unknown":
        return None
    share = matching(feature, kind, exact=exact) / present
    if share >= least:
        return None
    text = (
        f"Data type match requirement is not met. Expected data type: {kind}, Expected match: {percent(least)}. "
        f"Observed: Only {percent(share)} of data is {kind}."
    )
    return _violation(feature, "data_type_check", text, share, least, present)


def _completeness(feature: FeatureStatistics, expected: FeatureConstraints, *, plain: bool) -> Violation | None:
    """``plain`` is the original's comparison; else a share below 1 may also be missed by chance."""
    rows, least = feature.num_present + feature.num_missing, expected.completeness
    interval = wilson(feature.num_present, rows, CHANCE)
    if least is None or interval is None:
        return None
    share = feature.num_present / rows
    if share >= least or (not plain and least < 1 and interval[1] >= least):
        return None
    text = (
        f"Completeness requirement is not met. Expected completeness: {percent(least)}. "
        f"Observed: Only {percent(share)} of values are present."
    )
    return _violation(feature, "completeness_check", text, share, least, rows)


def _sign(feature: FeatureStatistics, expected: FeatureConstraints) -> Violation | None:
    numbers = feature.numerical
    if not expected.is_non_negative or numbers is None or numbers.min is None or numbers.min >= 0:
        return None
    text = f"Non-negative requirement is not met. Observed: The smallest value is {numbers.min!r}."
    return _violation(feature, "non_negative_check", text, numbers.min, 0.0, feature.num_present)


def _domain(
    feature: FeatureStatistics, expected: FeatureConstraints, least: float, sensitive: bool
) -> Violation | None:
    texts = feature.string
    if expected.domain is None or texts is None or not feature.num_present:
        return None
    known = set(expected.domain)
    inside = sum(count for text, count in texts.categories if text in known)
    # Where not all texts are listed, each of the domain may have occurred a little more often than is known.
    inside += 0 if texts.complete else texts.error * len(known)
    share = min(1.0, inside / feature.num_present)
    if share >= least:
        return None
    text = (
        f"Categorical values requirement is not met. Expected match: {percent(least)}. "
        f"Observed: Only {percent(share)} of data is among the expected values."
    )
    new = () if sensitive else new_categories(texts, expected.domain)
    return _violation(feature, "categorical_values_check", text, share, least, feature.num_present, new)


def _violation(
    feature: FeatureStatistics,
    check: str,
    text: str,
    value: float,
    threshold: float,
    rows: int,
    new: tuple[tuple[str, int], ...] = (),
) -> Violation:
    return Violation(
        feature_name=feature.name,
        constraint_check_type=check,
        description=text,
        value=value,
        threshold=threshold,
        item_count=rows,
        new_categories=new,
    )
