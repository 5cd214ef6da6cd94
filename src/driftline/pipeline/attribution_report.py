"""The report page of an attribution run, or of a baseline of attributions."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.documents import Violation
from driftline.monitors.attribution import drift
from driftline.pipeline.report import Frame
from driftline.reporting.report import RankingDrift


def attribution_report_html(
    frame: Frame,
    *,
    current: AttributionAnalysis,
    baseline: AttributionAnalysis | None = None,
    drift: Sequence[RankingDrift] = (),
) -> str:
    """One self-contained HTML page; the own analysis of a baseline is ``current``.

    ``drift`` is the NDCG of each label with its interval and threshold, or why there is none.
    """
    # The page and its charts are loaded by those who write a report, not by everyone who measures.
    from driftline.reporting.attribution import AttributionReport, render

    return render(AttributionReport(**frame.fields(), current=current, baseline=baseline, drift=tuple(drift)))


def shown_drift(
    found: Sequence[drift.RankingDrift], violations: Sequence[Violation], threshold: float
) -> tuple[RankingDrift, ...]:
    """The drift of every output as the report takes it."""
    violated = {one.label for one in violations}
    return tuple(_shown(one, one.label in violated, threshold) for one in found)


def _shown(one: drift.RankingDrift, violated: bool, threshold: float) -> RankingDrift:
    interval = one.confidence_interval
    lower, upper = (None, None) if interval is None else (interval.lower, interval.upper)
    losses = {change.feature: change.loss for change in one.changes}
    return RankingDrift(one.label, one.ndcg, lower, upper, threshold, violated, one.error or "", losses)
