"""One violation of a run: since when it stands, and how its metric was in the last runs."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from driftline.alerting.metrics import namespace_of, own_dimensions
from driftline.core.bias_analysis import FacetBias
from driftline.core.bias_matching import part_key
from driftline.core.documents import Violation
from driftline.core.errors import NotFoundError
from driftline.core.verdict import Verdict
from driftline.monitors.attribution.publish import NDCG
from driftline.monitors.bias.checks import matched
from driftline.monitors.bias.publish import METRIC, STAGES
from driftline.monitors.data_quality.publish import DRIFT, NON_NULL
from driftline.reporting.report import BiasReport
from driftline.resources.metrics import Series
from driftline.service import Service
from driftline.service.dashboard.analyses import Analysis, RunHead
from driftline.storage import metrics, neighbours

RECENT = 48
_OF_FEATURES = {"baseline_drift_check": DRIFT, "completeness_check": NON_NULL}
_INSTANT = timedelta(microseconds=1)


class RecentRun(msgspec.Struct, frozen=True):
    """A run of the schedule: the value of the metric where it is known, and the number of the same violation in it."""

    run: str
    tick: datetime
    window_start: datetime
    window_end: datetime
    verdict: Verdict | None
    item_count: int | None
    value: float | None
    violation: int | None


class Standing(msgspec.Struct, frozen=True):
    """Since which run a violation stands without a run that was judged and did not have it.

    ``runs`` have it, ``untold`` between them could not tell; with ``longer`` it may have begun before what was looked
    at. ``series`` is the metric that ``recent`` tells of, oldest first.
    """

    since: RecentRun
    runs: int
    untold: int
    longer: bool
    recent: tuple[RecentRun, ...]
    series: Series | None = None


def violation_at(analysis: Analysis, number: int) -> Violation:
    """A violation of a run by its place; raises :class:`NotFoundError` where there is none."""
    given = analysis.report.violations
    if not 0 <= number < len(given):
        known = f"it has {len(given)}, counted from 0" if given else "it has none"
        raise NotFoundError(f"the run has no violation {number}", evidence=known, hint="go to the page of the run")
    return given[number]


def standing(service: Service, analysis: Analysis, violation: Violation) -> Standing:
    """Look back over the last :data:`RECENT` runs of the schedule, by the index on its ticks."""
    head, series = analysis.head, series_of(analysis, violation)
    with service.store.read() as db:
        rows = neighbours.judged_until(db, head.schedule, head.tick, RECENT)
        values = {} if series is None or not rows else _values(db, series, rows[-1].tick, head.tick)
    judged = _newest(head, rows)
    recent = [_recent(row, violation, values) for row in judged]
    length = next((at for at, one in enumerate(recent) if one.violation is None and _told(one)), len(recent))
    streak = recent[:length]
    having = [one for one in streak if one.violation is not None] or recent[:1]
    last = streak.index(having[-1]) if having[-1] in streak else 0
    untold = sum(one.violation is None for one in streak[:last])
    longer = length == len(recent) and len(rows) == RECENT
    return Standing(having[-1], len(having), untold, longer, tuple(reversed(recent)), series)


def _told(one: RecentRun) -> bool:
    """Whether a run had a verdict: one that could not tell does not end what stood before."""
    return one.verdict in (Verdict.OK, Verdict.VIOLATED)


def _newest(head: RunHead, rows: list[neighbours.Judged]) -> list[neighbours.Judged]:
    """Of each window one run: the one that is looked at, else the latest revision."""
    found: dict[tuple[datetime, datetime], neighbours.Judged] = {}
    for row in rows:
        window = (row.window_start, row.window_end)
        if window not in found or row.id == head.id:
            found[window] = row
    return list(found.values())


def _values(db: Connection, series: Series, since: datetime, until: datetime) -> dict[str, float]:
    points = metrics.query(db, series, since=since, until=until + _INSTANT, limit=2 * RECENT)
    return {one.run: one.value for one in points if one.run is not None and one.value is not None}


def _recent(row: neighbours.Judged, violation: Violation, values: dict[str, float]) -> RecentRun:
    mark = _mark(violation)
    number = next((place for place, one in enumerate(row.violations) if _mark(one) == mark), None)
    own = None if number is None else row.violations[number].value
    value = values.get(row.id, own)
    told = value if row.verdict in (Verdict.OK, Verdict.VIOLATED) else None
    return RecentRun(row.id, row.tick, row.window_start, row.window_end, row.verdict, row.item_count, told, number)


def _mark(one: Violation) -> tuple[object, ...]:
    """What is the same in the same violation of another window."""
    part = FacetBias(one.stage or "", one.facet or "", one.facet_value or "", ())  # type: ignore[arg-type]
    return one.metric_name, one.feature_name, one.constraint_check_type, one.label, part_key(part)


def series_of(analysis: Analysis, violation: Violation) -> Series | None:
    """The series that a violation's metric is published in; None where it is not published."""
    name, more = _name(violation, analysis)
    return (
        None
        if name is None
        else Series(namespace_of(analysis.schedule), name, own_dimensions(analysis.schedule) | more)
    )


def _name(violation: Violation, analysis: Analysis) -> tuple[str | None, dict[str, str]]:
    if violation.facet is not None:
        return METRIC + (violation.metric_name or ""), _facet(violation, analysis)
    if violation.label is not None:
        return NDCG, {"ExplainabilityMethod": "KernelShap", "Label": violation.label}
    if violation.feature_name is not None:
        prefix = _OF_FEATURES.get(violation.constraint_check_type)
        return (None if prefix is None else prefix + violation.feature_name), {}
    return violation.metric_name, {}


def _facet(violation: Violation, analysis: Analysis) -> dict[str, str]:
    """The dimensions of a bias metric: a facet's interval is called as in the baseline."""
    report = analysis.report
    if not isinstance(report, BiasReport):
        return {}
    pairs = () if report.baseline is None else matched(report.current, report.baseline)
    names = {
        (one.facet, one.value_or_threshold): old.value_or_threshold
        for one, old in pairs
        if one is not None and one.stage == violation.stage
    }
    facet, value = violation.facet or "", violation.facet_value or ""
    return {
        "BiasStage": next((said for stage, said in STAGES.items() if stage == violation.stage), ""),
        "Label": report.current.label,
        "LabelValue": report.current.label_value_or_threshold,
        "Facet": facet,
        "FacetValue": names.get((facet, value), value),
    }
