"""What is published of a table: the original's names, sets that add up, and nothing where there is nothing."""

from __future__ import annotations

from driftline.core.table_statistics import FeatureStatistics, NumericalStatistics, StringStatistics, TableStatistics
from driftline.monitors.data_quality.publish import published
from driftline.resources.metrics import StatisticSet


def test_every_feature_has_its_numbers_and_its_presence() -> None:
    numbers = NumericalStatistics(mean=2.0, sum=6.0, std_dev=0.8, min=1.0, max=3.0, not_finite=1)
    table = TableStatistics(
        5,
        (
            FeatureStatistics("age", "Integral", 4, 1, numerical=numbers),
            FeatureStatistics("plan", "String", 5, 0, string=StringStatistics(2.0)),
            FeatureStatistics("empty", "Unknown", 0, 5),
            FeatureStatistics("nowhere", "Unknown", 0, 0),
        ),
    )
    assert published(table, {"age": 0.25, "plan": None}, 0.5) == {
        "feature_data_age": StatisticSet(6.0, 1.0, 3.0, 3),
        "feature_non_null_age": StatisticSet(4.0, 0.0, 1.0, 5.0),
        "feature_non_null_plan": StatisticSet(5.0, 1.0, 1.0, 5.0),
        "feature_non_null_empty": StatisticSet(0.0, 0.0, 0.0, 5.0),
        "feature_non_null_nowhere": None,
        "feature_baseline_drift_age": 0.25,
        "feature_baseline_drift_plan": None,
        "drifted_share": 0.5,
    }


def test_sums_beyond_all_numbers_are_not_published() -> None:
    numbers = NumericalStatistics(mean=None, sum=float("inf"), std_dev=None, min=1e308, max=1e308)
    table = TableStatistics(2, (FeatureStatistics("big", "Fractional", 2, 0, numerical=numbers),))
    assert "feature_data_big" not in published(table, {}, None)
