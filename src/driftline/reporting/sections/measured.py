"""What was measured with labels: metrics against their thresholds as a chart and as a table, curves and the matrix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.charts.confusion import MOST_CLASSES
from driftline.reporting.figures import OF_NOW, Figure, Matrices, curve_figures, metric_figures
from driftline.reporting.markup import join
from driftline.reporting.matrix import Confusion, Matrix
from driftline.reporting.metrics import Row
from driftline.reporting.sections.classes import class_table
from driftline.reporting.sections.table import metric_table
from driftline.reporting.sizes import Sizes
from driftline.reporting.statistics import Statistics
from driftline.reporting.text import count, percent, plural


def measured(
    now: Statistics, before: Statistics, rows: Sequence[Row], most: Sizes, matrices: Matrices = OF_NOW
) -> Markup:
    """Everything that the labels gave."""
    marks = [row.mark for row in rows]
    drawn = metric_drawings(metric_figures(marks, most.marks))
    undrawn = len(marks) - most.marks
    rest = [html.soft(f"{count(undrawn)} more stand in the table below.")] if drawn and undrawn > 0 else []
    title = f"Metrics of {plural(now.rows, 'prediction')} with a label"
    return join(
        [
            html.section(title, *(drawn or [html.element("p", "No metric has a value.")]), *rest),
            _decisions(now, before, most, matrices),
            metric_table(rows, before, most),
            class_table(now, most),
        ]
    )


def metric_drawings(figures: Iterable[Figure]) -> list[Markup]:
    """Charts of metrics, each for a wide and for a narrow screen."""
    return [
        html.element(
            "figure",
            html.element("div", figure.drawing, class_="wide"),
            html.element("div", figure.compact or "", class_="narrow"),
        )
        for figure in figures
    ]


def _decisions(now: Statistics, before: Statistics, most: Sizes, matrices: Matrices) -> Markup:
    figures = curve_figures(now, before, matrices)
    small = [drawing(figure) for figure in figures if not figure.large]
    large = [drawing(figure) for figure in figures if figure.large]
    confusions = [_confusions(now.matrix, most)] if len(now.matrix.labels) > 2 else []
    if small:
        small, confusions = [html.element("div", *small, *confusions, class_="figures")], []
    parts = [*small, *large, *confusions]
    section = html.section("Decisions and scores", *parts) if parts else Markup("")
    if now.problem != "BinaryClassification" or now.roc or now.precision_recall:
        return section
    why = "the statistics hold none, as when predictions carry no score."
    return section + html.soft(f"There is no ROC or precision–recall curve: {why}")


def drawing(figure: Figure) -> Markup:
    """A drawing below its title."""
    drawn = html.scroll(figure.title, figure.drawing) if figure.large else figure.drawing
    more = [" · ", html.element("a", figure.link_name, href=figure.link)] if figure.link else []
    return html.element("figure", html.element("figcaption", figure.title, *more), drawn)


def _confusions(matrix: Matrix, most: Sizes) -> Markup:
    classes = len(matrix.labels)
    rows = map(_confusion, matrix.largest(most.confusions))
    heads = [html.head("Actual"), html.head("Predicted"), html.head("Count", number=True)]
    heads += [html.head("Share of actual", number=True), html.head("n of actual", number=True)]
    many = [html.soft(f"{count(classes)} classes are too many to draw.")] if classes > MOST_CLASSES else []
    return html.element(
        "div",
        html.element("h3", f"Largest confusions of {plural(matrix.total, 'prediction')}"),
        *many,
        html.table("Largest confusions", heads, rows, "classes"),
        class_="beside",
    )


def _confusion(row: Confusion) -> list[Markup]:
    numbers = count(row.rows), percent(row.rows, row.of), count(row.of)
    return [html.first(html.name(row.actual)), html.cell(html.name(row.predicted)), *map(html.amount, numbers)]
