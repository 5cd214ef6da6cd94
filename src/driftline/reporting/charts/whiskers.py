"""Values with their intervals on one axis, a row each, against a value or a threshold that holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.axis import axis, interval_words, track, whisker
from driftline.reporting.markup import join
from driftline.reporting.scales import LARGEST, Scale, domain
from driftline.reporting.text import fit, number


class Whisker(msgspec.Struct, frozen=True, kw_only=True):
    """One row: its name, a value with its interval, what it ``was`` in the baseline, and words on its size.

    ``status`` is what it is drawn as (violated, outside, met or free) and ``said`` the same in words. A row without a
    value shows its ``error``.
    """

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    was: float | None = None
    size: str = ""
    status: str = "free"
    said: str = ""
    error: str = ""


class Guide(msgspec.Struct, frozen=True):
    """A line through all rows with its meaning: a ``threshold``, or by ``chance`` what the rows are compared with."""

    value: float
    meaning: str
    kind: Literal["threshold", "chance"] = "chance"


class _Layout(NamedTuple):
    """Places within a row: ``track`` is the line of the dot, counted from the row's top, and ``reach`` how far guides
    go from it; in the wide one they meet from row to row, in the other they keep clear of the words."""

    width: float
    row: float
    left: float
    right: float
    track: float
    reach: float


_WIDE = _Layout(900, 30, 190, 470, 15, 15)
_COMPACT = _Layout(340, 60, 6, 334, 47, 9)


def whisker_ends(
    rows: Sequence[Whisker], guides: Sequence[Guide] = (), *, bounded: bool = False
) -> tuple[float, float]:
    """The ends of the axis: 0 and 1 where values are ``bounded`` and all lie between them, else round numbers.

    >>> whisker_ends([Whisker(label="a", value=0.4)], bounded=True)
    (0.0, 1.0)
    >>> whisker_ends([Whisker(label="a", value=0.4, lower=-0.2, upper=0.9)], [Guide(1.25, "limit")])
    (-0.5, 1.5)
    """
    given = [end for row in rows if row.value is not None for end in (row.value, row.lower, row.upper, row.was)]
    values = [value for value in (*given, *(guide.value for guide in guides)) if value is not None]
    known = [value for value in values if abs(value) <= LARGEST]
    return (0.0, 1.0) if bounded and all(0 <= value <= 1 for value in known) else domain(known)


def whisker_chart(
    title: str,
    rows: Sequence[Whisker],
    ends: tuple[float, float],
    guides: Sequence[Guide] = (),
    *,
    compact: bool = False,
) -> Markup:
    """The rows from the top, with a legend above them and an axis from ``ends[0]`` to ``ends[1]`` below.

    A value beyond an end is drawn at the end. ``compact`` puts the words above the track, for a narrow screen.
    """
    layout = _COMPACT if compact else _WIDE
    scale = Scale(*ends, layout.left, layout.right)
    legend, top = svg.legend(_keys(rows, guides, layout), 0, 0, layout.width)
    places = [(row, top + 4 + place * layout.row) for place, row in enumerate(rows)]
    bottom = top + layout.row * len(rows) + 8
    grounds = [_ground(row, guides, scale, layout, y + layout.track) for row, y in places]
    drawn = [_row(row, scale, layout, y) for row, y in places]
    content = (legend, axis(scale, top + 4, bottom), *grounds, *drawn)
    return svg.document(layout.width, bottom + 20, title, _spoken(rows, guides), *content)


def _ground(row: Whisker, guides: Sequence[Guide], scale: Scale, layout: _Layout, y: float) -> Markup:
    """What lies under the words and the dot of a row."""
    places = [(scale(one.value), one.kind) for one in guides]
    lines = [svg.line((x, y - layout.reach), (x, y + layout.reach), kind) for x, kind in places]
    return join([*([] if row.value is None else [track(scale, y)]), *lines])


def _keys(rows: Sequence[Whisker], guides: Sequence[Guide], layout: _Layout) -> list[tuple[str, str]]:
    keys = [("dot", "value with its interval"), *((guide.kind, guide.meaning) for guide in guides)]
    keys += [("diamond", "baseline")] if any(row.was is not None for row in rows) else []
    return [(kind, fit(said, layout.width - 24, svg.SMALL)) for kind, said in keys]


def _row(row: Whisker, scale: Scale, layout: _Layout, top: float) -> Markup:
    words = _compact_words if layout is _COMPACT else _wide_words
    return svg.node("g", words(row, layout, top), *_dot(row, scale, top + layout.track), class_=row.status)


def _dot(row: Whisker, scale: Scale, y: float) -> list[Markup]:
    if row.value is None:
        return [svg.text(scale.start + 4, y + 4, fit(row.error, scale.end - scale.start - 8, svg.SMALL), "small halo")]
    was = [] if row.was is None else [svg.diamond((scale(row.was), y), 5.5, "was-mark")]
    return [*whisker(scale, y, row.lower, row.upper), *was, svg.dot((scale(row.value), y), 5, "dot")]


def _wide_words(row: Whisker, layout: _Layout, top: float) -> Markup:
    y = top + layout.track + 4
    words = [
        svg.text(0, y, fit(row.label, layout.left - 14, svg.BOLD), "name"),
        svg.text(556, y, number(row.value), "value", anchor="end"),
        svg.text(570, y, interval_words(row.lower, row.upper, 124), "small soft"),
        svg.text(816, y, fit(row.size, 118, svg.SMALL), "small soft", anchor="end"),
        svg.text(830, y, fit(row.said, 70, svg.TEXT), "status"),
    ]
    return join(words)


def _compact_words(row: Whisker, layout: _Layout, top: float) -> Markup:
    left, right = layout.left - 6, layout.right + 6
    words = [
        svg.text(left, top + 16, fit(row.label, 175, svg.BOLD), "name halo"),
        svg.text(258, top + 16, fit(row.said, 72, svg.TEXT), "status halo", anchor="end"),
        svg.text(right, top + 16, number(row.value), "value halo", anchor="end"),
        svg.text(left, top + 33, fit(row.size, 170, svg.SMALL), "small soft halo"),
        svg.text(right, top + 33, interval_words(row.lower, row.upper, 150), "small soft halo", anchor="end"),
    ]
    return join(words)


def _spoken(rows: Sequence[Whisker], guides: Sequence[Guide]) -> str:
    """Guides and the first rows as sentences, for those who hear the chart."""
    return "; ".join([*(guide.meaning for guide in guides), *map(_sentence, rows[:20])])


def _sentence(row: Whisker) -> str:
    size = f", {row.size}" if row.size else ""
    if row.value is None:
        return f"{row.label} has no value: {row.error}{size}"
    interval = "" if row.lower is None else f" ({number(row.lower)} to {number(row.upper)})"
    was = "" if row.was is None else f", baseline {number(row.was)}"
    status = "" if row.status == "free" else f", {row.said or row.status}"
    return f"{row.label} {number(row.value)}{interval}{was}{size}{status}"
