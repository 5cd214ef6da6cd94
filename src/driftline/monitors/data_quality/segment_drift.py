"""Which segments drifted most: every segment's columns against the same baseline."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_statistics import TableStatistics
from driftline.monitors.data_quality.drift import TableDrift, compare
from driftline.monitors.segment_ranking import SegmentRank, placed, with_violated
from driftline.stats.intervals import wilson

METRIC, LEVEL = "drifted_share", 0.95


def ranked_drift(
    column: str,
    whole: TableStatistics,
    parts: Mapping[str, TableStatistics],
    baseline: TableStatistics,
    constraints: DataQualityConstraints,
) -> tuple[SegmentRank, ...]:
    """The segments by the share of their features that drifted from the baseline, worst first; at most 50.

    A segment differs from the baseline of all rows in the column that divides it, so that is left out. The interval is
    the score interval of the share; ``apart`` says that it lies above the share of all rows. ``violated`` are the
    features that drifted.
    """
    others = tuple(one for one in constraints.features if one.name != column)
    rules = DataQualityConstraints(others, distribution=constraints.distribution, drift=constraints.drift)
    reference = compare(whole, baseline, rules).drifted_share or 0.0
    found = [
        _rank(column, name, part, whole.item_count, compare(part, baseline, rules), reference)
        for name, part in sorted(parts.items())
    ]
    found.sort(key=lambda one: (one.value is None, not one.apart, -(one.value or 0.0), -one.rows))
    return placed(found)


def _rank(column: str, name: str, part: TableStatistics, rows: int, drift: TableDrift, reference: float) -> SegmentRank:
    share = part.item_count / rows if rows else 0.0
    compared = drift.compared
    interval = wilson(sum(one.drifted for one in compared), len(compared), LEVEL)
    if interval is None:
        error = "no feature could be compared: too few values, or none in the baseline"
        return SegmentRank(column, name, part.item_count, share, METRIC, error=error, reference=reference)
    rank = SegmentRank(column, name, part.item_count, share, METRIC, drift.drifted_share, *interval)
    rank = msgspec.structs.replace(rank, apart=interval[0] > reference, reference=reference)
    return with_violated(rank, (one.name for one in compared if one.drifted))
