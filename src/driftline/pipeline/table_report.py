"""The report page of a data-quality run, or of a baseline of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_statistics import TableStatistics
from driftline.core.verdict import Judgement
from driftline.engine.rejects import Reject
from driftline.monitors.data_quality.drift import TableDrift
from driftline.pipeline.steps import Step


def table_report_html(
    *,
    title: str,
    judgement: Judgement | None,
    current: TableStatistics,
    generated: str,
    window: str = "",
    baseline: TableStatistics | None = None,
    constraints: DataQualityConstraints | None = None,
    violations: tuple[Violation, ...] = (),
    drift: TableDrift | None = None,
    counts: dict[str, int] | None = None,
    rejects: tuple[Reject, ...] = (),
    steps: tuple[Step, ...] = (),
    segments: Sequence[dict[str, Any]] = (),
) -> str:
    """One self-contained HTML page. A baseline has no judgement; its own columns are ``current``.

    ``segments`` are ranked as :func:`~driftline.pipeline.segmented.segments_document` writes them.
    """
    # The page and its charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.data_quality import render
    from driftline.reporting.report import FeatureDrift, TableReport

    return render(
        TableReport(
            title=title,
            window=window,
            verdict=None if judgement is None else judgement.verdict,
            reasons=() if judgement is None else judgement.reasons,
            violations=violations,
            generated=generated,
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
            counts=counts or {},
            rejects=rejects,
            steps=steps,
            segments=tuple(segments),
        )
    )
