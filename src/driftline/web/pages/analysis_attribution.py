"""The analysis of a run of attributions: what weighs now and weighed then, and how alike the rankings are."""

from __future__ import annotations

from markupsafe import Markup

from driftline.reporting.attribution import findings
from driftline.reporting.ranking_sentences import other_ways, rows_sentence, verdict_sentence
from driftline.reporting.rankings import Ranking, rankings_of
from driftline.reporting.report import AttributionReport
from driftline.reporting.sizes import RANKING_SIZES
from driftline.service.dashboard.analyses import Analysis
from driftline.web.pages.analysis_views import AnalysisView, common, fitted
from driftline.web.pages.rendering import Raw, environment


class AttributionView(AnalysisView, frozen=True, kw_only=True):
    """A run of attributions by the labels of the model, the worst first."""

    rankings: tuple[Ranking, ...]


def attribution_view(
    _: Raw, analysis: Analysis, report: AttributionReport, beside: tuple[str | None, str | None]
) -> AttributionView:
    """What the page shows."""
    rankings = rankings_of(report)
    return AttributionView(
        sentence=verdict_sentence(report, rankings),
        rests_on=rows_sentence(report),
        meaning=other_ways(report),
        rankings=tuple(rankings),
        **common(analysis, beside),
    )


def ranking_sections(view: AttributionView) -> Markup:
    """The sections of the HTML report."""
    return fitted(lambda most: findings(view.rankings, most), RANKING_SIZES)


environment.globals["ranking_sections"] = ranking_sections
