"""The frame of a report: one HTML file that needs nothing else and runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.report import RunReport
from driftline.reporting.styles import CHARTS, PAGE, SECTIONS
from driftline.reporting.text import shorten

T = TypeVar("T")
_HEAD = Markup(
    '<meta charset="utf-8">\n'
    """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\n"""
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="referrer" content="no-referrer">\n'
)


def page(report: RunReport, header: Markup, main: Markup, *, styles: str = "") -> str:
    """The whole page. ``styles`` are those that only this kind of report needs."""
    verdict_first = "" if report.verdict is None else f"{report.verdict.value}: "
    title = html.element("title", f"{verdict_first}{shorten(report.title)}")
    style = Markup(f"\n<style>\n{CHARTS}{PAGE}{SECTIONS}{styles}</style>\n")  # noqa: S704
    body = html.element(
        "body",
        "\n",
        header,
        "\n",
        html.element("main", "\n", main),
        "\n",
        html.element("footer", f"driftline · written {shorten(report.generated)} · all times UTC"),
        "\n",
    )
    return f"<!DOCTYPE html>\n{html.element('html', html.element('head', _HEAD, title, style), body, lang='en')}\n"


def fitting(drawn: Callable[[T], str], sizes: Sequence[T], most: int, weigh: Callable[[bytes], int] = len) -> str:
    """The page as the first of the sizes draws it that leaves it within so many bytes, else as the last does.

    ``weigh`` tells how many bytes a page takes on its way.

    >>> fitting(lambda size: "x" * size, (9, 5, 2), 6)
    'xxxxx'
    """
    written = ""
    for size in sizes:
        written = drawn(size)
        if weigh(written.encode()) <= most:
            break
    return written
