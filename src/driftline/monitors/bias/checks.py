"""From a bias analysis and that of a baseline to a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from driftline.core.bias_analysis import BiasAnalysis, BiasMetric, FacetBias
from driftline.core.bias_matching import part_key
from driftline.core.bias_metrics import fair_value
from driftline.core.documents import Violation
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.monitors.rules import Rule
from driftline.stats.bias import NO_GROUP

MINIMUM_SAMPLE = 30
CHECK = "bias_drift_check"
_SHOWN = 20
_ROUNDING = 1e-9


class Compared(NamedTuple):
    """A metric of a facet's value beside its baseline; ``reason`` says why it was not checked, else it is empty."""

    facet: FacetBias
    metric: BiasMetric
    baseline: BiasMetric
    cause: str = ""
    reason: str = ""

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{self.metric.name} of {self.facet.facet} {self.facet.value_or_threshold}"


def check(
    current: BiasAnalysis,
    baseline: BiasAnalysis,
    *,
    rule: Rule = "interval",
    minimum_sample: int = MINIMUM_SAMPLE,
) -> tuple[Judgement, tuple[Violation, ...]]:
    """Every metric that is worse than in the baseline, and the verdict.

    A value is worse the further it is from the metric's fair value (0; 1 for DI), on either side. ``interval``: it
    violates only when its interval lies wholly outside the range that the baseline allows, which reaches from the fair
    value as far as the baseline's value and its interval, where it has one. ``plain``: when the value itself is further
    from fair than the baseline's value, as the original compares without intervals.

    Facets and values are those of the baseline, and metrics within groups are left out where it has none. A metric
    that has no value on either side is not checked, nor one whose facet, or the rest, has fewer than ``minimum_sample``
    rows: the reasons of the judgement name them, whatever the verdict. UNKNOWN: no metric could be checked.
    """
    compared = list(_compared(current, baseline, rule, minimum_sample))
    found = tuple(violation for one in compared if not one.reason and (violation := _violation(one, rule)) is not None)
    reasons = _told(compared) + _new_values(current, baseline)
    if found:
        return Judgement(Verdict.VIOLATED, reasons), found
    if all(one.reason for one in compared):
        nothing = Reason("no_constraints", "the baseline has no metric: nothing was checked")
        return Judgement(Verdict.UNKNOWN, reasons or (nothing,)), ()
    return Judgement(Verdict.OK, reasons), ()


def matched(current: BiasAnalysis, baseline: BiasAnalysis) -> Iterator[tuple[FacetBias | None, FacetBias]]:
    """Every facet value of the baseline with the current one that it is held against, None where there is none."""
    here = {part_key(facet): facet for facet in current.facets}
    for before in baseline.facets:
        yield here.get(part_key(before)), before


def allowed(baseline: BiasMetric, rule: Rule) -> tuple[float, float]:
    """The range that a baseline's metric allows.

    >>> allowed(BiasMetric("DI", "", 0.75), "plain")
    (0.75, 1.25)
    """
    fair = fair_value(baseline.name)
    ends = [fair if baseline.value is None else baseline.value]
    if rule == "interval" and baseline.confidence_interval is not None:
        ends += [baseline.confidence_interval.lower, baseline.confidence_interval.upper]
    reach = max(abs(end - fair) for end in ends)
    return fair - reach, fair + reach


def _compared(current: BiasAnalysis, baseline: BiasAnalysis, rule: Rule, minimum: int) -> Iterator[Compared]:
    for now, before in matched(current, baseline):
        metrics = {} if now is None else {metric.name: metric for metric in now.metrics}
        few = _too_few(now, minimum)
        for metric in filter(_asked, before.metrics):
            found = metrics.get(metric.name, BiasMetric(metric.name, metric.description, None, "it was not measured"))
            if now is None:
                cause, reason = "no_rows", f"there is no {before.facet} {before.value_or_threshold} in the data"
            elif few:
                cause, reason = "too_few_rows", few
            else:
                cause, reason = _unusable(found, metric, rule)
            yield Compared(now or before, found, metric, cause, reason)


def _asked(metric: BiasMetric) -> bool:
    """Whether somebody wanted to know: what compares within groups has no value where the baseline names no group."""
    return metric.error != NO_GROUP


def _too_few(facet: FacetBias | None, minimum: int) -> str:
    if facet is None or facet.rows is None:
        return ""
    inside, rows = facet.rows
    if min(inside, rows - inside) >= minimum:
        return ""
    return f"{inside} rows in the facet and {rows - inside} beside it; the minimum sample is {minimum}"


def _unusable(metric: BiasMetric, baseline: BiasMetric, rule: Rule) -> tuple[str, str]:
    if metric.value is None:
        return "metric_undefined", f"no value now: {metric.error or 'undefined'}"
    if baseline.value is None:
        return "metric_undefined", f"no value in the baseline: {baseline.error or 'undefined'}"
    if rule == "interval" and metric.confidence_interval is None:
        return "no_interval", "its value is too uncertain for an interval"
    return "", ""


def _violation(one: Compared, rule: Rule) -> Violation | None:
    low, high = allowed(one.baseline, rule)
    value, interval = one.metric.value, one.metric.confidence_interval
    if value is None:
        return None
    lower, upper = (interval.lower, interval.upper) if rule == "interval" and interval is not None else (value, value)
    above, below = lower > high + _ROUNDING, upper < low - _ROUNDING
    if not above and not below:
        return None
    return Violation(
        metric_name=one.metric.name,
        constraint_check_type=CHECK,
        description=f"Value {value:.6g} does not meet the constraint requirement",
        value=value,
        threshold=high if above else low,
        confidence_interval=interval,
        item_count=None if one.facet.rows is None else one.facet.rows[1],
        facet=one.facet.facet,
        facet_value=one.facet.value_or_threshold,
        stage=one.facet.stage,
    )


def _told(compared: Sequence[Compared]) -> tuple[Reason, ...]:
    """The metrics that were not checked, all in one reason: how many for which cause, and some by name."""
    left = [one for one in compared if one.reason]
    if not left:
        return ()
    causes = Counter(one.cause for one in left)
    message = f"{len(left)} of {len(compared)} metrics were not checked: " + ", ".join(
        f"{cause} ({count})" for cause, count in causes.most_common()
    )
    return (Reason("not_compared", message, {"metrics": {one.subject: one.reason for one in left[:_SHOWN]}}),)


def _new_values(current: BiasAnalysis, baseline: BiasAnalysis) -> tuple[Reason, ...]:
    """Facet values that the baseline does not know."""
    known = {part_key(facet) for facet in baseline.facets}
    new = list(
        dict.fromkeys(f"{one.facet} {one.value_or_threshold}" for one in current.facets if part_key(one) not in known)
    )
    if not new:
        return ()
    shown = ", ".join(new[:_SHOWN]) + (", …" if len(new) > _SHOWN else "")
    return (Reason("not_compared", f"the baseline does not know: {shown}", {"values": new[:_SHOWN]}),)
