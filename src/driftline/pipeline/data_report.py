"""The report page of a table's columns: of a run, of a check, or of a baseline."""

from __future__ import annotations

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_statistics import TableStatistics
from driftline.core.verdict import Judgement
from driftline.engine.rejects import Reject
from driftline.monitors.data_quality.drift import TableDrift
from driftline.pipeline.steps import Step


def data_report_html(
    *,
    title: str,
    statistics: TableStatistics,
    generated: str,
    window: str = "",
    judgement: Judgement | None = None,
    baseline: TableStatistics | None = None,
    constraints: DataQualityConstraints | None = None,
    violations: tuple[Violation, ...] = (),
    drift: TableDrift | None = None,
    counts: dict[str, int] | None = None,
    rejects: tuple[Reject, ...] = (),
    steps: tuple[Step, ...] = (),
) -> str:
    """One self-contained HTML page. A baseline has no judgement."""
    from driftline.reporting.data_quality import FeatureDrift, TableReport, render

    found = () if drift is None else drift.features
    return render(
        TableReport(
            title=title,
            window=window,
            verdict=None if judgement is None else judgement.verdict,
            generated=generated,
            reasons=() if judgement is None else judgement.reasons,
            violations=violations,
            counts=counts or {},
            rejects=rejects,
            steps=steps,
            current=statistics,
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
                for one in found
            ),
        )
    )
