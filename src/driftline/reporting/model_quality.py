"""The report of a model-quality run as one HTML file that needs nothing else."""

from __future__ import annotations

from markupsafe import Markup

from driftline.reporting.estimates import Estimate, read_estimate
from driftline.reporting.markup import join
from driftline.reporting.metrics import metric_rows
from driftline.reporting.page import fitting, page
from driftline.reporting.report import Report
from driftline.reporting.sections.calibration import calibration
from driftline.reporting.sections.estimate import estimated
from driftline.reporting.sections.ledger import ledger, refused
from driftline.reporting.sections.measured import measured
from driftline.reporting.sections.segments import segment_section
from driftline.reporting.sections.verdict import reasons, verdict
from driftline.reporting.segments import read_segments
from driftline.reporting.sizes import MOST_BYTES, SIZES, Sizes
from driftline.reporting.statistics import Statistics, mapping, read_statistics

__all__ = ["Report", "render"]


def render(report: Report) -> str:
    """The page: verdict, rows, charts, metrics, segments, estimate, refused records, steps.

    At most 300 KB, whatever the run held.
    """
    now, before = read_statistics(report.statistics), read_statistics(report.baseline or {})
    estimate = read_estimate(report.statistics)
    return fitting(lambda most: _page(report, now, before, estimate, most), SIZES, MOST_BYTES)


def _page(report: Report, now: Statistics, before: Statistics, estimate: Estimate | None, most: Sizes) -> str:
    return page(report, verdict(report, now, before, most), _main(report, now, before, estimate, most))


def _main(report: Report, now: Statistics, before: Statistics, estimate: Estimate | None, most: Sizes) -> Markup:
    """Without a single label the estimate is all there is to say, and comes first; else what was measured does."""
    guessed = Markup("")
    if estimate is not None:
        guessed = estimated(estimate, now, report.constraints, mapping(report.calibration), most)
    parts = [reasons(report, most), guessed] if now.rows else [guessed, reasons(report, most)]
    if now.rows:
        violated = frozenset(violation.subject for violation in report.violations)
        rows = metric_rows(now, before, report.constraints, violated)
        groups = read_segments(report.statistics.get("segments"), report.constraints, now.problem)
        parts[1:1] = [measured(now, before, rows, most), segment_section(groups, most.segments)]
    return join([*parts, calibration(now.calibration), refused(report, most), ledger(report, most)])
