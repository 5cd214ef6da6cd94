"""The analysis of a run of data quality: its features, the worst first, fifty a page, found by a part of their name."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from driftline.reporting.features import Feature
from driftline.reporting.markup import join
from driftline.reporting.report import TableReport
from driftline.reporting.sections.features import feature_table
from driftline.reporting.sections.segments import segment_section
from driftline.reporting.segments import SegmentGroup, read_segments
from driftline.reporting.sizes import TableSizes
from driftline.reporting.table_sentences import rows_sentence, table_headline
from driftline.service.dashboard.analyses import Analysis
from driftline.service.dashboard.features import PAGE, feature_page
from driftline.web.pages.analysis_views import AnalysisView, common, fitted
from driftline.web.pages.rendering import Raw, environment

_SIZES = (
    TableSizes(features=PAGE, pictures=PAGE, violations=0, categories=10, samples=3, each=6, segments=12),
    TableSizes(features=PAGE, pictures=25, violations=0, categories=5, samples=2, each=3, segments=8),
    TableSizes(features=PAGE, pictures=8, violations=0, categories=3, samples=1, each=2, segments=3),
    TableSizes(features=PAGE, pictures=0, violations=0, categories=0, samples=0, each=0, segments=2),
)


class Found(msgspec.Struct, frozen=True):
    """How many features a search found, and which page of them is shown."""

    search: str
    features: int
    of: int
    page: int
    pages: int


class FeaturesView(AnalysisView, frozen=True, kw_only=True):
    """A run of data quality with its ranked segments and some of its features."""

    found: Found
    features: tuple[Feature, ...]
    segments: tuple[SegmentGroup, ...] = ()


def features_view(
    request: Raw, analysis: Analysis, report: TableReport, beside: tuple[str | None, str | None]
) -> FeaturesView:
    """What the page shows; ``?q=`` finds features, ``?page=`` turns the pages."""
    search = request.query_params.get("q", "")[:200]
    shown = feature_page(analysis, report, page=_page(request), search=search)
    hidden = frozenset(one.name for one in shown.every if one.sensitive)
    return FeaturesView(
        sentence=table_headline(report, shown.every),
        rests_on=rows_sentence(report),
        found=Found(search, shown.found, len(shown.every), shown.page, shown.pages),
        features=shown.shown,
        segments=tuple(read_segments(report.segments, hidden=hidden)),
        **common(analysis, beside, shown.notes),
    )


def _page(request: Raw) -> int:
    given = request.query_params.get("page", "1")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 1


def feature_sections(view: FeaturesView) -> Markup:
    """The sections of the HTML report, of the features of this page."""
    found = view.found
    title = f"Features {_first(found)}–{_first(found) + len(view.features) - 1} of {found.features}, the worst first"

    def drawn(most: TableSizes) -> Markup:
        return join([segment_section(view.segments, most.segments), feature_table(view.features, most, title)])

    return fitted(drawn, _SIZES)


def _first(found: Found) -> int:
    return (found.page - 1) * PAGE + 1


environment.globals["feature_sections"] = feature_sections
