"""What the run did with its rows: those it refused, its steps, and its counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from markupsafe import Markup

from driftline.engine.rejects import MEANING, Reject
from driftline.reporting import html
from driftline.reporting.report import RunReport, Step
from driftline.reporting.sizes import Sizes, some
from driftline.reporting.text import count, shorten


def refused(report: RunReport, most: Sizes) -> Markup:
    """The records that could not be used, by reason and with samples."""
    shown, left = some(report.rejects, most.rejects)
    parts = [part for reject in shown for part in _reject(reject)]
    return html.section("Refused records", *(parts or [html.element("p", "None.")]), html.more(left))


def _reject(reject: Reject) -> list[Markup]:
    meaning = shorten(MEANING.get(reject.reason, reject.reason.replace("_", " ")), 120)
    samples = [shorten(sample, 130) for sample in itertools.islice(reject.samples, 3)]
    said = html.element("p", f"{count(reject.count)} in {shorten(reject.source, 60)}: {meaning}")
    return [said, html.element("pre", "\n".join(samples), tabindex="0")] if samples else [said]


def ledger(report: RunReport, most: Sizes) -> Markup:
    """Steps and counts beside each other."""
    parts = [_steps(report, most)] if report.steps else []
    parts += [_counts(report.counts, most)] if report.counts else []
    return html.element("div", *parts, class_="ledger")


def _steps(report: RunReport, most: Sizes) -> Markup:
    shown, left = some(report.steps, most.lines)
    heads = [html.head("Step"), *(html.head(title, number=True) for title in ("In", "Out", "Seconds"))]
    return html.section("Steps", html.table("Steps", heads, map(_step, shown)), html.more(left))


def _step(step: Step) -> list[Markup]:
    seconds = f"{step.seconds:,.3f}" if math.isfinite(step.seconds) else "–"
    return [html.first(shorten(step.name)), *map(html.amount, (count(step.rows_in), count(step.rows_out), seconds))]


def _counts(counts: Mapping[str, int], most: Sizes) -> Markup:
    shown = itertools.islice(counts.items(), most.lines)
    return html.section(
        "Rows", html.facts(((shorten(name).replace("_", " "), count(number)) for name, number in shown), number=True)
    )
