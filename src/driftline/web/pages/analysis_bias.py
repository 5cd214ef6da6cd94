"""The analysis of a run of bias: every value of a facet with its metrics, beside the baseline's."""

from __future__ import annotations

from markupsafe import Markup

from driftline.reporting.bias_parts import BiasPart, parts_of
from driftline.reporting.bias_sentences import meaning, rows_sentence, verdict_sentence
from driftline.reporting.report import BiasReport
from driftline.reporting.sections.bias import part_sections
from driftline.reporting.sizes import BIAS_SIZES
from driftline.service.dashboard.analyses import Analysis
from driftline.web.pages.analysis_views import AnalysisView, common, fitted
from driftline.web.pages.rendering import Raw, environment


class BiasView(AnalysisView, frozen=True, kw_only=True):
    """A run of bias by the values of its facets, the worst first."""

    parts: tuple[BiasPart, ...]


def bias_view(_: Raw, analysis: Analysis, report: BiasReport, beside: tuple[str | None, str | None]) -> BiasView:
    """What the page shows."""
    parts = parts_of(report)
    first = next(((part, row) for part in parts for row in part.metrics if row.violation is not None), None)
    return BiasView(
        sentence=verdict_sentence(report, parts),
        rests_on=rows_sentence(report, parts),
        meaning="" if first is None else f"What it says of {first[0].label}: {meaning(first[1])}",
        parts=tuple(parts),
        **common(analysis, beside),
    )


def bias_sections(view: BiasView) -> Markup:
    """The sections of the HTML report."""
    return fitted(lambda most: part_sections(view.parts, most), BIAS_SIZES)


environment.globals["bias_sections"] = bias_sections
