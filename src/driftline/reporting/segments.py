"""Ranked segments as a page needs them: by column, read once, forgiving of whatever stands in the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from driftline.core.documents import Constraint
from driftline.reporting.charts.mark import SIGNS
from driftline.reporting.charts.whiskers import Guide, Whisker
from driftline.reporting.features import feature_label
from driftline.reporting.matrix import class_label
from driftline.reporting.metrics import is_bounded
from driftline.reporting.statistics import finite, whole
from driftline.reporting.text import abridge, count, metric_label, number, percent, shorten

DRIFT = "drifted_share"
MOST_NAMED = 6


class Segment(msgspec.Struct, frozen=True):
    """One segment as it is drawn, with what is ``violated`` in it: the first few of all ``violations``."""

    whisker: Whisker
    violations: int = 0
    violated: tuple[str, ...] = ()


class SegmentGroup(msgspec.Struct, frozen=True):
    """The segments of one column, the worst first: those that the document holds of ``every`` one there is.

    ``drift`` tells that they are ranked by drift, not by a metric of model quality. Of a ``hidden`` column the values
    are not shown.
    """

    column: str
    metric: str
    segments: tuple[Segment, ...]
    every: int
    guides: tuple[Guide, ...] = ()
    bounded: bool = True
    drift: bool = False
    hidden: bool = False


def read_segments(
    documents: object,
    constraints: Mapping[str, Constraint] | None = None,
    problem: str = "",
    *,
    hidden: frozenset[str] = frozenset(),
) -> list[SegmentGroup]:
    """The ``segments`` of a ``statistics.json``, a group a column in their order.

    ``constraints`` give the threshold of the metric that segments are ranked by; the values of ``hidden`` columns are
    replaced. What cannot be used is left out and never raises.
    """
    groups: list[list[Mapping[Any, Any]]] = []
    for given in documents if isinstance(documents, list | tuple) else ():
        if not isinstance(given, Mapping):
            continue
        if not groups or given.get("column") != groups[-1][0].get("column") or given.get("place") == 1:
            groups.append([])
        groups[-1].append(given)
    return [_group(group, constraints or {}, problem, hidden) for group in groups]


def _group(
    given: list[Mapping[Any, Any]], constraints: Mapping[str, Constraint], problem: str, hidden: frozenset[str]
) -> SegmentGroup:
    first = given[0]
    column, metric = str(first.get("column")), str(first.get("metric"))
    drift, withheld = metric == DRIFT, column in hidden
    segments = [_segment(one, place if withheld else 0, drift=drift) for place, one in enumerate(given, start=1)]
    return SegmentGroup(
        abridge(feature_label(column), 60),
        metric_label(metric),
        tuple(segments),
        max(whole(first.get("segments")) or 0, len(segments)),
        tuple(_guides(finite(first.get("reference")), constraints.get(metric))),
        is_bounded(metric, problem),
        drift,
        withheld,
    )


def _guides(reference: float | None, constraint: Constraint | None) -> list[Guide]:
    guides = [] if reference is None else [Guide(reference, f"all rows: {number(reference)}")]
    threshold = None if constraint is None else finite(constraint.threshold)
    if constraint is not None and threshold is not None:
        sign = SIGNS.get(constraint.comparison_operator, "≥")
        guides.append(Guide(threshold, f"threshold {sign} {number(threshold)}", "threshold"))
    return guides


def _segment(given: Mapping[Any, Any], withheld: int, *, drift: bool) -> Segment:
    """``withheld`` is the number that stands for the value of a segment that must not be shown; 0 for one that may."""
    rows, share = whole(given.get("rows")) or 0, percent(finite(given.get("share")) or 0.0, 1.0)
    names = given.get("violated")
    violated = [str(name) for name in names[:MOST_NAMED]] if isinstance(names, list | tuple) else []
    return Segment(
        _whisker(given, f"segment {withheld}" if withheld else _value_label(given), f"n {count(rows)} ({share})"),
        max(whole(given.get("violations")) or 0, len(violated)),
        tuple(abridge(feature_label(name) if drift else metric_label(name), 40) for name in violated),
    )


def _value_label(given: Mapping[Any, Any]) -> str:
    return abridge(class_label(str(given.get("segment"))), 60)


def _whisker(given: Mapping[Any, Any], label: str, size: str) -> Whisker:
    value, apart = finite(given.get("value")), given.get("apart") is True
    lower, upper = finite(given.get("lower")), finite(given.get("upper"))
    if lower is None or upper is None or lower > upper:
        lower = upper = None
    return Whisker(
        label=label,
        value=value,
        lower=lower,
        upper=upper,
        size=size,
        status="violated" if apart else "free",
        said="✕ worse" if apart else "",
        error=shorten(given.get("error") or "undefined", 100) if value is None else "",
    )
