"""How often each category occurs: this data as a filled bar, the baseline as an outlined one below it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.distributions import Categories, Category
from driftline.reporting.markup import coordinate, join
from driftline.reporting.scales import Scale
from driftline.reporting.text import count, fit, percent

WIDTH = 380.0
_NAMES, _LEFT, _RIGHT, _ROW, _BAR = 118.0, 124.0, 262.0, 24.0, 7.0


def category_chart(found: Categories) -> Markup:
    """A row each of the categories, and one of all others together."""
    both = bool(found.now_rows) and bool(found.was_rows)
    legend, height = svg.legend(_keys(found), 0, 0, WIDTH)
    rows = [*found.shown, *([] if found.other is None else [found.other])]
    top = height + (22 if both else 8)
    # All others together are no category: beside theirs every other bar would be short.
    largest = max((max(row.now, row.was) for row in found.shown), default=0.0)
    scale = Scale(0.0, largest or 1.0, _LEFT, _RIGHT)
    drawn = [legend, _heads(top) if both else Markup(""), _bars(found, scale, top)]
    drawn += [_words(row, found, top + place * _ROW, last=row is found.other) for place, row in enumerate(rows)]
    return svg.document(WIDTH, top + len(rows) * _ROW, "Categories", _spoken(rows), *drawn)


def _keys(found: Categories) -> list[tuple[str, str]]:
    keys = [("bins", f"this data, n {count(found.now_rows)}")] if found.now_rows else []
    return [*keys, ("was-bins", f"baseline, n {count(found.was_rows)}")] if found.was_rows else keys


def _heads(top: float) -> Markup:
    return join(
        svg.text(x, top - 6, name, "small soft", anchor="end") for x, name in ((318.0, "now"), (WIDTH - 1, "baseline"))
    )


def _bars(found: Categories, scale: Scale, top: float) -> Markup:
    """One path a side."""
    parts = []
    for class_, shares, shown, shift in (
        ("bins", [row.now for row in found.shown], found.now_rows, 4.0),
        ("was-bins", [row.was for row in found.shown], found.was_rows, 4.0 + _BAR + 1.5),
    ):
        if shown:
            boxes = [_box(share, scale, top + place * _ROW + shift) for place, share in enumerate(shares) if share > 0]
            parts.append(svg.node("path", d="".join(boxes), class_=class_))
    return join(parts)


def _box(share: float, scale: Scale, y: float) -> str:
    wide = coordinate(max(scale(share) - scale.start, 1.0))
    return f"M{coordinate(scale.start)} {coordinate(y)}h{wide}v{coordinate(_BAR)}h-{wide}z"


def _words(row: Category, found: Categories, top: float, *, last: bool) -> Markup:
    y = top + 16
    label = f"{count(found.left)} other" if last and found.left else row.label
    width = _NAMES - (38 if row.new else 0)
    parts = [svg.text(0, y, fit(label, width, svg.SMALL), "small soft" if last else "small")]
    if row.new:
        parts.append(svg.text(_NAMES, y, "new", "small new", anchor="end"))
    shares = [(318.0, row.now)] if found.now_rows else []
    shares += [(WIDTH - 1, row.was)] if found.was_rows else []
    return join([*parts, *(svg.text(x, y, percent(share, 1.0), "small", anchor="end") for x, share in shares)])


def _spoken(rows: Sequence[Category]) -> str:
    return "; ".join(
        f"{row.label}: {percent(row.now, 1.0)}, baseline {percent(row.was, 1.0)}{', new' if row.new else ''}"
        for row in rows[:8]
    )
