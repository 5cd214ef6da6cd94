"""The report of a data-quality run, or of a baseline of a table, as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.reporting.features import Feature, features_of
from driftline.reporting.markup import join
from driftline.reporting.page import fitting, page
from driftline.reporting.report import FeatureDrift, TableReport
from driftline.reporting.sections.features import feature_table
from driftline.reporting.sections.ledger import ledger, refused
from driftline.reporting.sections.segments import segment_section
from driftline.reporting.sections.table_verdict import table_verdict, violations
from driftline.reporting.sections.verdict import reasons
from driftline.reporting.segments import read_segments
from driftline.reporting.sizes import MOST_TABLE_BYTES, SIZES, TABLE_SIZES, TableSizes
from driftline.reporting.styles import FEATURES

__all__ = ["FeatureDrift", "TableReport", "findings", "render"]


def render(report: TableReport) -> str:
    """The page: verdict, violations, segments, features with their distributions, refused records, steps.

    At most 3 MB, whatever the table held; pictures only of the worst features.
    """
    features = features_of(report)

    def drawn(most: TableSizes) -> str:
        return page(report, table_verdict(report, features), _main(report, features, most), styles=FEATURES)

    return fitting(drawn, TABLE_SIZES, MOST_TABLE_BYTES)


def _main(report: TableReport, features: Sequence[Feature], most: TableSizes) -> Markup:
    usual = SIZES[0]
    return join(
        [
            reasons(report.reasons, usual),
            violations(report, features, most),
            findings(report, features, most),
            refused(report, usual),
            ledger(report, usual),
        ]
    )


def findings(report: TableReport, features: Sequence[Feature], most: TableSizes) -> Markup:
    """Segments, then the features with their distributions; values of sensitive features stay hidden in both."""
    hidden = frozenset(feature.name for feature in features if feature.sensitive)
    segments = segment_section(read_segments(report.segments, hidden=hidden), most.segments)
    return join([segments, feature_table(features, most)])
