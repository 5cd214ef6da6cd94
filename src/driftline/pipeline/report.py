"""The report page of a run or a baseline."""

from __future__ import annotations

from typing import Any

from driftline.core.documents import ModelQualityConstraints, Violation
from driftline.core.verdict import Judgement
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
    calibration: dict[str, Any] | None = None,
) -> str:
    """One self-contained HTML page. A baseline has no judgement.

    ``calibration`` is what the estimate in the statistics rests on.
    """
    # The page and its charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.model_quality import render
    from driftline.reporting.report import Report

    return render(
        Report(
            title=title,
            window=window,
            verdict=None if judgement is None else judgement.verdict,
            reasons=() if judgement is None else judgement.reasons,
            violations=violations,
            statistics=statistics,
            constraints={} if constraints is None else constraints.constraints,
            counts=counts or {},
            rejects=rejects,
            steps=steps,
            generated=generated,
            calibration=calibration,
        )
    )


def framed(page: str) -> str:
    """A page as a notebook shows it: in a frame of its own, so that the styles of the two do not meet."""
    from markupsafe import escape

    look = "width: 100%; height: 44rem; border: 0; resize: vertical; overflow: auto"
    return f'<iframe title="driftline report" sandbox="" style="{look}" srcdoc="{escape(page)}"></iframe>'
