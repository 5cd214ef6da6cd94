"""Which charts a set of statistics gives, in the order a reader wants them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from driftline.reporting.charts.confusion import MOST_CLASSES, confusion_chart, is_large
from driftline.reporting.charts.curves import Curve, precision_recall_chart, roc_chart
from driftline.reporting.charts.mark import Mark
from driftline.reporting.charts.metrics import metric_chart
from driftline.reporting.charts.reliability import reliability_chart
from driftline.reporting.matrix import Matrix
from driftline.reporting.scales import domain
from driftline.reporting.statistics import Statistics
from driftline.reporting.text import count, number, plural


class Figure(msgspec.Struct, frozen=True):
    """A drawing with its title; ``compact`` is the same for a narrow screen; a ``large`` one needs the whole width.
    ``link`` is the address of another drawing that may stand in its place, by its name."""

    title: str
    drawing: Markup
    compact: Markup | None = None
    large: bool = False
    link: str = ""
    link_name: str = ""


class Matrices(msgspec.Struct, frozen=True):
    """Whose confusion matrix is drawn: this data's, or the ``baseline``'s; ``other`` is the address where the other of
    the two is drawn, where there is such a place."""

    baseline: bool = False
    other: str = ""


OF_NOW = Matrices()


def metric_figures(marks: Sequence[Mark], most: int) -> list[Figure]:
    """The first ``most`` metrics: shares and scores on one axis from 0 to 1, after them the others, an axis each.

    Errors of a regression have units, and a loss has no upper end: they never share an axis.
    """
    drawn = [mark for mark in marks if mark.value is not None or mark.threshold is not None][:most]
    shared = [mark for mark in drawn if _shares(mark)]
    groups = [shared] * bool(shared) + [[mark] for mark in drawn if not _shares(mark)]
    return [_metric_figure(group, first=index == 0) for index, group in enumerate(groups)]


def _shares(mark: Mark) -> bool:
    return mark.bounded and all(0 <= value <= 1 for value in mark.numbers())


def _metric_figure(marks: list[Mark], *, first: bool) -> Figure:
    values = [value for mark in marks for value in mark.numbers()]
    ends = (0.0, 1.0) if all(map(_shares, marks)) else domain(values)
    wide = metric_chart(marks, ends, legend=first)
    return Figure("", wide, metric_chart(marks, ends, compact=True, legend=first))


def matrix_figure(matrix: Matrix, whose: str = "", other: str = "", other_name: str = "") -> Figure | None:
    """A confusion matrix, of how many predictions; None where there is none, or too many classes to draw.

    >>> matrix_figure(Matrix()) is None
    True
    """
    if not matrix.total or len(matrix.labels) > MOST_CLASSES:
        return None
    title = f"Confusion matrix of {plural(matrix.total, 'prediction')}{whose}"
    return Figure(title, confusion_chart(matrix), large=is_large(matrix), link=other, link_name=other_name)


def _matrices(now: Statistics, baseline: Statistics, asked: Matrices) -> Figure | None:
    if asked.baseline and baseline.matrix.total:
        return matrix_figure(baseline.matrix, " of the baseline", asked.other, "show this data's")
    other = asked.other if baseline.matrix.total else ""
    return matrix_figure(now.matrix, other=other, other_name="show the baseline's")


def curve_figures(now: Statistics, baseline: Statistics, matrices: Matrices = OF_NOW) -> list[Figure]:
    """The matrix and the curves that the statistics hold."""
    matrix = _matrices(now, baseline, matrices)
    figures = [] if matrix is None else [matrix]
    if now.roc is not None:
        before = None if baseline.roc is None else Curve(_label("baseline", baseline), *baseline.roc)
        point = _point(now, "false_positive_rate", "true_positive_rate")
        figures.append(Figure("ROC curve", roc_chart(Curve(_label("this data", now), *now.roc, point), before)))
    if now.precision_recall is not None:
        figures.append(Figure("Precision–recall curve", _precision_recall(now, baseline)))
    if now.reliability is not None:
        drawing = reliability_chart(f"this data, n {count(now.rows)}", *now.reliability)
        figures.append(Figure("Reliability of the scores", drawing))
    return figures


def _precision_recall(now: Statistics, baseline: Statistics) -> Markup:
    given, before = now.precision_recall or ([], []), baseline.precision_recall
    then = None if before is None else Curve(f"baseline, n {count(baseline.rows)}", *before)
    curve = Curve(f"this data, n {count(now.rows)}", *given, _point(now, "recall", "precision"))
    return precision_recall_chart(curve, then, _prevalence(now))


def _label(name: str, statistics: Statistics) -> str:
    area = statistics.metrics.get("auc")
    words = f"{name}, n {count(statistics.rows)}"
    return words if area is None or area.value is None else f"{words}, AUC {number(area.value)}"


def _point(statistics: Statistics, x: str, y: str) -> tuple[float, float] | None:
    """Where the decisions themselves lie, if both of their rates are known."""
    rates = [statistics.metrics[name].value for name in (x, y) if name in statistics.metrics]
    known = [rate for rate in rates if rate is not None and 0 <= rate <= 1]
    return (known[0], known[1]) if len(known) == 2 else None


def _prevalence(statistics: Statistics) -> float | None:
    matrix = statistics.matrix
    if "1" not in matrix.labels or not matrix.total:
        return None
    return matrix.actual()[matrix.labels.index("1")] / matrix.total
