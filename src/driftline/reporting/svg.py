"""A small builder of SVG: every text and attribute is escaped, every coordinate is finite and short."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from driftline.reporting.markup import Attribute, coordinate, join, opened
from driftline.reporting.text import clean, text_width

Point = tuple[float, float]
TEXT = 13.0
SMALL = 12.0
BOLD = 14.0
"""Sizes of text in pixels; bold text is as wide as upright text of the size ``BOLD``."""


def node(tag: str, *content: Markup, **attributes: Attribute) -> Markup:
    """An element; one without content closes itself."""
    start, inside = opened(tag, attributes), "".join(content)
    return Markup(f"{start}>{inside}</{tag}>" if inside else f"{start}/>")  # noqa: S704


def document(width: float, height: float, title: str, description: str, *content: Markup, role: str = "img") -> Markup:
    """A whole drawing, with the name and description that a screen reader speaks; one with links is a ``group``."""
    label = node("title", escaped(title)), node("desc", escaped(description))
    box = f"0 0 {coordinate(width)} {coordinate(height)}"
    space = "http://www.w3.org/2000/svg"
    head: dict[str, Attribute] = {"viewBox": box, "width": width, "height": height}
    return node("svg", *label, *content, xmlns=space, class_="chart", role=role, **head)


def escaped(content: str) -> Markup:
    """A text as the content of an element such as ``title``."""
    return escape(clean(content))


def text(x: float, y: float, content: str, class_: str | None = None, *, anchor: str | None = None) -> Markup:
    """A text that starts at a place; ``anchor`` is middle or end for one that is centred there or ends there."""
    return node("text", escaped(content), x=x, y=y, class_=class_, text_anchor=anchor)


def turned(x: float, y: float, content: str, class_: str | None = None, *, anchor: str = "middle") -> Markup:
    """A text that reads upwards."""
    turn = f"translate({coordinate(x)} {coordinate(y)}) rotate(-90)"
    return node("text", escaped(content), transform=turn, class_=class_, text_anchor=anchor)


def line(start: Point, end: Point, class_: str) -> Markup:
    """A straight line."""
    return node("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def rectangle(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """A filled rectangle; a negative extent is none."""
    return node("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), class_=class_)


def dot(place: Point, radius: float, class_: str) -> Markup:
    """A disc."""
    return node("circle", cx=place[0], cy=place[1], r=radius, class_=class_)


def diamond(place: Point, radius: float, class_: str) -> Markup:
    """A square that stands on its corner."""
    x, y = place
    corners = ((x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y))
    return node("polygon", points=" ".join(f"{coordinate(a)},{coordinate(b)}" for a, b in corners), class_=class_)


def polyline(points: Sequence[Point], class_: str) -> Markup:
    """A line through points."""
    return node("polyline", points=" ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points), class_=class_)


def stairs(points: Sequence[Point], class_: str) -> Markup:
    """A line that at each point first takes its height, then goes to it."""
    (x, y), *rest = points
    steps = "".join(f"V{coordinate(below)}H{coordinate(right)}" for right, below in rest)
    return node("path", d=f"M{coordinate(x)} {coordinate(y)}{steps}", class_=class_)


def legend(keys: Sequence[tuple[str, str]], left: float, top: float, width: float) -> tuple[Markup, float]:
    """Samples with their meaning, in rows of at most ``width``; and the height they take.

    A key is the kind of its sample (now, was, chance, point, dot, guess, truth, diamond, threshold, forbidden, bar,
    bins, was-bins, or part- and its role) and its meaning.
    The lines of a curve (now, was) have a row each, so that charts beside each other have their plots at one height.
    """
    x, y, alone, parts = left, top + 12.0, -1.0, []
    for kind, meaning in keys:
        extent = 24 + text_width(meaning, SMALL)
        if x > left and (x + extent > left + width or y == alone):
            x, y = left, y + 17
        alone = y if kind in ("now", "was") else alone
        parts += [_sample(kind, x, y - 4), text(x + 24, y, meaning, "small")]
        x += extent + 14
    return join(parts), (y - top + 6 if keys else 0.0)


def _sample(kind: str, x: float, y: float) -> Markup:
    middle = (x + 9, y)
    if kind in ("dot", "guess"):
        whisker = "whisker" if kind == "dot" else "guess-whisker"
        return line((x, y), (x + 18, y), whisker) + dot(middle, 4, kind)
    if kind in ("point", "truth"):
        return dot(middle, 4.5 if kind == "point" else 3.5, kind)
    if kind == "diamond":
        return diamond(middle, 5, "was-mark")
    if kind == "threshold":
        return line((x + 9, y - 6), (x + 9, y + 6), "threshold")
    if kind in ("forbidden", "bar", "bins", "was-bins") or kind.startswith("part-"):
        return rectangle(x, y - 3, 18, 6, kind)
    return line((x, y), (x + 18, y), kind)
