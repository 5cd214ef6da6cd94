"""A metric over time: values with intervals, gaps where there are none, what they are held against, and n beneath."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import median

import msgspec
from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.series_frame import BOTTOM, LEFT, RIGHT, TOP, WIDTH, guide_labels, time_axis, value_axis
from driftline.reporting.markup import coordinate, join
from driftline.reporting.scales import LARGEST, Scale, domain
from driftline.reporting.svg import Point
from driftline.reporting.text import count, number, plural, shorten

_BARS, _GAP = 40.0, 12.0
_MOST_DOTS, _BREAK = 260, 1.75


class Dot(msgspec.Struct, frozen=True):
    """A point in the reader's zone: no ``value`` is a gap, no ``rows`` no bar. ``title`` is what it says, ``href``
    where it leads."""

    time: datetime
    value: float | None
    lower: float | None = None
    upper: float | None = None
    rows: int | None = None
    violated: bool = False
    title: str = ""
    href: str = ""


class Held(msgspec.Struct, frozen=True):
    """What a series is held against: the baseline's value with its interval, and a threshold with its sign."""

    baseline: float | None = None
    lower: float | None = None
    upper: float | None = None
    threshold: float | None = None
    sign: str = "≥"

    def numbers(self) -> list[float]:
        """Every number that is drawn."""
        return _drawable((self.baseline, self.lower, self.upper, self.threshold))


class Event(msgspec.Struct, frozen=True):
    """Something that happened: its time, a letter that stands for its kind, and what it was."""

    time: datetime
    letter: str
    text: str


def series_chart(
    dots: Sequence[Dot],
    start: datetime,
    end: datetime,
    *,
    title: str,
    held: Held | None = None,
    events: Sequence[Event] = (),
) -> Markup:
    """The chart of a series in [start, end]; it works without a script: every point is a link with a title.

    Values beyond 1e100 are drawn at the edge. A line is broken where a value is missing, and where points are further
    apart than they mostly are.
    """
    held = held or Held()
    values = _drawable([*(one.value for one in dots), *(one.lower for one in dots), *(one.upper for one in dots)])
    values += held.numbers()
    low, high = domain(values, include=values[0]) if values else (0.0, 1.0)
    x = Scale(start.timestamp(), max(end.timestamp(), start.timestamp() + 1), LEFT, RIGHT)
    y = Scale(low, high, BOTTOM, TOP)
    drawn = [
        value_axis(y),
        time_axis(x, start, end, BOTTOM + _GAP + _BARS),
        _band(held, y),
        *(_area(part, x, y) for part in _stretches(dots) if len(part) > 1),
        _guides(held, y),
        *_events(events, x),
        *(svg.polyline(_places(part, x, y), "now") for part in _stretches(dots) if len(part) > 1),
        *_dots(dots, x, y),
        _bars(dots, x),
        guide_labels(held.baseline, held.threshold, held.sign, y),
    ]
    if not any(one.value is not None for one in dots):
        drawn.append(svg.text((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, "no value in this time", "soft", anchor="middle"))
    height = BOTTOM + _GAP + _BARS + 26
    return svg.document(WIDTH, height, shorten(title, 120), _spoken(dots, held), *drawn, role="group")


def _drawable(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value) and abs(value) <= LARGEST]


def _known(one: Dot) -> bool:
    return one.value is not None and math.isfinite(one.value)


def _stretches(dots: Sequence[Dot]) -> Iterator[list[Dot]]:
    """Points without a gap between them."""
    between = [(b.time - a.time).total_seconds() for a, b in itertools.pairwise(dots)]
    longest = _BREAK * median(between) if between else math.inf
    part: list[Dot] = []
    for one in dots:
        apart = part and (one.time - part[-1].time).total_seconds() > longest
        if part and (apart or not _known(one)):
            yield part
            part = []
        if _known(one):
            part.append(one)
    if part:
        yield part


def _places(part: Sequence[Dot], x: Scale, y: Scale) -> list[Point]:
    return [(x(one.time.timestamp()), y(one.value or 0.0)) for one in part]


