"""Several numbers in time as lines, from zero up; where a number is missing, or none was for long, a line breaks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.gaps import Places, drawable, stretches
from driftline.reporting.charts.time_axis import time_axis, time_scale
from driftline.reporting.scales import Scale, domain, thin
from driftline.reporting.text import number, plural

_HEIGHT = 130.0


def timeline(
    title: str,
    lines: Sequence[tuple[str, str, Places]],
    start: datetime,
    end: datetime,
    zone: tzinfo,
    *,
    width: float = 560.0,
) -> Markup:
    """Lines between two times: the kind (``now`` or ``was``), the meaning and the points of each, oldest first."""
    legend, below = svg.legend([(kind, meaning) for kind, meaning, _ in lines], 0, 0, width)
    top = below + 10
    x = time_scale(start, end, 56.0, width - 6)
    known = [value for *_, points in lines for _, value in points if value is not None and drawable(value)]
    y = Scale(*domain(known), top + _HEIGHT, top)
    drawn = [_line(points, kind, x, y) for kind, _, points in lines]
    axes = time_axis(x, y, zone, most=max(3, int(width / 68)))
    spoken = "; ".join(f"{meaning}: {_spoken(points)}" for _, meaning, points in lines)
    return svg.document(width, top + _HEIGHT + 22, title, spoken, legend, axes, *drawn)


def _line(points: Places, kind: str, x: Scale, y: Scale) -> Markup:
    parts = Markup("")
    for part in stretches(points):
        places = [(x(moment), y(value)) for moment, value in part]
        parts += svg.polyline(thin(places), kind) if len(places) > 1 else svg.dot(places[0], 2, "alone")
    return parts


def _spoken(points: Places) -> str:
    known = [value for _, value in points if value is not None and drawable(value)]
    if not known:
        return "no value"
    return (
        f"{plural(len(known), 'value')} from {number(min(known))} to {number(max(known))}, the last {number(known[-1])}"
    )
