"""The frame that curves share: a square from 0 to 1 with grid, ticks, axis titles, and a legend above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.markup import join
from driftline.reporting.scales import Scale, tick_labels, ticks

WIDTH = 340.0
_LEFT, _RIGHT, _PLOT = 46.0, 330.0, 262.0


class Frame(NamedTuple):
    """An empty plot: its scales, what is drawn of it, and where it ends."""

    x: Scale
    y: Scale
    drawn: Markup
    bottom: float


def unit_frame(keys: Sequence[tuple[str, str]], x_title: str, y_title: str, *, below: float = 0.0) -> Frame:
    """A frame with its legend. ``below`` leaves room between the plot and the ticks of its horizontal axis."""
    legend, height = svg.legend(keys, 0, 0, WIDTH)
    top = height + 8
    floor = top + _PLOT
    x, y = Scale(0, 1, _LEFT, _RIGHT), Scale(0, 1, floor, top)
    middle = (_LEFT + _RIGHT) / 2
    titles = [
        svg.text(middle, floor + below + 38, x_title, "small", anchor="middle"),
        svg.turned(10, (top + floor) / 2, y_title, "small"),
    ]
    return Frame(x, y, join([legend, *_grid(x, y, below), *titles]), floor + below + 46)


def _grid(x: Scale, y: Scale, below: float) -> list[Markup]:
    values = ticks(0, 1)
    parts = []
    for value, name in zip(values, tick_labels(values), strict=True):
        parts += [
            svg.line((x(value), y.start + below), (x(value), y.end), "grid" if value else "axis"),
            svg.line((x.start, y(value)), (x.end, y(value)), "grid" if value else "axis"),
            svg.text(x(value), y.start + below + 17, name, "small soft", anchor="middle"),
            svg.text(x.start - 7, y(value) + 4, name, "small soft", anchor="end"),
        ]
    return parts
