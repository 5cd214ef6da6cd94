"""The page of one violation: what was expected and found, since when, and what it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from jinja2 import pass_context
from jinja2.runtime import Context
from litestar import MediaType, Response, get
from markupsafe import Markup

from driftline.core.documents import FAMILIES, Violation
from driftline.core.errors import NotFoundError
from driftline.reporting.bias_parts import BiasPart, parts_of
from driftline.reporting.bias_sentences import meaning
from driftline.reporting.charts.recent import Run, recent_chart
from driftline.reporting.features import Feature, settled
from driftline.reporting.figures import matrix_figure
from driftline.reporting.html import element
from driftline.reporting.markup import join
from driftline.reporting.matrix import read_matrix
from driftline.reporting.rankings import Ranking, rankings_of
from driftline.reporting.report import AttributionReport, BiasReport, Report, TableReport
from driftline.reporting.sections.bias import part_sections
from driftline.reporting.sections.feature import comparison, expected, pictures
from driftline.reporting.sections.measured import drawing
from driftline.reporting.sections.rankings import label_sections
from driftline.reporting.sizes import BIAS_SIZES, RankingSizes
from driftline.reporting.statistics import finite, mapping
from driftline.reporting.violation_lines import expected_words, lines_of
from driftline.service import Service
from driftline.service.dashboard.analyses import Analysis, RunHead, analysis_of
from driftline.service.dashboard.features import distributions
from driftline.service.dashboard.sample_records import Sampled, sampled
from driftline.service.dashboard.sample_rows import SampleRows, region_of, sample_rows
from driftline.service.dashboard.violations import Standing, standing, violation_at
from driftline.web.api.signature import Given, Name
from driftline.web.pages.analysis_views import fitted
from driftline.web.pages.rendering import Raw, environment, show

_RANKED = (
    RankingSizes(labels=1, bars=25, lines=60, violations=0),
    RankingSizes(labels=1, bars=10, lines=20, violations=0),
)
_SHOWN_NEW = 50
_DRIFT = "baseline_drift_check"


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """What a violation is about, by its monitor: the confusion matrices of now and of the baseline; the feature with
    its distributions and ``rows`` that show how it moved; the part of the rows with the metrics of the same stage; or
    the ranking of a label."""

    matrix: dict[str, Any] = {}
    baseline_matrix: dict[str, Any] = {}
    feature: Feature | None = None
    rows: SampleRows | None = None
    part: BiasPart | None = None
    meaning: str = ""
    ranking: Ranking | None = None


class ViolationView(msgspec.Struct, frozen=True, kw_only=True):
    """A violation of a run; ``number`` of ``count``, from 0. ``series`` is the page of its metric."""

    head: RunHead
    number: int
    count: int
    sentence: str
    violation: Violation
    expected: str
    standing: Standing
    records: Sampled
    series: str | None
    detail: Detail
    notes: tuple[str, ...] = ()


@get("/runs/{run_id:str}/violations/{number:str}", media_type=MediaType.HTML, sync_to_thread=True)
def violation_page(request: Raw, service: Given, run_id: Name, number: Name) -> Response[Any]:
    """One violation of a run."""
    return show(request, "violation.html", violation_view(service, run_id, number))


def violation_view(service: Service, run_id: str, number: str) -> ViolationView:
    """What the page shows; raises :class:`NotFoundError` where there is no such run or violation."""
    if not (number.isascii() and number.isdigit() and len(number) < 7):
        raise NotFoundError(f"{number[:40]!r} is no number of a violation", hint="go to the page of the run")
    analysis = analysis_of(service, run_id)
    violation = violation_at(analysis, int(number))
    detail, notes = _detail(service, analysis, violation)
    stands = standing(service, analysis, violation)
    hidden = detail.feature is not None and detail.feature.sensitive
    return ViolationView(
        head=analysis.head,
        number=int(number),
        count=len(analysis.report.violations),
        sentence=lines_of(analysis.report)[int(number)],
        violation=_shown(violation, hidden=hidden),
        expected=expected_words(violation, analysis.report),
        standing=stands,
        records=sampled(() if hidden else violation.samples),
        series=None if stands.series is None else stands.series.name,
        detail=detail,
        notes=(*analysis.notes, *notes),
    )


def _shown(violation: Violation, *, hidden: bool) -> Violation:
    """Without values of a sensitive feature."""
    return msgspec.structs.replace(violation, samples=(), new_categories=()) if hidden else violation


def _detail(service: Service, analysis: Analysis, violation: Violation) -> tuple[Detail, tuple[str, ...]]:
    report = analysis.report
    if isinstance(report, Report):
        return Detail(matrix=_matrix(report.statistics), baseline_matrix=_matrix(report.baseline or {})), ()
    if isinstance(report, TableReport):
        return _feature(service, analysis, report, violation)
    if isinstance(report, BiasReport):
        return _part(report, violation), ()
    rankings = rankings_of(report) if isinstance(report, AttributionReport) else []
    return Detail(ranking=next((one for one in rankings if one.label == violation.label), None)), ()


def _matrix(statistics: Mapping[str, Any]) -> dict[str, Any]:
    families = (mapping(statistics.get(f"{family}_metrics")) for family in FAMILIES.values())
    return next((dict(mapping(one["confusion_matrix"])) for one in families if "confusion_matrix" in one), {})


def _feature(
    service: Service, analysis: Analysis, report: TableReport, violation: Violation
) -> tuple[Detail, tuple[str, ...]]:
    found, notes = distributions(analysis, report, [violation.feature_name or ""])
    if violation.feature_name is None or not found:
        return Detail(), ()
    drifted = violation.constraint_check_type == _DRIFT
    new = tuple(text for text, _ in violation.new_categories)
    region = region_of(found[0], new) if drifted or new else None
    rows = None if region is None else sample_rows(service, analysis, found[0], region)
    return Detail(feature=settled(found[0]), rows=rows), notes


def _part(report: BiasReport, violation: Violation) -> Detail:
    for part in parts_of(report):
        row = next((row for row in part.metrics if row.violation is violation), None)
        if row is not None:
            stage = tuple(part.of(row.stage))
            return Detail(part=msgspec.structs.replace(part, metrics=stage), meaning=meaning(row))
    return Detail()


@pass_context
def recent_runs(context: Context, view: ViolationView, compact: bool = False) -> Markup:
    """The chart of the last runs, with times in the reader's zone."""
    clock = environment.filters["time"]
    runs = [
        Run(
            clock(context, one.window_start, "%d %b %H:%M"),
            finite(one.value),
            one.violation is not None,
            f"/runs/{one.run}" + ("" if one.violation is None else f"/violations/{one.violation}"),
        )
        for one in view.standing.recent
    ]
    return recent_chart("The last runs", runs, finite(view.violation.threshold), compact=compact)


