"""The report page of an attribution run, or of a baseline of attributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.documents import Violation
from driftline.core.verdict import Judgement
from driftline.engine.rejects import Reject
from driftline.pipeline.steps import Step

if TYPE_CHECKING:
    from driftline.reporting.report import RankingDrift


def attribution_report_html(
    *,
    title: str,
    judgement: Judgement | None,
    current: AttributionAnalysis,
    generated: str,
    window: str = "",
    baseline: AttributionAnalysis | None = None,
    drift: Sequence[RankingDrift] = (),
    violations: tuple[Violation, ...] = (),
    counts: dict[str, int] | None = None,
    rejects: tuple[Reject, ...] = (),
    steps: tuple[Step, ...] = (),
) -> str:
    """One self-contained HTML page. A baseline has no judgement; what it found is ``current``.

    ``drift`` is the NDCG of each label with its interval and threshold, or why there is none.
    """
    # The page and its charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.attribution import AttributionReport, render

    return render(
        AttributionReport(
            title=title,
            window=window,
            verdict=None if judgement is None else judgement.verdict,
            reasons=() if judgement is None else judgement.reasons,
            violations=violations,
            generated=generated,
            current=current,
            baseline=baseline,
            drift=tuple(drift),
            counts=counts or {},
            rejects=rejects,
            steps=steps,
        )
    )
