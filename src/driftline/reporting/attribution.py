"""The report of an attribution run, or of an attribution baseline, as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.markup import join
from driftline.reporting.page import fitting, page
from driftline.reporting.ranking_sentences import other_ways, rows_sentence, verdict_sentence
from driftline.reporting.rankings import Ranking, rankings_of
from driftline.reporting.report import AttributionReport, RankingDrift
from driftline.reporting.sections.ledger import ledger, refused
from driftline.reporting.sections.rankings import drift_section, label_sections, ranking_violations
from driftline.reporting.sections.verdict import about, first_sentence, reasons
from driftline.reporting.sizes import MOST_BYTES, RANKING_SIZES, SIZES, RankingSizes
from driftline.reporting.styles import FEATURES, RANKINGS

__all__ = ["AttributionReport", "RankingDrift", "findings", "render"]


def render(report: AttributionReport) -> str:
    """The page: verdict, violations, the ranking against the baseline's, each label's features, refused records, steps.

    At most 300 kB, whatever was analysed.
    """
    rankings = rankings_of(report)

    def drawn(most: RankingSizes) -> str:
        return page(report, _header(report, rankings), _main(report, rankings, most), styles=FEATURES + RANKINGS)

    return fitting(drawn, RANKING_SIZES, MOST_BYTES)


def _header(report: AttributionReport, rankings: Sequence[Ranking]) -> Markup:
    otherwise = other_ways(report)
    return html.element(
        "header",
        first_sentence(report.verdict, verdict_sentence(report, rankings)),
        html.element("p", rows_sentence(report), class_="coverage"),
        *([html.element("p", otherwise)] if otherwise else []),
        html.soft(about(report)),
    )


def _main(report: AttributionReport, rankings: Sequence[Ranking], most: RankingSizes) -> Markup:
    usual = SIZES[0]
    return join(
        [
            reasons(report.reasons, usual),
            ranking_violations(report.violations, most),
            findings(rankings, most),
            refused(report, usual),
            ledger(report, usual),
        ]
    )


def findings(rankings: Sequence[Ranking], most: RankingSizes) -> Markup:
    """The rankings against the baseline's, then the features of each label."""
    return join([drift_section(rankings, most), label_sections(rankings, most)])
