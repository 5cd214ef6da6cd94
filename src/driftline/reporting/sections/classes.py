"""What was measured of each class: rows, recall, precision, and whatever else the statistics hold of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.matrix import Matrix, class_label
from driftline.reporting.sizes import Sizes
from driftline.reporting.statistics import Entry, Statistics
from driftline.reporting.text import count, metric_label, number, percent

_MOST_METRICS = 6


class _Tally(NamedTuple):
    """The rows of one class: those of it, those predicted as it, and those of both."""

    actual: int
    predicted: int
    right: int


def class_table(now: Statistics, most: Sizes) -> Markup:
    """The classes in their order; where they are too many, those with the most rows missed."""
    tallies = _tallies(now.matrix) if len(now.matrix.names) > 2 else {}
    names = list(tallies) or list(dict.fromkeys(name for column in now.classes.values() for name in column))
    if not names:
        return Markup("")
    columns = list(now.classes)[:_MOST_METRICS]
    shown = _worst(names, tallies)[: most.classes] if len(names) > most.classes else names
    heads = [html.head("Class")]
    heads += [html.head(title, number=True) for title in ("n", "Predicted", "Recall", "Precision")] if tallies else []
    heads += [html.head(_title(name), number=True) for name in columns]
    lines = [_line(name, tallies, [now.classes[column].get(name) for column in columns]) for name in shown]
    notes = _notes(len(shown), len(names), tallied=bool(tallies))
    return html.section("Every class", html.table("Table of classes", heads, lines, "classes"), *map(html.soft, notes))


def _tallies(matrix: Matrix) -> dict[str, _Tally]:
    margins = zip(matrix.names, matrix.actual(), matrix.predicted(), strict=True)
    return {
        name: _Tally(actual, predicted, matrix.cells.get((place, place), 0))
        for place, (name, actual, predicted) in enumerate(margins)
    }


def _worst(names: Sequence[str], tallies: dict[str, _Tally]) -> list[str]:
    return sorted(names, key=lambda name: tallies[name].right - tallies[name].actual if tallies else 0)


def _line(name: str, tallies: dict[str, _Tally], entries: Sequence[Entry | None]) -> list[Markup]:
    cells = [html.first(html.name(class_label(name)))]
    if tallies:
        actual, predicted, right = tallies[name]
        texts = count(actual), count(predicted), percent(right, actual), percent(right, predicted)
        cells += map(html.amount, texts)
    return [*cells, *map(_metric, entries)]


def _metric(entry: Entry | None) -> Markup:
    if entry is None or entry.lower is None:
        return html.amount(number(None if entry is None else entry.value))
    ends = html.element("span", f"{number(entry.lower)} – {number(entry.upper)}", class_="soft ends")
    return html.amount(number(entry.value), " ", ends)


def _title(metric: str) -> str:
    """A metric's name without the words that say it is one of each class."""
    return metric_label(metric.removesuffix("_by_class").removesuffix("_per_class"))


def _notes(shown: int, every: int, *, tallied: bool) -> list[str]:
    """What the table leaves out, and how its first columns are counted."""
    which = "those with the most missed rows" if tallied else "the first"
    notes = [f"{count(shown)} of {count(every)} classes: {which}."] if shown < every else []
    said = "n: rows of the class. Recall: the share of them that was predicted as it. Precision: the share of the"
    return [*notes, f"{said} predicted rows that is of it."] if tallied else notes
