"""The page of a run's analysis: what its monitor found, drawn as in the HTML report of the run."""

from __future__ import annotations

from typing import Any, cast

from litestar import MediaType, Response, get

from driftline.reporting.report import AttributionReport, BiasReport, Report, TableReport
from driftline.service import Service
from driftline.service.dashboard.analyses import analysis_of, beside
from driftline.web.api.signature import Given, Name
from driftline.web.pages.analysis_attribution import attribution_view
from driftline.web.pages.analysis_bias import bias_view
from driftline.web.pages.analysis_features import features_view
from driftline.web.pages.analysis_quality import quality_view
from driftline.web.pages.analysis_views import AnalysisView, common, why
from driftline.web.pages.rendering import Raw, environment, show

environment.globals["why"] = why


@get("/runs/{run_id:str}/analysis", media_type=MediaType.HTML, sync_to_thread=True)
def analysis_page(request: Raw, service: Given, run_id: Name) -> Response[Any]:
    """What the monitor of a run found."""
    template, view = analysis_view(request, service, run_id)
    return show(request, template, view)


def analysis_view(request: Raw, service: Service, run_id: str) -> tuple[str, AnalysisView]:
    """The template and the view of a run's monitor; raises :class:`NotFoundError` where there is no such run."""
    analysis = analysis_of(service, run_id)
    near, report = beside(service, analysis.head), analysis.report
    if not analysis.head.finished:
        said = f"Not judged yet: the run is {analysis.head.status}"
        return "analysis.html", AnalysisView(sentence=said, **common(analysis, near))
    if isinstance(report, Report):
        return "analysis_quality.html", quality_view(request, analysis, report, near)
    if isinstance(report, TableReport):
        return "analysis_features.html", features_view(request, analysis, report, near)
    if isinstance(report, BiasReport):
        return "analysis_bias.html", bias_view(request, analysis, report, near)
    return "analysis_attribution.html", attribution_view(request, analysis, cast(AttributionReport, report), near)


HANDLERS = (analysis_page,)
