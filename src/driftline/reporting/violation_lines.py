"""The violations of a run, each in one sentence, and in words what was expected of what it is about."""

from __future__ import annotations

from driftline.core.documents import Violation
from driftline.reporting import bias_sentences, table_sentences
from driftline.reporting.bias_parts import parts_of
from driftline.reporting.features import BY_P_VALUE
from driftline.reporting.model_quality import read_report
from driftline.reporting.ranking_sentences import drifted_sentence
from driftline.reporting.rankings import rankings_of
from driftline.reporting.report import AttributionReport, BiasReport, Report, RunReport, TableReport
from driftline.reporting.sections.verdict import violation_sentences
from driftline.reporting.statistics import finite
from driftline.reporting.text import number, shorten

_DRIFT = "baseline_drift_check"


def lines_of(report: RunReport) -> list[str]:
    """A sentence for each violation, in their order."""
    if isinstance(report, Report):
        read = read_report(report)
        return violation_sentences(report, read.now, read.before)
    if isinstance(report, TableReport):
        drift = {one.name: one for one in report.drift}
        return [table_sentences.violation_sentence(one, drift.get(one.feature_name or "")) for one in report.violations]
    if isinstance(report, BiasReport):
        rows = [(part, row) for part in parts_of(report) for row in part.metrics if row.violation is not None]
        found = {id(row.violation): bias_sentences.violation_sentence(part, row) for part, row in rows}
        return [found.get(id(one)) or shorten(one.line, 240) for one in report.violations]
    if isinstance(report, AttributionReport):
        return _of_rankings(report)
    return [shorten(one.line, 240) for one in report.violations]


def _of_rankings(report: AttributionReport) -> list[str]:
    rankings = rankings_of(report)
    said = {one.label: drifted_sentence(one, named=len(rankings) > 1) for one in rankings}
    return [said.get(one.label or "") or shorten(one.line, 240) for one in report.violations]


def expected_words(violation: Violation, report: RunReport) -> str:
    """What was expected, as a rule: which way a threshold holds, and by which method.

    >>> report = AttributionReport(title="", window="", verdict=None, generated="", current=None)
    >>> expected_words(Violation(constraint_check_type="c", description="d", threshold=0.9), report)
    'NDCG of at least 0.9000'
    """
    limit = finite(violation.threshold)
    if isinstance(report, TableReport):
        return _of_feature(violation, report, limit)
    if limit is None:
        return ""
    if isinstance(report, Report):
        constraint = report.constraints.get(violation.subject)
        most = constraint is not None and constraint.comparison_operator == "GreaterThanThreshold"
        return f"at {'most' if most else 'least'} {number(limit)}"
    if isinstance(report, AttributionReport):
        return f"NDCG of at least {number(limit)}"
    return f"no further from fair than {number(limit)}"


def _of_feature(violation: Violation, report: TableReport, limit: float | None) -> str:
    if limit is None:
        return ""
    if violation.constraint_check_type == _DRIFT:
        method = next((one.method for one in report.drift if one.name == violation.feature_name), "")
        words = "p-value of at least" if method in BY_P_VALUE else "distance of at most"
        return f"{words} {number(limit)}{f' by {shorten(method, 40)}' if method else ''}"
    return f"at least {100 * limit:.4g} % of the values" if 0 <= limit <= 1 else f"threshold {number(limit)}"
