"""What the page says first: the verdict, what it rests on, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from driftline.core.verdict import Reason, Verdict
from driftline.reporting import html
from driftline.reporting.markup import join
from driftline.reporting.report import Report, RunReport
from driftline.reporting.sentences import coverage, headline, violation_sentence
from driftline.reporting.sizes import Sizes, some
from driftline.reporting.statistics import Statistics, mapping
from driftline.reporting.text import capital, shorten

_GLYPHS = {None: "◇", Verdict.OK: "✓", Verdict.VIOLATED: "✕", Verdict.UNKNOWN: "?"}


def verdict(report: Report, now: Statistics, before: Statistics, most: Sizes) -> Markup:
    """The headline of the page with the rows it rests on, and every violation where there are several."""
    sentences = violation_sentences(report, now, before)
    said = headline(report.verdict, sentences, report.reasons, report.constraints)
    return html.element(
        "header",
        first_sentence(report.verdict, said),
        html.element("p", coverage(now.rows, report.counts), class_="coverage"),
        html.soft(about(report)),
        *(_violations(sentences, most) if len(sentences) > 1 else ()),
    )


def violation_sentences(report: Report, now: Statistics, before: Statistics) -> list[str]:
    """What is wrong with each metric, in the order of the violations."""
    return [
        violation_sentence(violation, report.constraints, now.metrics, before.metrics)
        for violation in report.violations
    ]


def first_sentence(verdict: Verdict | None, said: str) -> Markup:
    """The headline, with a glyph that tells the verdict without colour."""
    glyph = html.element("span", f"{_GLYPHS[verdict]} ", aria_hidden="true")
    return html.element("h1", glyph, said, class_="BASELINE" if verdict is None else verdict.value)


def about(report: RunReport) -> str:
    """What the page is about: title, endpoint, schedule and window."""
    parts = [shorten(report.title, 120)]
    parts += [f"endpoint {shorten(report.endpoint)}"] if report.endpoint else []
    parts += [f"schedule {shorten(report.schedule)}"] if report.schedule else []
    parts += [f"reads {shorten(report.window, 120)}"] if report.window else []
    return " · ".join(parts)


def _violations(sentences: list[str], most: Sizes) -> list[Markup]:
    shown, left = some(sentences, most.lines)
    glyph = html.element("span", "✕ ", class_="violated", aria_hidden="true")
    return [html.element("ul", *(html.element("li", glyph, sentence) for sentence in shown)), html.more(left)]


def reasons(given: Sequence[Reason], most: Sizes) -> Markup:
    """Why there is no verdict, each reason with what was looked at."""
    shown, left = some(given, most.reasons)
    parts = [_reason(reason, most.facts if place < 3 else 0) for place, reason in enumerate(shown)]
    return join([*parts, html.more(left)])


def _reason(reason: Reason, most: int) -> Markup:
    """A reason with its checklist, or the facts it rests on where it has none; at most so many of them."""
    given = reason.checklist or tuple(_facts(mapping(reason.evidence)))
    pairs = [(shorten(key).replace("_", " "), shorten(value, 240)) for key, value in given[:most]]
    parts = [html.soft(f"Reason code: {shorten(reason.code, 60)}")]
    parts += [html.facts(pairs, "What was looked at")] if pairs else []
    return html.section(capital(shorten(reason.message, 200)), *parts)


def _facts(evidence: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a reason rests on, one fact a line; of facts within a fact each has its own."""
    for key, value in evidence.items():
        if isinstance(value, Mapping):
            yield from ((str(name), fact) for name, fact in value.items())
        else:
            yield key, ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
