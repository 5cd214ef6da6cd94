"""The last runs of one metric: a point a run against the threshold, each leading to its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.markup import join
from driftline.reporting.scales import LARGEST, Scale, tick_labels, ticks
from driftline.reporting.text import number, text_width


class Run(msgspec.Struct, frozen=True):
    """One run: when it was, its value where it has one, whether it was ``violated``, and the address of its page."""

    when: str
    value: float | None
    violated: bool = False
    path: str = ""


class _Layout(NamedTuple):
    width: float
    left: float
    right: float
    high: float


_WIDE = _Layout(720, 64, 712, 130)
_COMPACT = _Layout(340, 52, 334, 120)


def recent_chart(title: str, runs: Sequence[Run], threshold: float | None = None, *, compact: bool = False) -> Markup:
    """The runs from the oldest to the newest, which is ringed; one without a value is a question mark on the axis."""
    layout = _COMPACT if compact else _WIDE
    keys = [("dot-key", "not violated"), ("bad-key", "violated"), ("threshold-line", "threshold")]
    legend, height = _legend(keys if threshold is not None else keys[:2])
    top, bottom = height + 8, height + 8 + layout.high
    y = Scale(*_ends(runs, threshold), bottom, top)
    x = Scale(0.0, max(len(runs) - 1, 1), layout.left + 10, layout.right - 10)
    drawn = [legend, _axis(y, layout), _line(runs, x, y)]
    if threshold is not None and abs(threshold) <= LARGEST:
        drawn.append(svg.line((layout.left, y(threshold)), (layout.right, y(threshold)), "limit"))
    # Later marks lie over earlier ones: the newest must be seen.
    drawn += [_point(run, (x(place), y), bottom, last=place == len(runs) - 1) for place, run in enumerate(runs)]
    return svg.document(
        layout.width, bottom + 24, title, _spoken(runs), *drawn, _times(runs, bottom, layout), role="group"
    )


def _legend(keys: Sequence[tuple[str, str]]) -> tuple[Markup, float]:
    x, parts = 0.0, []
    for kind, meaning in keys:
        if kind == "threshold-line":
            parts.append(svg.line((x, 8), (x + 18, 8), "limit"))
        else:
            parts.append(svg.dot((x + 9, 8), 4, "run" if kind == "dot-key" else "run bad"))
        parts.append(svg.text(x + 24, 12, meaning, "small"))
        x += 38 + text_width(meaning, svg.SMALL)
    return join(parts), 18.0


def _ends(runs: Sequence[Run], threshold: float | None) -> tuple[float, float]:
    """The ends of the axis: close around the values, so that a small move is seen."""
    given = [
        value for value in (threshold, *(run.value for run in runs)) if value is not None and abs(value) <= LARGEST
    ]
    low, high = min(given, default=0.0), max(given, default=1.0)
    alike = high - low <= 1e-9 * max(abs(low), abs(high), 1e-90)
    margin = 0.1 * max(abs(low), 1.0) if alike else 0.08 * (high - low)
    return low - margin, high + margin


def _axis(y: Scale, layout: _Layout) -> Markup:
    values = ticks(y.low, y.high, 4)
    rows = zip(values, tick_labels(values), strict=True)
    return join(
        svg.line((layout.left, y(value)), (layout.right, y(value)), "grid")
        + svg.text(layout.left - 8, y(value) + 4, name, "small soft", anchor="end")
        for value, name in rows
    )


def _line(runs: Sequence[Run], x: Scale, y: Scale) -> Markup:
    """The values joined; a run without one leaves a gap."""
    parts: list[list[svg.Point]] = [[]]
    for place, run in enumerate(runs):
        if run.value is None:
            parts.append([])
        else:
            parts[-1].append((x(place), y(run.value)))
    return join(svg.polyline(part, "now") for part in parts if len(part) > 1)


def _point(run: Run, at: tuple[float, Scale], bottom: float, *, last: bool) -> Markup:
    x, y = at
    if run.value is None:
        mark = svg.text(x, bottom - 4, "?", "small unknown-run", anchor="middle")
    else:
        place = (x, y(run.value))
        ring = svg.dot(place, 7, "ring") if last else Markup("")
        mark = ring + svg.dot(place, 4, "run bad" if run.violated else "run")
    said = f"{run.when}: {'no value' if run.value is None else number(run.value)}{', violated' if run.violated else ''}"
    titled = svg.node("title", join([said])) + mark
    return svg.node("a", titled, href=run.path) if run.path else svg.node("g", titled)


def _times(runs: Sequence[Run], bottom: float, layout: _Layout) -> Markup:
    if not runs:
        return Markup("")
    first = svg.text(layout.left, bottom + 18, runs[0].when, "small soft")
    if len(runs) == 1:
        return first
    return first + svg.text(layout.right, bottom + 18, runs[-1].when, "small soft", anchor="end")


def _spoken(runs: Sequence[Run]) -> str:
    said = [f"{run.when} {number(run.value)}{' violated' if run.violated else ''}" for run in runs[-12:]]
    return "; ".join(said)
