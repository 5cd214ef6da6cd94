"""From the drift of rankings to a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.documents import Violation
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.monitors.attribution.drift import RankingDrift
from driftline.monitors.quality.checks import MINIMUM_SAMPLE
from driftline.monitors.rules import Rule

THRESHOLD = 0.9
CHECK, METRIC = "feature_attribution_drift_check", "shap"


def check(
    drifts: Sequence[RankingDrift],
    current: AttributionAnalysis,
    baseline: AttributionAnalysis,
    *,
    threshold: float = THRESHOLD,
    rule: Rule = "interval",
    minimum_sample: int = MINIMUM_SAMPLE,
) -> tuple[Judgement, tuple[Violation, ...]]:
    """A violation for every output whose NDCG is below the threshold, and the verdict.

    By the rule ``interval`` the whole interval of the NDCG must lie below the threshold; an output whose NDCG is below
    it and whose interval is not leaves the verdict UNKNOWN, because more rows would be needed to tell. ``plain`` is the
    comparison of the original service. UNKNOWN, too: no rows or fewer than ``minimum_sample``, and no output that could
    be compared. Reasons name what was not compared, whatever the verdict.
    """
    refused = _refused(current.rows, minimum_sample)
    if refused is not None:
        return Judgement(Verdict.UNKNOWN, (refused,)), ()
    violations = tuple(
        _violation(one, threshold, current.rows, baseline.rows) for one in drifts if _violates(one, threshold, rule)
    )
    open_ = [] if rule == "plain" else [_undecided(one, threshold, current.rows) for one in drifts]
    undecided = [reason for reason in open_ if reason is not None]
    left = [_left(one) for one in drifts if one.ndcg is None]
    reasons = (*undecided, *left, *_methods(current, baseline))
    if violations:
        return Judgement(Verdict.VIOLATED, reasons), violations
    unknown = undecided or not any(one.ndcg is not None for one in drifts)
    return Judgement(Verdict.UNKNOWN if unknown else Verdict.OK, reasons or _nothing(drifts)), ()


def _refused(rows: int, minimum: int) -> Reason | None:
    if not rows:
        return Reason("no_rows", "there is no row to be explained", {"rows": 0})
    if rows < minimum:
        message = f"{rows} explained rows are too few to judge: the minimum sample is {minimum}"
        return Reason("too_few_rows", message, {"rows": rows, "minimum_sample": minimum})
    return None


def _violates(one: RankingDrift, threshold: float, rule: Rule) -> bool:
    if one.ndcg is None or one.ndcg >= threshold:
        return False
    return rule == "plain" or (one.confidence_interval is not None and one.confidence_interval.upper < threshold)


def _undecided(one: RankingDrift, threshold: float, rows: int) -> Reason | None:
    interval = one.confidence_interval
    if one.ndcg is None or one.ndcg >= threshold or _violates(one, threshold, "interval"):
        return None
    reach = "has no interval" if interval is None else f"may be from {interval.lower:.4g} to {interval.upper:.4g}"
    message = f"NDCG {one.ndcg:.4g} of {one.label} is below {threshold!r}, but {reach}: {rows} rows are too few to tell"
    return Reason("too_few_rows", message, {"rows": rows, "label": one.label})


def _left(one: RankingDrift) -> Reason:
    return Reason("not_compared", f"output {one.label} was not compared: {one.error}", {"label": one.label})


def _nothing(drifts: Sequence[RankingDrift]) -> tuple[Reason, ...]:
    return () if drifts else (Reason("not_compared", "the model has no outputs, and neither has the baseline"),)


def _methods(current: AttributionAnalysis, baseline: AttributionAnalysis) -> tuple[Reason, ...]:
    """Two methods, or two spaces, give other attributions; their rankings are compared all the same, and it is said."""
    if current.method == baseline.method:
        return ()
    message = f"attributions by {current.method} are compared with a baseline by {baseline.method}"
    return (Reason("message", message, {"method": current.method, "baseline_method": baseline.method}),)


def _violation(one: RankingDrift, threshold: float, rows: int, baseline_rows: int) -> Violation:
    return Violation(
        metric_name=METRIC,
        constraint_check_type=CHECK,
        description=f"Feature attribution drift {one.ndcg:.4g} exceeds threshold {threshold!r}",
        value=one.ndcg,
        threshold=threshold,
        confidence_interval=one.confidence_interval,
        item_count=rows,
        baseline_count=baseline_rows or None,
        label=one.label,
    )
