"""The report of a model-quality run as one HTML file that needs nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from driftline.core.documents import Violation
from driftline.core.verdict import Reason
from driftline.engine.rejects import MEANING, Reject
from driftline.reporting import text
from driftline.reporting.charts.confusion import MOST_CLASSES
from driftline.reporting.charts.metrics import GLYPHS
from driftline.reporting.figures import curve_figures, metric_figures
from driftline.reporting.metrics import Row, metric_rows
from driftline.reporting.report import Report
from driftline.reporting.sentences import coverage, headline, violation_sentence
from driftline.reporting.statistics import Statistics, mapping, read_statistics

__all__ = ["Report", "chart_style", "render"]
T = TypeVar("T")
MOST_BYTES = 300_000


class _Most(NamedTuple):
    """How many of each are shown; the rest are counted."""

    metrics: int
    marks: int
    confusions: int
    lines: int
    rejects: int
    reasons: int
    facts: int


# What a page has room for; only names and texts at their longest everywhere ever need the smaller sizes.
_SIZES = (_Most(40, 24, 12, 20, 10, 10, 12), _Most(20, 12, 8, 10, 5, 5, 8), _Most(8, 6, 5, 4, 2, 2, 8))
_VERDICT_GLYPHS = {"OK": "✓", "VIOLATED": "✕", "UNKNOWN": "?"}
_page = Environment(
    loader=PackageLoader("driftline.reporting"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    # Whatever text reaches the page, the file stays valid UTF-8 without control characters.
    finalize=lambda value: text.clean(value) if type(value) is str else value,
)
_page.filters |= {"number": text.number, "count": text.count, "percent": text.percent, "shorten": text.shorten}


def render(report: Report) -> str:
    """The page: verdict, rows, charts, metrics, refused records, steps. At most 300 KB, whatever the run held."""
    page = ""
    for most in _SIZES:
        page = _rendered(report, most)
        if len(page.encode()) <= MOST_BYTES:
            break
    return page


def _rendered(report: Report, most: _Most) -> str:
    now, before = read_statistics(report.statistics), read_statistics(report.baseline or {})
    sentences = [
        violation_sentence(violation, report.constraints, now.metrics, before.metrics)
        for violation in report.violations
    ]
    page = {
        "report": report,
        "headline": headline(report.verdict, sentences, report.reasons, report.constraints),
        "glyph": _VERDICT_GLYPHS[report.verdict],
        "coverage": coverage(now.rows, report.counts),
        "sentences": _some(sentences, most.lines) if len(sentences) > 1 else ((), 0),
        "reasons": [
            _reason(reason, most.facts if place < 3 else 0)
            for place, reason in enumerate(report.reasons[: most.reasons])
        ],
        "unsaid": max(0, len(report.reasons) - most.reasons),
        "counts": _counts(report.counts, most.lines),
        "rejects": _some([_reject(reject) for reject in report.rejects], most.rejects),
        "steps": _some(report.steps, most.lines),
        "seconds": _seconds,
    }
    return _page.get_template("report.html").render(page | _measured(report, now, before, most))


def chart_style() -> str:
    """The style sheet of the charts, for another page that shows them."""
    return _page.get_template("charts.css").render()


def _measured(report: Report, now: Statistics, before: Statistics, most: _Most) -> dict[str, Any]:
    """What the statistics give; without one row they give nothing."""
    rows = metric_rows(now, before, report.constraints, _violated(report.violations)) if now.rows else []
    marks = [row.mark for row in rows]
    figures = curve_figures(now, before) if now.rows else []
    return {
        "now": now,
        "before": before,
        "metric_figures": metric_figures(marks, shared=now.problem != "Regression", most=most.marks),
        "undrawn": len(marks) - most.marks,
        "figures": [figure for figure in figures if not figure.large],
        "large_figures": [figure for figure in figures if figure.large],
        "confusions": now.matrix.largest(most.confusions) if len(now.matrix.labels) > 2 else [],
        "too_many_classes": len(now.matrix.labels) > MOST_CLASSES,
        "rows": _some(rows, most.metrics),
        "level": _level(rows),
        "show": _columns(rows),
        "words": GLYPHS,
    }


def _violated(violations: Iterable[Violation]) -> frozenset[str]:
    return frozenset(violation.metric_name for violation in violations)


def _some(items: Sequence[T], most: int) -> tuple[Sequence[T], int]:
    """The first of many, and how many are left out."""
    return items[:most], max(0, len(items) - most)


def _columns(rows: Sequence[Row]) -> dict[str, bool]:
    """Columns that hold anything at all."""
    return {
        "status": any(row.mark.status != "free" for row in rows),
        "threshold": any(row.mark.threshold is not None for row in rows),
        "baseline": any(row.mark.baseline is not None for row in rows),
        "constant": any(row.constant is not None for row in rows),
    }


def _level(rows: Sequence[Row]) -> str:
    level = next((row.entry.level for row in rows if row.entry.lower is not None and row.entry.level), None)
    return "Interval" if level is None else f"{100 * level:.3g} % interval"


def _reason(reason: Reason, most: int) -> dict[str, Any]:
    """A reason with its checklist, or the facts it rests on where it has none; at most so many of them."""
    facts = reason.checklist or tuple(mapping(reason.evidence).items())
    return {
        "code": text.shorten(reason.code, 60),
        "message": text.capital(text.shorten(reason.message, 200)),
        "facts": [(text.shorten(key).replace("_", " "), text.shorten(value, 240)) for key, value in facts[:most]],
    }


def _reject(reject: Reject) -> dict[str, Any]:
    meaning = MEANING.get(reject.reason, reject.reason.replace("_", " "))
    samples = [text.shorten(sample, 130) for sample in itertools.islice(reject.samples, 3)]
    source = text.shorten(reject.source, 60)
    return {"source": source, "reason": text.shorten(meaning, 120), "count": reject.count, "samples": samples}


def _counts(counts: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    return [(text.shorten(name).replace("_", " "), number) for name, number in itertools.islice(counts.items(), most)]


def _seconds(value: float) -> str:
    return f"{value:,.3f}" if math.isfinite(value) else "–"
