"""How numbers are distributed: this data as filled bins, the baseline as a dashed outline over them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.distributions import Histogram
from driftline.reporting.markup import coordinate, join
from driftline.reporting.scales import Scale, domain, tick_labels, ticks
from driftline.reporting.svg import Point
from driftline.reporting.text import count, number, percent

WIDTH = 380.0
_LEFT, _RIGHT, _PLOT = 48.0, 370.0, 150.0


def histogram_chart(found: Histogram) -> Markup:
    """Shares of the values by bin; the two sides can differ in their number of values."""
    legend, height = svg.legend(_keys(found), 0, 0, WIDTH)
    top = height + 10
    y = Scale(0.0, domain([*found.now, *found.was])[1], top + _PLOT, top)
    x = Scale(found.edges[0], found.edges[-1], _LEFT, _RIGHT)
    drawn = [legend, _shares_axis(y)]
    if found.now:
        drawn.append(svg.node("path", d=_bars(found.edges, found.now, x, y), class_="bins"))
    if found.was:
        drawn.append(_outline(_corners(found.edges, found.was, x, y)))
    drawn.append(_values_axis(x, y.start, whole=found.whole))
    return svg.document(WIDTH, y.start + 24, "Distribution", _spoken(found), *drawn)


def _keys(found: Histogram) -> list[tuple[str, str]]:
    keys = [("bins", f"this data, n {count(found.now_rows)}")] if found.now else []
    return [*keys, ("was", f"baseline, n {count(found.was_rows)}")] if found.was else keys


def _bars(edges: Sequence[float], shares: Sequence[float], x: Scale, y: Scale) -> str:
    """All bins as one path: a rectangle each would take far more room."""
    gap = 0.5 if len(shares) > 1 else 0.0
    boxes = []
    for (left, right), share in zip(pairwise(edges), shares, strict=True):
        if share > 0:
            start, wide, floor = (
                coordinate(x(left) + gap),
                coordinate(x(right) - x(left) - 2 * gap),
                coordinate(y.start),
            )
            # Even one value among a million is to be seen.
            high = coordinate(max(y.start - y(share), 1.0))
            boxes.append(f"M{start} {floor}v-{high}h{wide}v{high}z")
    return "".join(boxes)


def _corners(edges: Sequence[float], shares: Sequence[float], x: Scale, y: Scale) -> list[Point]:
    heights = [0.0, *shares, 0.0]
    return [(x(edge), y(heights[place + 1])) for place, edge in enumerate(edges)]


def _outline(corners: Sequence[Point]) -> Markup:
    """A line over the tops of the bins, from the ground and back to it."""
    floor = corners[-1][1]
    steps = [f"M{coordinate(corners[0][0])} {coordinate(floor)}V{coordinate(corners[0][1])}"]
    steps += [f"H{coordinate(right)}V{coordinate(height)}" for right, height in corners[1:]]
    return svg.node("path", d="".join(steps), class_="was")


def _shares_axis(y: Scale) -> Markup:
    parts = []
    for value in ticks(y.low, y.high, 3):
        place = y(value)
        parts += [
            svg.line((_LEFT, place), (_RIGHT, place), "grid" if value else "axis"),
            svg.text(_LEFT - 6, place + 4, percent(value, 1.0).replace(".0 %", " %"), "small soft", anchor="end"),
        ]
    return join(parts)


def _values_axis(x: Scale, floor: float, *, whole: bool) -> Markup:
    values = [value for value in ticks(x.low, x.high, 4) if value.is_integer() or not whole]
    parts = []
    for value, name in zip(values, _labels(values), strict=True):
        place = x(value)
        anchor = "start" if place < _LEFT + 14 else "end" if place > _RIGHT - 14 else "middle"
        parts += [
            svg.line((place, floor), (place, floor + 4), "axis"),
            svg.text(place, floor + 18, name, "small soft", anchor=anchor),
        ]
    return join(parts)


def _labels(values: Sequence[float]) -> list[str]:
    """Labels of the ticks; in full where short ones would be alike, as of times in seconds."""
    short = tick_labels(values)
    return short if len(set(short)) == len(short) else [f"{value:.12g}" for value in values]


def _spoken(found: Histogram) -> str:
    sides = [("this data", found.now), ("baseline", found.was)]
    return "; ".join(f"{name}: {_modes(found.edges, shares)}" for name, shares in sides if shares)


def _modes(edges: Sequence[float], shares: Sequence[float]) -> str:
    """The bins with the largest shares, in words."""
    largest = sorted(range(len(shares)), key=lambda place: -shares[place])[:4]
    return ", ".join(
        f"{percent(shares[place], 1.0)} from {number(edges[place])} to {number(edges[place + 1])}"
        for place in largest
        if shares[place] > 0
    )
