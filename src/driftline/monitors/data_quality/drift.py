"""The drift of a table: every feature against its baseline, and what of it is more than chance."""

from __future__ import annotations

import msgspec
import numpy as np

from driftline.core.table_constraints import DataQualityConstraints, DriftRules
from driftline.core.table_statistics import TableStatistics
from driftline.monitors.data_quality.drift_rules import feature_rule
from driftline.monitors.data_quality.feature_drift import Drift, compare_feature
from driftline.stats.discoveries import adjusted


class TableDrift(msgspec.Struct, frozen=True):
    """The drift of every feature that was to be compared, in the order of the constraints.

    ``drifted_share`` is that of the features that could be compared, None of none. The table has ``drifted`` when any
    feature has, or, where ``largest_drifted_share`` is given, when the share exceeds it.
    """

    features: tuple[Drift, ...] = ()
    drifted_share: float | None = None
    largest_drifted_share: float | None = None
    drifted: bool = False

    @property
    def compared(self) -> tuple[Drift, ...]:
        """The features that could be compared."""
        return tuple(one for one in self.features if one.reason is None)


def compare(current: TableStatistics, baseline: TableStatistics, constraints: DataQualityConstraints) -> TableDrift:
    """The features that the constraints name, as they are now, against the baseline.

    Without ``constraints.drift`` a feature has drifted when its distance is beyond its threshold, as the original
    service has it. With it the difference must also be more than chance: its p-value, adjusted over all features by
    Benjamini and Hochberg, must be at most ``false_discovery_rate``.
    """
    now, before = ({one.name: one for one in table.features} for table in (current, baseline))
    found = tuple(
        compare_feature(now.get(feature.name), before.get(feature.name), feature.name, rule)
        for feature in constraints.features
        if (rule := feature_rule(feature, constraints)) is not None
    )
    if constraints.drift is None:
        return _table(found, None)
    return _table(significant(found, constraints.drift), constraints.drift.largest_drifted_share)


def significant(found: tuple[Drift, ...], rules: DriftRules) -> tuple[Drift, ...]:
    """All features of a table with their adjusted p-values; of those beyond their thresholds, the ones that have
    drifted are those whose difference is more than chance."""
    values = np.array([one.p_value for one in found if one.p_value is not None], dtype=np.float64)
    left = iter(adjusted(values).tolist())
    return tuple(one if one.p_value is None else _judged(one, next(left), rules.false_discovery_rate) for one in found)


def _judged(one: Drift, p_value: float, rate: float | None) -> Drift:
    return msgspec.structs.replace(
        one, adjusted_p_value=p_value, drifted=one.beyond and (rate is None or p_value <= rate)
    )


def _table(features: tuple[Drift, ...], largest: float | None) -> TableDrift:
    compared = [one for one in features if one.reason is None]
    if not compared:
        return TableDrift(features, None, largest)
    share = sum(one.drifted for one in compared) / len(compared)
    return TableDrift(features, share, largest, share > (largest or 0.0))
