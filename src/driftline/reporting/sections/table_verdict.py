"""What a page of data quality says first: the verdict on the table, and every violation."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.core.documents import Violation
from driftline.reporting import html
from driftline.reporting.features import Feature, feature_label
from driftline.reporting.report import TableReport
from driftline.reporting.sections.verdict import about, first_sentence
from driftline.reporting.sizes import TableSizes, some
from driftline.reporting.table_sentences import check_name, rows_sentence, table_headline
from driftline.reporting.text import count, plural, shorten


def table_verdict(report: TableReport, features: Sequence[Feature]) -> Markup:
    """The headline with the rows and the baseline it rests on."""
    return html.element(
        "header",
        first_sentence(report.verdict, table_headline(report, features)),
        html.element("p", rows_sentence(report), class_="coverage"),
        html.soft(about(report)),
    )


def violations(report: TableReport, features: Sequence[Feature], most: TableSizes) -> Markup:
    """Every violation in the run's own words: those of the table, then those of its features, the worst first."""
    given = [one for one in report.violations if one.feature_name is None]
    given += [violation for feature in features for violation in feature.violations]
    if not given:
        return Markup("")
    shown, left = some(given, most.violations)
    heads = [html.head("Feature"), html.head("Check"), html.head("What was found"), html.head("n", number=True)]
    table = html.table("Violations", heads, map(_line, shown))
    return html.section(
        plural(len(given), "violation"), html.element("div", table, class_="violations"), html.more(left)
    )


def _line(violation: Violation) -> list[Markup]:
    name = feature_label(violation.subject) if violation.subject != violation.constraint_check_type else "(the table)"
    rows = "–" if violation.item_count is None else count(violation.item_count)
    check = check_name(violation.constraint_check_type)
    return [
        html.first(html.name(name)),
        html.cell(check),
        html.cell(shorten(violation.description, 300)),
        html.amount(rows),
    ]
