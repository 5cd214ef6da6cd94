"""The report of a model-quality run as one HTML file that needs nothing else."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from driftline.reporting.estimates import Estimate, read_estimate
from driftline.reporting.figures import OF_NOW, Matrices
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

__all__ = ["Report", "findings", "render"]


def render(report: Report) -> str:
    """The page: verdict, rows, charts, metrics, segments, estimate, refused records, steps.

    At most 300 KB, whatever the run held.
    """
    read = read_report(report)
    return fitting(
        lambda most: page(report, verdict(report, read.now, read.before, most), _main(report, read, most)),
        SIZES,
        MOST_BYTES,
    )


class Read(msgspec.Struct, frozen=True):
    """The documents of a report, read: what was measured, what the baseline was, and the estimate without labels."""

    now: Statistics
    before: Statistics
    estimate: Estimate | None = None


def read_report(report: Report) -> Read:
    """Read the documents of a report once for all that is drawn of them."""
    before = read_statistics(report.baseline or {})
    return Read(read_statistics(report.statistics), before, read_estimate(report.statistics))


def _main(report: Report, read: Read, most: Sizes) -> Markup:
    return join([findings(report, read, most), refused(report, most), ledger(report, most)])


def findings(report: Report, read: Read, most: Sizes, matrices: Matrices = OF_NOW) -> Markup:
    """Reasons, charts, metrics, segments, and the estimate; ``matrices`` says whose confusion matrix is drawn.

    Without a single label the estimate is all there is to say, and comes first; else what was measured does.
    """
    now, before, estimate, guessed = read.now, read.before, read.estimate, Markup("")
    if estimate is not None:
        guessed = estimated(estimate, now, report.constraints, mapping(report.calibration), most)
    parts = [reasons(report.reasons, most), guessed] if now.rows else [guessed, reasons(report.reasons, most)]
    if now.rows:
        violated = frozenset(violation.subject for violation in report.violations)
        rows = metric_rows(now, before, report.constraints, violated)
        groups = read_segments(report.statistics.get("segments"), report.constraints, now.problem)
        parts[1:1] = [measured(now, before, rows, most, matrices), segment_section(groups, most.segments)]
    return join([*parts, calibration(now.calibration)])
