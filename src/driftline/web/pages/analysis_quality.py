"""The analysis of a run of model quality: confusion matrix, curves, calibration, and metrics with their thresholds."""

from __future__ import annotations

from markupsafe import Markup

from driftline.reporting.figures import Matrices
from driftline.reporting.model_quality import findings, read_report
from driftline.reporting.report import Report
from driftline.reporting.sections.verdict import violation_sentences
from driftline.reporting.sentences import coverage, headline
from driftline.reporting.sizes import SIZES
from driftline.service.dashboard.analyses import Analysis
from driftline.web.pages.analysis_views import AnalysisView, common, fitted
from driftline.web.pages.rendering import Raw, environment


class QualityView(AnalysisView, frozen=True, kw_only=True):
    """A run of model quality with the documents that its charts are drawn of. ``other`` is the address of the page with
    the other confusion matrix."""

    report: Report
    baseline_matrix: bool = False
    other: str = ""


def quality_view(
    request: Raw, analysis: Analysis, report: Report, beside: tuple[str | None, str | None]
) -> QualityView:
    """What the page shows; ``?baseline=1`` shows the baseline's confusion matrix."""
    read, baseline = read_report(report), request.query_params.get("baseline") == "1"
    here = f"/runs/{analysis.head.id}/analysis"
    sentences = violation_sentences(report, read.now, read.before)
    return QualityView(
        sentence=headline(report.verdict, sentences, report.reasons, report.constraints),
        rests_on=coverage(read.now.rows, report.counts),
        report=report,
        baseline_matrix=baseline,
        other=here if baseline else f"{here}?baseline=1",
        **common(analysis, beside),
    )


def quality_sections(view: QualityView) -> Markup:
    """The sections of the HTML report."""
    read, matrices = read_report(view.report), Matrices(view.baseline_matrix, view.other)
    return fitted(lambda most: findings(view.report, read, most, matrices), SIZES)


environment.globals["quality_sections"] = quality_sections
