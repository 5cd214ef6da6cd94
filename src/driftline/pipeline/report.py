"""The report page of a run or a baseline."""

from __future__ import annotations

from typing import Any

from driftline.core.documents import ModelQualityConstraints, Violation
from driftline.core.verdict import Judgement, Verdict
from driftline.engine.rejects import Reject
from driftline.pipeline.steps import Step


def report_html(
    *,
    title: str,
    judgement: Judgement | None,
    statistics: dict[str, Any],
    generated: str,
    window: str = "",
    constraints: ModelQualityConstraints | None = None,
    violations: tuple[Violation, ...] = (),
    counts: dict[str, int] | None = None,
    rejects: tuple[Reject, ...] = (),
    steps: tuple[Step, ...] = (),
) -> str:
    """One self-contained HTML page. A baseline has no judgement: it meets its own constraints."""
    # The page's templates and charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.model_quality import render
    from driftline.reporting.report import Report

    return render(
        Report(
            title=title,
            window=window,
            verdict=Verdict.OK if judgement is None else judgement.verdict,
            reasons=() if judgement is None else judgement.reasons,
            violations=violations,
            statistics=statistics,
            constraints={} if constraints is None else constraints.constraints,
            counts=counts or {},
            rejects=rejects,
            steps=steps,
            generated=generated,
        )
    )