def _area(part: Sequence[Dot], x: Scale, y: Scale) -> Markup:
    """The intervals of points next to each other, as one surface."""
    sides = [
        (x(one.time.timestamp()), y(one.lower), y(one.upper))
        for one in part
        if one.lower is not None and one.upper is not None
    ]
    if len(sides) < 2:
        return Markup("")
    corners = [(at, top) for at, _, top in sides] + [(at, floor) for at, floor, _ in reversed(sides)]
    points = " ".join(f"{coordinate(a)},{coordinate(b)}" for a, b in corners)
    return svg.node("polygon", points=points, class_="reach")


def _band(held: Held, y: Scale) -> Markup:
    if held.lower is None or held.upper is None:
        return Markup("")
    top, floor = y(held.upper), y(held.lower)
    return svg.rectangle(LEFT, top, RIGHT - LEFT, max(floor - top, 1.0), "base-band")


def _guides(held: Held, y: Scale) -> Markup:
    lines = [(held.baseline, "was"), (held.threshold, "limit")]
    return join(svg.line((LEFT, y(value)), (RIGHT, y(value)), kind) for value, kind in lines if value is not None)


def _events(events: Sequence[Event], x: Scale) -> Iterator[Markup]:
    for one in events[:50]:
        at = x(one.time.timestamp())
        title = svg.node("title", svg.escaped(shorten(one.text, 200)))
        # What happens together, as a deployment with its baseline, must not be written over each other.
        letter = svg.text(at + 12 * (one.letter != "D"), TOP - 8, one.letter, "small name", anchor="middle")
        mark = [svg.line((at, TOP - 4), (at, BOTTOM), "event"), letter]
        yield svg.node("g", title, *mark, class_="happening")


def _dots(dots: Sequence[Dot], x: Scale, y: Scale) -> Iterator[Markup]:
    """Every point; of many only small ones, which still can be met and followed."""
    radius = 4.0 if len(dots) <= 100 else 3.0 if len(dots) <= _MOST_DOTS else 2.0
    for one in dots:
        at = x(one.time.timestamp())
        if not _known(one):
            drawn = svg.text(at, BOTTOM - 4, "?", "small unknown-mark", anchor="middle")
        elif one.violated:
            drawn = svg.diamond((at, y(one.value or 0.0)), radius + 1.5, "broken")
        else:
            drawn = svg.dot((at, y(one.value or 0.0)), radius, "dot")
        title = svg.node("title", svg.escaped(shorten(one.title, 200)))
        yield svg.node("a", title, drawn, href=one.href) if one.href else svg.node("g", title, drawn)


def _bars(dots: Sequence[Dot], x: Scale) -> Markup:
    """How many rows each point rests on, as one path: an element each would double the page."""
    most = max((one.rows or 0 for one in dots), default=0)
    floor = BOTTOM + _GAP + _BARS
    if not most:
        return svg.text(LEFT - 8, floor - 4, "n", "small soft", anchor="end")
    wide = max(1.0, min(14.0, 0.7 * (RIGHT - LEFT) / max(len(dots), 1)))
    boxes = []
    for one in dots:
        if one.rows:
            high = coordinate(max(_BARS * (one.rows / most), 1.0))
            left = coordinate(x(one.time.timestamp()) - wide / 2)
            boxes.append(f"M{left} {coordinate(floor)}v-{high}h{coordinate(wide)}v{high}z")
    label = svg.text(LEFT - 8, floor - _BARS + 10, f"n {count(most)}", "small soft", anchor="end")
    return join([svg.node("path", d="".join(boxes), class_="rows"), label])


def _spoken(dots: Sequence[Dot], held: Held) -> str:
    known = [one.value for one in dots if one.value is not None]
    if not known:
        return f"{plural(len(dots), 'point')}, none with a value."
    parts = [
        f"{plural(len(dots), 'point')}, {len(dots) - len(known)} without a value",
        f"from {number(min(known))} to {number(max(known))}, the last {number(known[-1])}",
        f"{sum(one.violated for one in dots)} violated",
    ]
    if held.baseline is not None:
        parts.append(f"baseline {number(held.baseline)}")
    if held.threshold is not None:
        parts.append(f"threshold {held.sign} {number(held.threshold)}")
    return "; ".join(parts) + "."
