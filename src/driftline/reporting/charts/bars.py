"""Amounts in time as stacked bars: from zero up, an absent hour is an empty place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec
from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.time_axis import time_axis, time_scale
from driftline.reporting.markup import join
from driftline.reporting.scales import Scale, domain
from driftline.reporting.text import count, plural

_HEIGHT = 130.0


class Bar(msgspec.Struct, frozen=True):
    """The amounts of one span of time, from the bottom up, in the order of the chart's parts."""

    start: datetime
    end: datetime
    parts: tuple[int, ...]


def stacked_bars(
    title: str,
    parts: Sequence[tuple[str, str]],
    bars: Sequence[Bar],
    start: datetime,
    end: datetime,
    zone: tzinfo,
    *,
    width: float = 560.0,
) -> Markup:
    """Bars between two times. ``parts`` are the kind (a class such as ``part-good``) and the meaning of each amount.

    Only parts that there is something of have a place in the legend.
    """
    used = [place for place in range(len(parts)) if any(bar.parts[place] for bar in bars)]
    legend, below = svg.legend([parts[place] for place in used], 0, 0, width)
    top = below + 10
    x = time_scale(start, end, _left(bars), width - 6)
    low, high = domain([float(sum(bar.parts)) for bar in bars])
    y = Scale(low, high, top + _HEIGHT, top)
    drawn = [_bar(bar, parts, x, y) for bar in bars]
    spoken = _spoken(parts, used, bars)
    axes = time_axis(x, y, zone, most=max(3, int(width / 68)))
    return svg.document(width, top + _HEIGHT + 22, title, spoken, legend, axes, *drawn)


def _left(bars: Sequence[Bar]) -> float:
    """Room for the longest number of the axis."""
    return 18.0 + 7.5 * len(count(max((sum(bar.parts) for bar in bars), default=1)))


def _bar(bar: Bar, parts: Sequence[tuple[str, str]], x: Scale, y: Scale) -> Markup:
    left, right = x(bar.start.timestamp()), x(bar.end.timestamp())
    gap = min(1.0, (right - left) / 5)
    drawn, below = [], 0
    for (kind, _), amount in zip(parts, bar.parts, strict=True):
        if amount > 0:
            top = y(below + amount)
            drawn.append(svg.rectangle(left, top, right - left - gap, y(below) - top, kind))
            below += amount
    return join(drawn)


def _spoken(parts: Sequence[tuple[str, str]], used: Sequence[int], bars: Sequence[Bar]) -> str:
    if not used:
        return "Nothing in this time"
    sums = (f"{parts[place][1]} {count(sum(bar.parts[place] for bar in bars))}" for place in used)
    return f"{plural(len(bars), 'span')} of time: " + ", ".join(sums)
