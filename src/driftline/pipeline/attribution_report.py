"""What the report page shows of the drift of rankings."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.core.documents import Violation
from driftline.monitors.attribution import drift
from driftline.reporting.report import RankingDrift


def shown_drift(
    found: Sequence[drift.RankingDrift], violations: Sequence[Violation], threshold: float
) -> tuple[RankingDrift, ...]:
    """The drift of every output as the report takes it."""
    violated = {one.label for one in violations}
    return tuple(_shown(one, one.label in violated, threshold) for one in found)


def _shown(one: drift.RankingDrift, violated: bool, threshold: float) -> RankingDrift:
    interval = one.confidence_interval
    lower, upper = (None, None) if interval is None else (interval.lower, interval.upper)
    return RankingDrift(one.label, one.ndcg, lower, upper, threshold, violated, one.error or "")
