"""The verdict and its reasons as a person would say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftline.core.documents import Constraint, Violation
from driftline.core.verdict import Reason, Verdict
from driftline.reporting.statistics import Entry, finite
from driftline.reporting.text import apart, count, metric_label, percent, plural, shorten


def headline(
    verdict: Verdict | None, violated: Sequence[str], reasons: Sequence[Reason], constraints: Mapping[str, Constraint]
) -> str:
    """The verdict in one sentence; of a baseline, what it suggests. ``violated`` are the violations' sentences."""
    if verdict is None:
        return f"Baseline with {plural(len(constraints), 'suggested constraint')}"
    if verdict is Verdict.UNKNOWN:
        return _unknown(reasons)
    if verdict is Verdict.VIOLATED:
        return _violated(violated)
    if len(constraints) == 1:
        return "The one constraint is met"
    return f"All {count(len(constraints))} constraints are met" if constraints else "No constraint is violated"


def _unknown(reasons: Sequence[Reason]) -> str:
    if not reasons:
        return "Could not tell: no reason was recorded"
    if reasons[0].code == "no_labels":
        return "No verdict: no labels yet"
    others = f", and {plural(len(reasons) - 1, 'other reason')}" if len(reasons) > 1 else ""
    return f"Could not tell: {shorten(reasons[0].message, 200)}{others}"


def _violated(violated: Sequence[str]) -> str:
    if not violated:
        return "A constraint is not met"
    more = len(violated) - 1
    verb = "is" if more == 1 else "are"
    return violated[0] + (f", and {plural(more, 'more constraint')} {verb} not met" if more else "")


def violation_sentence(
    violation: Violation,
    constraints: Mapping[str, Constraint],
    metrics: Mapping[str, Entry],
    baseline: Mapping[str, Entry],
) -> str:
    """What is wrong with one metric, in numbers that differ as written; else the violation's own words."""
    name = violation.subject
    value = metrics[name].value if name in metrics else None
    threshold = finite(constraints[name].threshold) if name in constraints else None
    if value is None or threshold is None:
        return shorten(violation.description, 200) or f"{metric_label(name)} does not meet its constraint"
    before = baseline[name].value if name in baseline else None
    less = constraints[name].comparison_operator == "LessThanThreshold"
    # A value can lie beyond a threshold that was edited by hand without having moved from the baseline.
    moved = before is None or (value < before if less else value > before)
    verb = ("fell to" if less else "rose to") if moved else "is"
    shown, limit = apart(value, threshold)
    return f"{metric_label(name)} {verb} {shown}, {'below' if less else 'above'} its threshold {limit}"


def coverage(rows: int, counts: Mapping[str, int]) -> str:
    """How many rows the numbers rest on, and what share of the predictions has a label."""
    judged = f"n = {plural(rows, 'prediction')} with a label"
    predictions, matched = counts.get("predictions"), counts.get("matched")
    if predictions is None or matched is None:
        return judged
    share = percent(matched, predictions)
    return f"{judged}. Label coverage {share} ({count(matched)} of {count(predictions)})"
