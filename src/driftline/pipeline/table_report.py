"""The report page of a data-quality run, or of a baseline of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_statistics import TableStatistics
from driftline.monitors.data_quality.drift import TableDrift
from driftline.pipeline.report import Frame


def table_report_html(
    frame: Frame,
    *,
    current: TableStatistics,
    baseline: TableStatistics | None = None,
    constraints: DataQualityConstraints | None = None,
    drift: TableDrift | None = None,
    segments: Sequence[dict[str, Any]] = (),
) -> str:
    """One self-contained HTML page; the own columns of a baseline are ``current``.

    ``segments`` are ranked as :func:`~driftline.pipeline.segmented.segments_document` writes them.
    """
    # The page and its charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.data_quality import render
    from driftline.reporting.report import FeatureDrift, TableReport

    return render(
        TableReport(
            **frame.fields(),
            current=current,
            baseline=baseline,
            constraints=constraints,
            drift=tuple(
                FeatureDrift(
                    one.name,
                    one.method,
                    one.distance,
                    one.threshold,
                    one.p_value if one.adjusted_p_value is None else one.adjusted_p_value,
                    one.drifted,
                    "" if one.reason is None else one.reason.message,
                )
                for one in ([] if drift is None else drift.features)
            ),
            segments=tuple(segments),
        )
    )
