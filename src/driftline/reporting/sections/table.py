"""Every metric as a table: value, interval, threshold and why that one, baseline, and the best constant classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.charts.mark import GLYPHS, Mark
from driftline.reporting.metrics import Row
from driftline.reporting.sizes import Sizes, some
from driftline.reporting.statistics import Statistics
from driftline.reporting.text import count, number

Column = tuple[Markup, Callable[[Row], Markup]]


def metric_table(rows: Sequence[Row], before: Statistics, most: Sizes) -> Markup:
    """The table, with those columns only that hold anything at all."""
    shown, left = some(rows, most.metrics)
    early, late = _early(rows), _late(rows, before)
    heads = [html.head("Metric"), *(head for head, _ in early), *_value_heads(rows), *(head for head, _ in late)]
    lines = [
        [html.first(row.mark.label), *(made(row) for _, made in early), *_values(row), *(made(row) for _, made in late)]
        for row in shown
    ]
    note = "n is the number of rows that a metric is a share of. Deviation: over five 80 % samples."
    table = html.table("Table of metrics", heads, lines, "metrics")
    return html.section("Every metric", table, html.more(left), html.soft(note))


def _early(rows: Sequence[Row]) -> list[Column]:
    status: Column = (html.head("Constraint"), lambda row: html.cell(GLYPHS[row.mark.status], class_=row.mark.status))
    n: Column = (html.head("n", number=True), lambda row: html.amount(count(row.mark.rows)))
    return [status, n] if any(row.mark.status != "free" for row in rows) else [n]


def _value_heads(rows: Sequence[Row]) -> list[Markup]:
    level = next((row.entry.level for row in rows if row.entry.lower is not None and row.entry.level), None)
    return [html.head(title, number=True) for title in ("Value", interval_title(level), "Deviation")]


def interval_title(level: float | None) -> str:
    """What the column of the intervals is called."""
    return "Interval" if level is None else f"{100 * level:.3g} % interval"


def _values(row: Row) -> list[Markup]:
    if row.mark.value is None:
        return [html.cell(f"no value: {row.mark.error}", class_="why", colspan=3)]
    return [html.amount(text) for text in (number(row.mark.value), interval(row.mark), number(row.entry.deviation))]


def interval(mark: Mark) -> str:
    """The ends of a mark's interval; a dash where it has none."""
    return "–" if mark.lower is None else f"{number(mark.lower)} – {number(mark.upper)}"


def limit(mark: Mark) -> str:
    """The threshold of a mark with its sign; a dash where it has none."""
    return "–" if mark.threshold is None else f"{mark.sign} {number(mark.threshold)}"


def _late(rows: Sequence[Row], before: Statistics) -> list[Column]:
    columns: list[Column] = []
    if any(row.mark.threshold is not None for row in rows):
        columns.append((html.head("Threshold", number=True), lambda row: html.amount(limit(row.mark))))
    if any(row.mark.baseline is not None for row in rows):
        title = html.head("Baseline", html.BREAK, f"n {count(before.rows)}", number=True)
        columns.append((title, lambda row: html.amount(number(row.mark.baseline))))
    if any(row.constant is not None for row in rows):
        title = html.head("Best constant", html.BREAK, "classifier", number=True)
        columns.append((title, lambda row: html.amount(number(row.constant))))
    if any(row.why for row in rows):
        columns.append((html.head("Why this threshold"), lambda row: html.cell(row.why, class_="why soft")))
    return columns
