"""The report of a bias run, or of a bias baseline, as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.bias_parts import BiasPart, parts_of
from driftline.reporting.bias_sentences import meaning, rows_sentence, verdict_sentence
from driftline.reporting.markup import join
from driftline.reporting.page import fitting, page
from driftline.reporting.report import BiasReport
from driftline.reporting.sections.bias import bias_violations, part_sections
from driftline.reporting.sections.ledger import ledger, refused
from driftline.reporting.sections.verdict import about, first_sentence, reasons
from driftline.reporting.sizes import BIAS_SIZES, MOST_TABLE_BYTES, SIZES, BiasSizes
from driftline.reporting.styles import BIAS, FEATURES

__all__ = ["BiasReport", "render"]


def render(report: BiasReport) -> str:
    """The page: verdict, violations, every part with its metrics now and in the baseline, refused records, steps.

    At most 3 MB, whatever was analysed; pictures only of the worst parts.
    """
    parts = parts_of(report)

    def drawn(most: BiasSizes) -> str:
        return page(report, _header(report, parts), _main(report, parts, most), styles=FEATURES + BIAS)

    return fitting(drawn, BIAS_SIZES, MOST_TABLE_BYTES)


def _header(report: BiasReport, parts: Sequence[BiasPart]) -> Markup:
    return html.element(
        "header",
        first_sentence(report.verdict, verdict_sentence(report, parts)),
        *_said(parts),
        html.element("p", rows_sentence(report, parts), class_="coverage"),
        html.soft(about(report)),
    )


def _said(parts: Sequence[BiasPart]) -> list[Markup]:
    """What the violation in the headline means."""
    first = next(((part, row) for part in parts for row in part.metrics if row.violation is not None), None)
    return [] if first is None else [html.element("p", f"What it says of {first[0].label}: {meaning(first[1])}")]


def _main(report: BiasReport, parts: Sequence[BiasPart], most: BiasSizes) -> Markup:
    usual = SIZES[0]
    return join(
        [
            reasons(report.reasons, usual),
            bias_violations(report.violations, most),
            part_sections(parts, most),
            refused(report, usual),
            ledger(report, usual),
        ]
    )
