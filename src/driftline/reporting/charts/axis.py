"""What charts of values on one horizontal axis share: grid and numbers, and a value with the ends of its interval."""

from __future__ import annotations

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.markup import join
from driftline.reporting.scales import Scale, tick_labels, ticks
from driftline.reporting.text import count, number, short_count, text_width


def axis(scale: Scale, top: float, bottom: float) -> Markup:
    """Grid lines from ``top`` to ``bottom``, and their numbers below."""
    values = ticks(scale.low, scale.high)
    labels = tick_labels(values)
    grid = [svg.line((scale(value), top), (scale(value), bottom), "grid") for value in values]
    return join([*grid, *(tick(scale, value, bottom + 14, name) for value, name in zip(values, labels, strict=True))])


def tick(scale: Scale, value: float, y: float, name: str) -> Markup:
    """A number below or above its place, kept within the plot at either end."""
    return svg.text(scale(value), y, name, "small soft halo", anchor=_anchor(scale, value))


def _anchor(scale: Scale, value: float) -> str:
    share = (value - scale.low) / (scale.high - scale.low)
    return "start" if share < 0.05 else "end" if share > 0.95 else "middle"


def track(scale: Scale, y: float) -> Markup:
    """The line that a value lies on."""
    return svg.rectangle(scale.start, y - 3, scale.end - scale.start, 6, "track")


def whisker(scale: Scale, y: float, lower: float | None, upper: float | None, class_: str = "whisker") -> list[Markup]:
    """An interval with its ends; nothing where there is none."""
    if lower is None or upper is None:
        return []
    ends = scale(lower), scale(upper)
    whole = svg.line((ends[0], y), (ends[1], y), class_)
    return [whole, *(svg.line((end, y - 4), (end, y + 4), "whisker") for end in ends)]


def interval_words(lower: float | None, upper: float | None, width: float) -> str:
    """The interval in words, with fewer digits where it would be too long."""
    if lower is None or upper is None:
        return ""
    full = f"{number(lower)} – {number(upper)}"
    return full if text_width(full, svg.SMALL) <= width else f"{lower:.3g} – {upper:.3g}"


def rows_words(rows: int) -> str:
    """A number of rows that never takes much room."""
    return count(rows) if rows < 10**6 else short_count(rows)