def matrices(detail: Detail) -> Markup:
    """The confusion matrices of now and of the baseline beside each other."""
    sides = ((detail.matrix, "Now:"), (detail.baseline_matrix, "Baseline:"))
    figures = [matrix_figure(read_matrix(given), title) for given, title in sides]
    drawn = [drawing(figure) for figure in figures if figure is not None]
    return element("div", *drawn, class_="figures") if drawn else Markup("")


def feature_drawings(feature: Feature) -> Markup:
    """A feature now and in the baseline: drawings, figures, and what is expected of it."""
    parts = [*pictures(feature), comparison(feature), expected(feature.expected)]
    return element("div", *(part for part in parts if part), class_="figures")


def part_drawing(part: BiasPart) -> Markup:
    """All metrics of a part, now and in the baseline."""
    return fitted(lambda most: part_sections([part], most), BIAS_SIZES)


def ranking_drawing(ranking: Ranking) -> Markup:
    """What moved in the ranking of a label."""
    return fitted(lambda most: join([label_sections([ranking], most)]), _RANKED)


environment.globals.update(
    recent_runs=recent_runs,
    matrices=matrices,
    feature_drawings=feature_drawings,
    part_drawing=part_drawing,
    ranking_drawing=ranking_drawing,
)


HANDLERS = (violation_page,)
