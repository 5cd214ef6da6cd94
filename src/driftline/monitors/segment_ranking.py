"""Which segments do worst: ranked, with their size and the interval of what they are ranked by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from driftline.core.documents import Metric, ModelQualityConstraints
from driftline.monitors.quality.checks import MINIMUM_SAMPLE, check
from driftline.monitors.quality.result import QualityResult

HIGHER_IS_WORSE = ("GreaterThanThreshold",)
MOST_SHOWN = 50
MOST_NAMED = 20


class SegmentRank(msgspec.Struct, frozen=True, omit_defaults=True):
    """One segment: its rows and their share of all, and a metric with its interval.

    ``apart`` says that the whole interval is worse than ``reference``, the metric of all rows: a difference that chance
    does not explain. ``violated`` names what is wrong within the segment, metrics beyond their constraints or features
    that drifted: at most 20 of the ``violations``. ``place`` is 1 for the worst of the ``segments`` of its column.
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
    reference: float | None = None
    violations: int = 0
    violated: tuple[str, ...] = ()
    place: int = 0
    segments: int = 0


def placed(ranks: Sequence[SegmentRank]) -> tuple[SegmentRank, ...]:
    """The first 50 of all segments of a column in their order, each with its place."""
    return tuple(
        msgspec.structs.replace(one, place=place, segments=len(ranks))
        for place, one in enumerate(ranks[:MOST_SHOWN], start=1)
    )


def with_violated(rank: SegmentRank, names: Iterable[str]) -> SegmentRank:
    """A segment with what is wrong within it."""
    found = tuple(names)
    return msgspec.structs.replace(rank, violations=len(found), violated=found[:MOST_NAMED])


def ranked(
    column: str,
    whole: QualityResult,
    parts: Mapping[str, QualityResult],
    metric: str,
    operator: str,
    constraints: ModelQualityConstraints | None = None,
    *,
    minimum_sample: int = MINIMUM_SAMPLE,
) -> tuple[SegmentRank, ...]:
    """The segments by one metric of model quality, worst first: those apart before the others, then by their values.

    ``operator`` is that of the metric's constraint: of an error, greater is worse. Segments without a value come last.
    At most 50 are given. Each is held against the ``constraints`` by itself, unless it has fewer rows than
    ``minimum_sample``. Raises :class:`InputError` for constraints of another problem type.
    """
    worse = 1.0 if operator in HIGHER_IS_WORSE else -1.0
    every = whole.metrics.get(metric)
    reference = None if every is None else every.value
    found = [
        with_violated(
            _rank(column, name, part, whole.item_count, metric, reference, worse),
            _violated(part, constraints, minimum_sample),
        )
        for name, part in sorted(parts.items())
    ]
    found.sort(key=lambda one: (one.value is None, not one.apart, -worse * (one.value or 0.0), -one.rows))
    return placed(found)


def _violated(part: QualityResult, constraints: ModelQualityConstraints | None, minimum_sample: int) -> tuple[str, ...]:
    if constraints is None:
        return ()
    return tuple(violation.subject for violation in check(part, constraints, minimum_sample=minimum_sample)[1])


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
        reference=reference,
    )


def _apart(lower: float | None, upper: float | None, reference: float | None, worse: float) -> bool:
    if lower is None or upper is None or reference is None:
        return False
    return lower > reference if worse > 0 else upper < reference
