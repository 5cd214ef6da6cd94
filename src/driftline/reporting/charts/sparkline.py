"""A metric's last days in the height of a line of text: where it was, where it could not be told, and its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.gaps import Places, drawable, stretches
from driftline.reporting.scales import Scale, thin
from driftline.reporting.svg import Point
from driftline.reporting.text import number, plural

WIDTH, HEIGHT = 150.0, 34.0
_EDGE = 4.0


def sparkline(
    label: str,
    points: Places,
    start: datetime,
    end: datetime,
    *,
    threshold: float | None = None,
    violated: bool = False,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Markup:
    """The points of a series between two times, oldest first; None is a value that is missing.

    The line breaks where values are missing and where no run was for longer than usual. Its vertical scale is that of
    what is drawn, threshold included: it tells a change, not a size. The last value is a dot.
    """
    known = [value for _, value in points if value is not None and drawable(value)]
    limit = [threshold] if threshold is not None and drawable(threshold) else []
    low, high = _ends([*known, *limit])
    x = Scale(start.timestamp(), max(end.timestamp(), start.timestamp() + 1), _EDGE, width - _EDGE)
    y = Scale(low, high, height - _EDGE, _EDGE)
    drawn = [svg.line((_EDGE, y(value)), (width - _EDGE, y(value)), "limit") for value in limit]
    lines = [[(x(moment), y(value)) for moment, value in part] for part in stretches(points)]
    drawn += [_stretch(part) for part in lines]
    if lines:
        drawn.append(svg.dot(lines[-1][-1], 2.6, "last violated-dot" if violated else "last"))
    return svg.document(width, height, label, _spoken(known, len(points), threshold), *drawn)


def _stretch(places: list[Point]) -> Markup:
    """A line, or a dot for a value that stands alone."""
    return svg.polyline(thin(places), "now") if len(places) > 1 else svg.dot(places[0], 1.5, "alone")


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    # A constant series is a line in the middle, not noise blown up to the whole height.
    room = 0.0 if high - low > 1e-9 * max(abs(low), abs(high)) else max(abs(low), 1.0) / 2
    return low - room, high + room


def _spoken(known: Sequence[float], points: int, threshold: float | None) -> str:
    if not known:
        return "No value in this time"
    missing = f", {plural(points - len(known), 'value')} missing" if points > len(known) else ""
    limit = "" if threshold is None else f", threshold {number(threshold)}"
    return (
        f"{plural(len(known), 'value')} from {number(min(known))} to {number(max(known))}, "
        f"the last {number(known[-1])}{limit}{missing}"
    )
