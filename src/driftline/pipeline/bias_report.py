"""The report page of a bias run, or of a baseline of bias."""

from __future__ import annotations

from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.documents import Violation
from driftline.core.verdict import Judgement
from driftline.engine.rejects import Reject
from driftline.pipeline.steps import Step


def bias_report_html(
    *,
    title: str,
    judgement: Judgement | None,
    current: BiasAnalysis,
    generated: str,
    window: str = "",
    baseline: BiasAnalysis | None = None,
    violations: tuple[Violation, ...] = (),
    counts: dict[str, int] | None = None,
    rejects: tuple[Reject, ...] = (),
    steps: tuple[Step, ...] = (),
) -> str:
    """One self-contained HTML page. A baseline has no judgement; its own analysis is ``current``."""
    # The page and its charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.bias import render
    from driftline.reporting.report import BiasReport

    return render(
        BiasReport(
            title=title,
            window=window,
            verdict=None if judgement is None else judgement.verdict,
            reasons=() if judgement is None else judgement.reasons,
            violations=violations,
            generated=generated,
            current=current,
            baseline=baseline,
            counts=counts or {},
            rejects=rejects,
            steps=steps,
        )
    )
