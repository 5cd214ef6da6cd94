"""What the labels are expected to show before they are in: clearly an estimate, with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from driftline.core.documents import Constraint
from driftline.reporting import html
from driftline.reporting.charts.mark import GLYPHS, Mark
from driftline.reporting.estimates import Doubt, Estimate, estimate_marks
from driftline.reporting.figures import metric_figures
from driftline.reporting.markup import join
from driftline.reporting.sections.calibration import calibration_facts, fact
from driftline.reporting.sections.measured import metric_drawings
from driftline.reporting.sections.table import interval, interval_title, limit
from driftline.reporting.sizes import Sizes, some
from driftline.reporting.statistics import Statistics
from driftline.reporting.text import capital, count, number, plural, shorten


def estimated(
    estimate: Estimate,
    now: Statistics,
    constraints: Mapping[str, Constraint],
    calibration: Mapping[str, Any],
    most: Sizes,
) -> Markup:
    """The section, set apart from everything measured."""
    title = f"Estimate, not measured: {plural(estimate.rows, 'prediction')}, labelled or not"
    about = _metrics(estimate, estimate_marks(estimate, now, constraints), most) if estimate.given else Markup("")
    doubts = _doubts(estimate, most) if estimate.doubts or not estimate.given else Markup("")
    base = calibration_facts(calibration)
    caption = "The calibration it rests on" if estimate.given else "The baseline's calibration"
    rests = html.facts(base, caption) if base else Markup("")
    return html.section(title, about, doubts, rests, class_="estimate")


def _metrics(estimate: Estimate, marks: Sequence[Mark], most: Sizes) -> Markup:
    shown, left = some(marks, most.metrics)
    method = capital(estimate.method) or "Estimated without labels"
    level = "" if estimate.level is None else f"{100 * estimate.level:.3g} % "
    said = f"{method}. Each {level}interval is for the value that the labels will give. No verdict rests on it."
    return join(
        [
            html.element("p", said),
            _hindsight(marks, estimate.level),
            *metric_drawings(metric_figures(marks, most.marks)),
            _table(shown, estimate),
            html.more(left),
        ]
    )


def _hindsight(marks: Sequence[Mark], level: float | None) -> Markup:
    """How many of the measured values lie where the estimate said, once labels are in."""
    held = [mark for mark in marks if mark.status in ("inside", "outside")]
    if not held:
        return Markup("")
    inside = sum(mark.status == "inside" for mark in held)
    wanted = "" if level is None else f" ({100 * level:.3g} % should)"
    said = (
        f"The labels are in: {count(inside)} of {plural(len(held), 'measured value')} lie within the interval{wanted}."
    )
    return html.element("p", html.element("strong", said))


def _table(marks: Sequence[Mark], estimate: Estimate) -> Markup:
    limits = any(mark.threshold is not None for mark in marks)
    held = any(mark.status != "free" for mark in marks)
    heads = [html.head("Metric")]
    heads += [html.head(title, number=True) for title in ("n", "Estimate", interval_title(estimate.level))]
    heads += [html.head("Threshold", number=True)] if limits else []
    heads += [html.head("Measured", number=True), html.head("Within the interval")] if held else []
    lines = [_line(mark, limits=limits, held=held) for mark in marks]
    return html.table("Table of estimated metrics", heads, lines, "metrics")


def _line(mark: Mark, *, limits: bool, held: bool) -> list[Markup]:
    cells = [html.first(mark.label), html.amount(count(mark.rows))]
    if mark.value is None:
        cells.append(html.cell(f"no estimate: {mark.error}", class_="why", colspan=2))
    else:
        cells += [html.amount(number(mark.value)), html.amount(interval(mark))]
    cells += [html.amount(limit(mark))] if limits else []
    return (
        [*cells, html.amount(number(mark.truth)), html.cell(GLYPHS[mark.status], class_=mark.status)] if held else cells
    )


def _doubts(estimate: Estimate, most: Sizes) -> Markup:
    shown, left = some(estimate.doubts, most.reasons)
    said = "? UNKNOWN: the metrics cannot be estimated." if not estimate.given else "? The estimate is in doubt."
    parts = [html.element("p", html.element("strong", said, class_="UNKNOWN"))]
    parts += [_doubt(doubt, most.facts) for doubt in shown] or [html.soft("No reason was recorded.")]
    return join([*parts, html.more(left)])


def _doubt(doubt: Doubt, most: int) -> Markup:
    pairs = [(shorten(name).replace("_", " "), fact(value)) for name, value in list(doubt.facts.items())[:most]]
    said = html.element("h3", capital(doubt.message) or doubt.code)
    facts = [html.facts(pairs)] if pairs else []
    return join([said, html.soft(f"Condition: {doubt.code}"), *facts])
