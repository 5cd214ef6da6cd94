"""From the statistics of a table and its constraints to a verdict."""

from __future__ import annotations

from collections import Counter

from driftline.core.documents import Violation
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_statistics import TableStatistics
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.monitors.data_quality.column_checks import check_column
from driftline.monitors.data_quality.drift import TableDrift, compare
from driftline.monitors.data_quality.table_checks import check_columns, check_drift

MINIMUM_SAMPLE = 30
_SHOWN = 20


def check(
    current: TableStatistics,
    baseline: TableStatistics | None,
    constraints: DataQualityConstraints,
    *,
    minimum_sample: int = MINIMUM_SAMPLE,
    drift: TableDrift | None = None,
) -> tuple[Judgement, tuple[Violation, ...]]:
    """Every constraint that is not met, and the verdict.

    UNKNOWN: the constraints are not to be evaluated or there are none, there are no rows or fewer than
    ``minimum_sample``, or drift was to be looked at and no feature could be compared. A feature that could not be
    compared is no violation; the reasons of the judgement name it, whatever the verdict. Without a baseline drift is
    not looked at. ``drift`` is what :func:`compare` gave, where it is known already.
    """
    refused = _refused(current, constraints, minimum_sample)
    if refused is not None:
        return Judgement(Verdict.UNKNOWN, (refused,)), ()
    if drift is None:
        drift = TableDrift() if baseline is None else compare(current, baseline, constraints)
    found = [*_columns(current, constraints), *check_columns(current, constraints)]
    if baseline is not None:
        found += check_drift(drift, current, baseline, constraints)
    return Judgement(_verdict(found, drift), _told(drift)), tuple(found)


def _columns(current: TableStatistics, constraints: DataQualityConstraints) -> list[Violation]:
    here = {one.name: one for one in current.features}
    pairs = ((here.get(one.name), one) for one in constraints.features)
    return [
        violation
        for feature, expected in pairs
        if feature is not None
        for violation in check_column(feature, expected, constraints)
    ]


def _refused(current: TableStatistics, constraints: DataQualityConstraints, minimum: int) -> Reason | None:
    """Why nothing is judged."""
    rows = current.item_count
    if constraints.evaluate_constraints == "Disabled":
        return Reason("disabled", "evaluate_constraints is Disabled: nothing was checked")
    if not constraints.features:
        return Reason("no_constraints", "the constraints document names no feature: nothing was checked")
    if not rows:
        return Reason("no_rows", "there is no row to be checked", {"rows": 0})
    if rows < minimum:
        message = f"{rows} rows are too few to judge: the minimum sample is {minimum}"
        return Reason("too_few_rows", message, {"rows": rows, "minimum_sample": minimum})
    return None


def _verdict(found: list[Violation], drift: TableDrift) -> Verdict:
    if found:
        return Verdict.VIOLATED
    return Verdict.UNKNOWN if drift.features and not drift.compared else Verdict.OK


def _told(drift: TableDrift) -> tuple[Reason, ...]:
    """The features that could not be compared, all in one reason: how many for which cause, and some by name."""
    left = [one for one in drift.features if one.reason is not None]
    if not left:
        return ()
    causes = Counter(one.reason.code for one in left if one.reason is not None)
    named = {one.name: one.reason.message for one in left[:_SHOWN] if one.reason is not None}
    message = f"{len(left)} of {len(drift.features)} features were not compared with the baseline: " + ", ".join(
        f"{code} ({count})" for code, count in causes.most_common()
    )
    return (Reason("not_compared", message, {"features": named}),)
