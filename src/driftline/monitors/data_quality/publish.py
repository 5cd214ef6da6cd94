"""What a data-quality run says to the metric store, by the names that the original service publishes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from driftline.core.table_statistics import FeatureStatistics, TableStatistics
from driftline.resources.metrics import StatisticSet

DATA, NON_NULL, DRIFT = "feature_data_", "feature_non_null_", "feature_baseline_drift_"
"""What metrics are called before the feature's name: its numbers, the presence of its values, its distance from the
baseline."""
DRIFTED_SHARE = "drifted_share"
"""The share of the compared features that drifted."""


def published(
    statistics: TableStatistics, distances: Mapping[str, float | None], drifted_share: float | None
) -> dict[str, float | StatisticSet | None]:
    """Every metric by name. ``distances`` are those of the compared features.

    The presence of a feature's values is a set of ones and zeros, so that its average is the completeness.
    """
    found: dict[str, float | StatisticSet | None] = {}
    for feature in statistics.features:
        numbers = _numbers(feature)
        if numbers is not None:
            found[DATA + feature.name] = numbers
        found[NON_NULL + feature.name] = _presence(feature)
    found |= {DRIFT + name: distance for name, distance in distances.items()}
    return found if drifted_share is None else found | {DRIFTED_SHARE: drifted_share}


def _numbers(feature: FeatureStatistics) -> StatisticSet | None:
    numerical = feature.numerical
    if numerical is None or numerical.sum is None or numerical.min is None or numerical.max is None:
        return None
    count = feature.num_present - numerical.not_finite
    return StatisticSet(numerical.sum, numerical.min, numerical.max, count) if math.isfinite(numerical.sum) else None


def _presence(feature: FeatureStatistics) -> StatisticSet | None:
    present, missing = feature.num_present, feature.num_missing
    if not present + missing:
        return None
    return StatisticSet(float(present), float(not missing), float(present > 0), float(present + missing))
