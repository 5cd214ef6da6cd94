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

__all__ = ["FeatureDrift", "TableReport", "render"]


def render(report: TableReport) -> str:
    """The page: verdict, violations, segments, features with their distributions, refused records, steps.

    At most 3 MB, whatever the table held; pictures only of the worst features.
    """
    features = features_of(report)

    def drawn(most: TableSizes) -> str:
        return page(report, table_verdict(report, features), _main(report, features, most), styles=FEATURES)

    return fitting(drawn, TABLE_SIZES, MOST_TABLE_BYTES)


def _main(report: TableReport, features: Sequence[Feature], most: TableSizes) -> Markup:
    usual, hidden = SIZES[0], frozenset(feature.name for feature in features if feature.sensitive)
    return join(
        [
            reasons(report, usual),
            violations(report, features, most),
            segment_section(read_segments(report.segments, hidden=hidden), most.segments),
            feature_table(features, most),
            refused(report, usual),
            ledger(report, usual),
        ]
    )
