"""Pieces of a page: elements, tables that scroll within themselves, and lists of facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from driftline.reporting.markup import Attribute, join, opened
from driftline.reporting.text import count, plural

BREAK = Markup("<br>")


def element(tag: str, *content: str, **attributes: Attribute) -> Markup:
    """An element that is always closed by a tag of its own, as HTML wants it.

    >>> element("p", "a < b", class_="soft")
    Markup('<p class="soft">a &lt; b</p>')
    """
    return Markup(f"{opened(tag, attributes)}>{join(content)}</{tag}>")  # noqa: S704


def section(title: str, *content: str, class_: str | None = None) -> Markup:
    """A part of the page with its heading."""
    return element("section", element("h2", title), *content, class_=class_) + "\n"


def soft(*content: str) -> Markup:
    """A paragraph of lesser weight."""
    return element("p", *content, class_="soft")


def name(text: str) -> Markup:
    """A name from outside: written from right to left, it does not turn the words around it."""
    return element("bdi", text)


def head(*content: str, number: bool = False) -> Markup:
    """The title of a column."""
    return element("th", *content, scope="col", class_="number" if number else None)


def first(content: str) -> Markup:
    """The cell that names its row."""
    return element("th", content, scope="row")


def cell(*content: str, class_: str | None = None, colspan: int | None = None) -> Markup:
    """A cell of words."""
    return element("td", *content, class_=class_, colspan=colspan)


def amount(*content: str) -> Markup:
    """A cell of a number."""
    return cell(*content, class_="number")


def table(label: str, heads: Sequence[Markup], rows: Iterable[Sequence[Markup]], class_: str | None = None) -> Markup:
    """A table with a line a row; where it is wider than the page, it alone is moved sideways."""
    lines = [element("tr", *row) + "\n" for row in rows]
    titles = element("thead", element("tr", *heads))
    return scroll(label, element("table", titles, element("tbody", "\n", *lines), class_=class_))


def scroll(label: str, content: Markup, class_: str | None = None) -> Markup:
    """A part that can be wider than the page."""
    classes = "scroll" if class_ is None else f"scroll {class_}"
    return element("div", content, class_=classes, tabindex="0", role="region", aria_label=label)


def facts(pairs: Iterable[tuple[str, str]], caption: str | None = None, *, number: bool = False) -> Markup:
    """Names with their values, one a line."""
    heading = [] if caption is None else [element("caption", caption, class_="soft")]
    kind = "number" if number else None
    lines = [element("tr", first(key), cell(value, class_=kind)) + "\n" for key, value in pairs]
    return element("table", *heading, element("tbody", "\n", *lines), class_="facts")


def more(left: int, noun: str = "") -> Markup:
    """How many, of what, are not shown; nothing where all are."""
    said = plural(left, f"more {noun}") if noun else f"{count(left)} more"
    return soft(f"and {said}") if left > 0 else Markup("")
