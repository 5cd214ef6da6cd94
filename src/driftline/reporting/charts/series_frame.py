"""The frame of a chart over time: its place, its axes, and the words of its lines beside it."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.markup import join
from driftline.reporting.scales import Scale, tick_labels, ticks
from driftline.reporting.text import number
from driftline.reporting.times import tick_words, time_ticks

WIDTH = 960.0
LEFT, RIGHT, TOP, BOTTOM = 76.0, 824.0, 26.0, 276.0
_LINE = 15.0


def value_axis(y: Scale) -> Markup:
    """Grid lines across the plot with their numbers."""
    values = ticks(y.low, y.high)
    parts = []
    for value, name in zip(values, tick_labels(values), strict=True):
        parts.append(svg.line((LEFT, y(value)), (RIGHT, y(value)), "grid"))
        parts.append(svg.text(LEFT - 8, y(value) + 4, name, "small soft", anchor="end"))
    return join(parts)


def time_axis(x: Scale, start: datetime, end: datetime, floor: float) -> Markup:
    """The line that the bars stand on, with round times below."""
    moments = time_ticks(start, end)
    parts = [svg.line((LEFT, floor), (RIGHT, floor), "axis")]
    for moment, words in zip(moments, tick_words(moments), strict=True):
        at = x(moment.timestamp())
        parts.append(svg.line((at, TOP), (at, floor + 4), "grid"))
        parts.append(svg.text(at, floor + 18, words, "small soft", anchor="middle"))
    return join(parts)


def guide_labels(baseline: float | None, threshold: float | None, sign: str, y: Scale) -> Markup:
    """The names and numbers of the lines across the plot, to its right, never over each other."""
    labels = []
    if baseline is not None:
        labels.append((y(baseline), f"baseline {number(baseline)}", "small soft"))
    if threshold is not None:
        labels.append((y(threshold), f"threshold {sign} {number(threshold)}", "small"))
    parts, last = [], float("-inf")
    for place, words, class_ in sorted(labels):
        last = max(place + 4, last + _LINE)
        parts.append(svg.text(RIGHT + 8, last, words, class_))
    return join(parts)
