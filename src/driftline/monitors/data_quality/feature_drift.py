"""One feature of now against the same feature of the baseline."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from driftline.core.table_statistics import FeatureStatistics
from driftline.core.verdict import Reason
from driftline.monitors.data_quality.categories import Counts, side_by_side
from driftline.monitors.data_quality.drift_rules import CATEGORICAL, NUMERIC, P_VALUES, Rule
from driftline.stats import numeric_distances, share_distances, significance
from driftline.stats.weighted import Distribution, from_levels


class Drift(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How far a feature is from its baseline.

    ``distance`` is that of the method, for ``KolmogorovSmirnov`` and ``ChiSquared`` its p-value. ``p_value`` says how
    likely chance alone makes so large a difference, ``adjusted_p_value`` the same after Benjamini–Hochberg over all
    features. ``n`` and ``m`` are the values that were compared, of now and of the baseline. A feature that could not be
    compared has a ``reason`` and no distance.
    """

    name: str
    kind: str = "unknown"
    method: str = ""
    distance: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    adjusted_p_value: float | None = None
    n: int = 0
    m: int = 0
    drifted: bool = False
    reason: Reason | None = None

    @property
    def beyond(self) -> bool:
        """Whether the distance is beyond its threshold."""
        if self.distance is None or self.threshold is None:
            return False
        return self.distance < self.threshold if self.method in P_VALUES else self.distance > self.threshold


class _Found(NamedTuple):
    distance: float | None
    p_value: float
    n: int
    m: int


def compare_feature(now: FeatureStatistics | None, before: FeatureStatistics | None, name: str, rule: Rule) -> Drift:
    """The drift of one feature by a rule; whether it has drifted is said by its distance alone.

    None stands for a column that is not there.
    """
    if before is None:
        return _incomparable(name, "not_in_baseline", "the baseline has no such column")
    if now is None:
        return _incomparable(name, "missing_column", "there is no such column now")
    for side, one in (("now", now), ("in the baseline", before)):
        if not one.num_present:
            return _incomparable(name, "nothing_present", f"no value is present {side}")
    return _categorical(now, before, rule) if before.inferred_type == "String" else _numeric(now, before, rule)


def _numeric(now: FeatureStatistics, before: FeatureStatistics, rule: Rule) -> Drift:
    if rule.numeric_method not in NUMERIC:
        return _misfit(now.name, rule.numeric_method, "numbers")
    if before.numerical is None or now.numerical is None:
        return _other_type(now, before)
    sides = [from_levels(one.levels, one.k) for one in (now.numerical, before.numerical)]
    sizes = [round(side.total) for side in sides]
    for side, one, size in zip(("now", "in the baseline"), (now, before), sizes, strict=True):
        if not size:
            return _without_distribution(one, side)
    if min(sizes) < rule.minimum_sample:
        return _too_few(now.name, sizes[0], sizes[1], rule.minimum_sample)
    found = _distance_of_numbers(sides[0], sides[1], rule.numeric_method, before.numerical.std_dev)
    return _drift(now.name, "numerical", rule.numeric_method, rule.numeric_threshold, found)


def _distance_of_numbers(now: Distribution, before: Distribution, method: str, deviation: float | None) -> _Found:
    n, m, error = now.total, before.total, now.rank_error + before.rank_error
    between = numeric_distances.gaps(now, before)
    p_value = significance.numeric(between, n, m, error)
    if method == "Simple":
        distance = between.largest
    elif method == "Robust":
        distance = share_distances.robust(between.largest, n, m)
    elif method == "Wasserstein":
        distance = numeric_distances.wasserstein(between, before, deviation)
    elif method == "PSI":
        distance = numeric_distances.stability_index(now, before)
    elif method == "JensenShannon":
        distance = numeric_distances.jensen_shannon(now, before)
    else:
        distance = p_value = significance.kolmogorov_smirnov(between, n, m, error)
    return _Found(distance, p_value, round(n), round(m))


def _categorical(now: FeatureStatistics, before: FeatureStatistics, rule: Rule) -> Drift:
    if rule.categorical_method not in CATEGORICAL:
        return _misfit(now.name, rule.categorical_method, "categories")
    if now.string is None or before.string is None:
        return _other_type(now, before)
    counts = side_by_side(now, before)
    if counts is None:
        return _without_distribution(*((before, "in the baseline") if now.string.categories else (now, "now")))
    found = _distance_of_categories(counts, rule.categorical_method, rule.robust)
    if min(found.n, found.m) < rule.minimum_sample:
        return _too_few(now.name, found.n, found.m, rule.minimum_sample)
    if found.distance is None:
        return _incomparable(now.name, "too_few_expected", "no two categories are frequent enough for the test")
    return _drift(now.name, "categorical", rule.categorical_method, rule.categorical_threshold, found)


def _distance_of_categories(counts: Counts, method: str, robust: bool) -> _Found:
    n, m = float(counts.now.sum()), float(counts.before.sum())
    now, before = counts.now / n, counts.before / m
    p_value = significance.homogeneity(counts.now, counts.before)
    distance: float | None
    if method == "LInfinity":
        distance = share_distances.largest_difference(now, before)
        distance = share_distances.robust(distance, n, m) if robust else distance
    elif method == "PSI":
        distance = share_distances.stability_index(now, before)
    elif method == "JensenShannon":
        distance = share_distances.jensen_shannon(now, before)
    else:
        distance = significance.fit(counts.now, counts.before)
        p_value = p_value if distance is None else distance
    return _Found(distance, p_value, round(n), round(m))


def _drift(name: str, kind: str, method: str, threshold: float, found: _Found) -> Drift:
    drift = Drift(name=name, kind=kind, method=method, threshold=threshold, **found._asdict())
    return msgspec.structs.replace(drift, drifted=drift.beyond)


def _incomparable(name: str, code: str, message: str, **evidence: object) -> Drift:
    return Drift(name=name, reason=Reason(code, f"feature {name} was not compared: {message}", evidence))


def _misfit(name: str, method: str, kind: str) -> Drift:
    return _incomparable(name, "method_does_not_fit", f"{method} is no method for {kind}", method=method)


def _other_type(now: FeatureStatistics, before: FeatureStatistics) -> Drift:
    message = f"it is {now.inferred_type} now and was {before.inferred_type} in the baseline"
    return _incomparable(now.name, "type_changed", message)


def _without_distribution(feature: FeatureStatistics, side: str) -> Drift:
    if feature.numerical is not None and feature.numerical.not_finite >= feature.num_present:
        return _incomparable(feature.name, "nothing_present", f"no finite number is present {side}")
    return _incomparable(feature.name, "no_distribution", f"its distribution {side} was not kept")


def _too_few(name: str, n: int, m: int, minimum: int) -> Drift:
    message = f"{n} values now against {m} in the baseline are too few: the minimum sample is {minimum}"
    return _incomparable(name, "too_few_values", message, n=n, m=m, minimum_sample=minimum)
