"""Metrics against their thresholds: a dot with its interval, and the side of the threshold that is not allowed.

An estimate looks like one: a hollow dot, a dashed interval, and no side that is not allowed, as none is judged by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.charts.axis import axis, interval_words, rows_words, tick, track, whisker
from driftline.reporting.charts.mark import GLYPHS, Mark, spoken
from driftline.reporting.markup import join
from driftline.reporting.scales import Scale
from driftline.reporting.text import fit, number


class _Layout(NamedTuple):
    """Places within a row: ``track`` is the line of the dot, counted from the row's top."""

    width: float
    row: float
    left: float
    right: float
    track: float


_WIDE = _Layout(900, 40, 190, 520, 26)
_COMPACT = _Layout(340, 58, 6, 334, 45)


def metric_chart(
    marks: Sequence[Mark], ends: tuple[float, float] = (0.0, 1.0), *, compact: bool = False, legend: bool = True
) -> Markup:
    """Rows of metrics on one axis. ``compact`` puts the words above the track, for a narrow screen."""
    layout = _COMPACT if compact else _WIDE
    scale = Scale(*ends, layout.left, layout.right)
    keys, top = svg.legend(_keys(marks), 0, 0, layout.width) if legend else (Markup(""), 0.0)
    top += 6 if legend else 0
    bottom = top + layout.row * len(marks) + 4
    rows = [_row(mark, scale, layout, top + index * layout.row) for index, mark in enumerate(marks)]
    content = (keys, axis(scale, top + 8, bottom), *rows)
    estimated = any(mark.estimated for mark in marks)
    title = "Estimated metrics, not measured" if estimated else "Metrics against their thresholds"
    return svg.document(layout.width, bottom + 20, title, spoken(marks), *content)


def _keys(marks: Sequence[Mark]) -> list[tuple[str, str]]:
    estimated = any(mark.estimated for mark in marks)
    keys = [("guess", "estimate with its interval")] if estimated else [("dot", "value with its interval")]
    if any(mark.truth is not None for mark in marks):
        keys.append(("truth", "measured with labels"))
    if any(mark.threshold is not None for mark in marks):
        keys.append(("threshold", "threshold"))
        keys += [] if estimated else [("forbidden", "not allowed")]
    if any(mark.baseline is not None for mark in marks):
        keys.append(("diamond", "baseline"))
    return keys


def _row(mark: Mark, scale: Scale, layout: _Layout, top: float) -> Markup:
    words = _compact_words if layout is _COMPACT else _wide_words
    return svg.node("g", words(mark, layout, scale, top), *_track(mark, scale, top + layout.track), class_=mark.status)


def _track(mark: Mark, scale: Scale, y: float) -> list[Markup]:
    if mark.value is None:
        return [svg.text(scale.start + 4, y + 4, fit(mark.error, scale.end - scale.start, svg.SMALL), "small halo")]
    parts = [track(scale, y)]
    if mark.threshold is not None:
        parts += _limit(mark, scale, mark.threshold, y)
    parts += whisker(scale, y, mark.lower, mark.upper, "guess-whisker" if mark.estimated else "whisker")
    if mark.baseline is not None:
        parts.append(svg.diamond((scale(mark.baseline), y), 5.5, "was-mark"))
    parts.append(svg.dot((scale(mark.value), y), 5, "guess" if mark.estimated else "dot"))
    return parts if mark.truth is None else [*parts, svg.dot((scale(mark.truth), y), 3.5, "truth")]


def _limit(mark: Mark, scale: Scale, threshold: float, y: float) -> list[Markup]:
    """The threshold with its number, and the forbidden side of the track."""
    x = scale(threshold)
    start, end = (scale.start, x) if mark.sign == "≥" else (x, scale.end)
    forbidden = [] if mark.estimated else [svg.rectangle(start, y - 3, end - start, 6, "forbidden")]
    return [
        *forbidden,
        svg.line((x, y - 9), (x, y + 8), "threshold"),
        tick(scale, threshold, y - 12, f"{mark.sign} {number(threshold)}"),
    ]


def _wide_words(mark: Mark, layout: _Layout, _: Scale, top: float) -> Markup:
    y = top + layout.track + 4
    words = [
        svg.text(0, y, fit(mark.label, layout.left - 14, svg.BOLD), "name"),
        svg.text(610, y, number(mark.value), "value", anchor="end"),
        svg.text(624, y, interval_words(mark.lower, mark.upper, 140), "small soft"),
        svg.text(802, y, f"n {rows_words(mark.rows)}", "small soft", anchor="end"),
        svg.text(816, y, GLYPHS[mark.status], "status"),
    ]
    return join(words)


def _compact_rows(mark: Mark, scale: Scale, y: float) -> Markup:
    """The row's n, on the side where the number of the threshold is not."""
    left = mark.threshold is None or mark.value is None or 2 * scale(mark.threshold) > scale.start + scale.end
    place, anchor = (scale.start - 6, "start") if left else (scale.end + 6, "end")
    return svg.text(place, y, f"n {rows_words(mark.rows)}", "small soft halo", anchor=anchor)


def _compact_words(mark: Mark, layout: _Layout, scale: Scale, top: float) -> Markup:
    y = top + 16
    words = [
        svg.text(layout.left - 6, y, fit(mark.label, 155, svg.BOLD), "name halo"),
        svg.text(240, y, GLYPHS[mark.status], "status halo", anchor="end"),
        svg.text(layout.right + 6, y, number(mark.value), "value halo", anchor="end"),
        _compact_rows(mark, scale, y + 17),
    ]
    return join(words)
