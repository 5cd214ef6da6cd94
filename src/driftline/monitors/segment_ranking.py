"""Which segments do worst: ranked, with their size and the interval of what they are ranked by."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from driftline.core.documents import Metric
from driftline.monitors.quality.result import QualityResult

HIGHER_IS_WORSE = ("GreaterThanThreshold",)
MOST_SHOWN = 50


class SegmentRank(msgspec.Struct, frozen=True, omit_defaults=True):
    """One segment: its rows and their share of all, and a metric with its interval.

    ``apart`` says that the whole interval is worse than the metric of all rows: a difference that chance does not
    explain.
    """

    column: str
    segment: str
    rows: int
    share: float
    metric: str
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    apart: bool = False
    error: str | None = None


def ranked(
    column: str, whole: QualityResult, parts: Mapping[str, QualityResult], metric: str, operator: str
) -> tuple[SegmentRank, ...]:
    """The segments by one metric of model quality, worst first: those apart before the others, then by their values.

    ``operator`` is that of the metric's constraint: of an error, greater is worse. Segments without a value come last.
    At most 50 are given.
    """
    worse = 1.0 if operator in HIGHER_IS_WORSE else -1.0
    every = whole.metrics.get(metric)
    reference = None if every is None else every.value
    found = [
        _rank(column, name, part, whole.item_count, metric, reference, worse) for name, part in sorted(parts.items())
    ]
    found.sort(key=lambda one: (one.value is None, not one.apart, -worse * (one.value or 0.0), -one.rows))
    return tuple(found[:MOST_SHOWN])


def _rank(
    column: str, name: str, part: QualityResult, rows: int, metric: str, reference: float | None, worse: float
) -> SegmentRank:
    measured = part.metrics.get(metric, Metric(None, error="it is not computed for this data"))
    interval = measured.confidence_interval
    lower, upper = (None, None) if interval is None else (interval.lower, interval.upper)
    return SegmentRank(
        column,
        name,
        part.item_count,
        part.item_count / rows if rows else 0.0,
        metric,
        measured.value,
        lower,
        upper,
        apart=_apart(lower, upper, reference, worse),
        error=measured.error,
    )


def _apart(lower: float | None, upper: float | None, reference: float | None, worse: float) -> bool:
    if lower is None or upper is None or reference is None:
        return False
    return lower > reference if worse > 0 else upper < reference
