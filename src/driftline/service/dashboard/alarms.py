"""What the pages of alarms show: a page of the list, and all of one alarm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection

from driftline.alerting import rules
from driftline.alerting.alarms import evaluate, periods_needed
from driftline.alerting.metrics import resolved
from driftline.alerting.targets import mask
from driftline.alerting.wording import condition, watched
from driftline.resources.alarms import Alarm, AlarmState, AlarmStatus, Datapoint, Notification, Transition
from driftline.resources.mutes import Mute
from driftline.service import Service
from driftline.service.alarms import shown, told
from driftline.storage import alarm_pages as rows
from driftline.storage import alarms, metrics, schedules

MOST_BOXES = 60
"""Datapoints of an evaluation that are shown, the newest."""


class AlarmLine(msgspec.Struct, frozen=True):
    """An alarm in a list. ``series`` is the page of what it watches, empty where there is none."""

    name: str
    state: AlarmState
    watches: str
    condition: str
    since: datetime
    reason: str
    acknowledged_by: str | None
    muted_until: datetime | None
    series: str


class AlarmList(msgspec.Struct, frozen=True):
    """A page of the list: its lines, whether more follow, how many are in each state, and the mutes not over."""

    alarms: list[AlarmLine]
    more: bool
    counts: dict[str, int]
    mutes: list[Mute]


class AlarmStory(msgspec.Struct, frozen=True):
    """One alarm: its state, the datapoints of its evaluation (oldest first), those it is over, and what came of it."""

    status: AlarmStatus
    line: AlarmLine
    datapoints: list[Datapoint]
    members: list[AlarmLine]
    history: list[Transition]
    more: bool
    deliveries: list[Notification]
    mutes: list[Mute]


def alarm_list(service: Service, *, state: AlarmState | None = None, words: str = "", page: int = 1) -> AlarmList:
    """A page (from 1) of the alarms, in ALARM first."""
    now = service.now()
    with service.store.read() as db:
        found = rows.listing(db, state=state, words=words, page=page)
        mutes = rows.current_mutes(db, now)
        batches = schedules.batch_endpoints(db)
        lines = [_line(status, mutes, now, batches) for status in found[: rows.PAGE]]
        return AlarmList(lines, len(found) > rows.PAGE, rows.counts(db, words), mutes)


def alarm_story(service: Service, name: str, *, page: int = 1) -> AlarmStory:
    """One alarm with a page (from 1) of its history, and what was told of the changes on that page.

    Raises :class:`NotFoundError` where there is none.
    """
    now = service.now()
    with service.store.read() as db:
        status = alarms.get(db, name)
        mutes, batches = rows.current_mutes(db, now, name), schedules.batch_endpoints(db)
        history = rows.changes(db, name, page)
        deliveries = rows.told(db, [change.id for change in history[: rows.PAGE]])
        return AlarmStory(
            shown(status),
            _line(status, mutes, now, batches),
            _datapoints(db, status),
            [_line(member, mutes, now, batches) for member in _members(db, status.definition)],
            history[: rows.PAGE],
            len(history) > rows.PAGE,
            [told(delivery) for delivery in deliveries],
            mutes,
        )


def stored_targets(service: Service, name: str, field: str, typed: Iterable[str]) -> tuple[str, ...]:
    """The targets of an alarm's actions as they were typed, those that are shown masked as they are stored.

    Whoever edits an alarm sees its addresses without their secrets; one that was left alone stays what it is.
    """
    with service.store.read() as db:
        known = rows.several(db, [name])
    kept = list(getattr(known[0].definition, field)) if known else []
    found = []
    for target in typed:
        same = next((one for one in kept if mask(one) == target), target)
        if same in kept:
            kept.remove(same)
        found.append(same)
    return tuple(found)


def own_namespace(service: Service, alarm: Alarm) -> str:
    """The namespace of an alarm's metric; empty where it is that of its schedule's monitor."""
    with service.store.read() as db:
        own = resolved(db, msgspec.structs.replace(alarm.series, namespace="")).namespace
    return "" if alarm.namespace == own else alarm.namespace


def series_path(dimensions: Mapping[str, str], metric: str) -> str:
    """The page of a schedule's metric; empty where no schedule publishes it.

    >>> series_path({"Endpoint": "churn", "MonitoringSchedule": "hourly"}, "f2")
    '/series?endpoint=churn&schedule=hourly&metric=f2'
    """
    endpoint, schedule = dimensions.get("Endpoint"), dimensions.get("MonitoringSchedule")
    if not (endpoint and schedule and metric):
        return ""
    return "/series?" + urlencode({"endpoint": endpoint, "schedule": schedule, "metric": metric})


def _line(status: AlarmStatus, mutes: Iterable[Mute], now: datetime, batches: Mapping[str, str]) -> AlarmLine:
    alarm = status.definition
    dimensions = alarm.dimensions | {"Endpoint": schedules.endpoint_of(alarm.dimensions, batches)}
    covering = [mute.end for mute in mutes if mute.start <= now < mute.end and mute.alarm in (None, status.name)]
    return AlarmLine(
        status.name,
        status.state,
        watched(alarm),
        condition(alarm),
        status.state_since,
        status.reason,
        status.acknowledged.author if status.acknowledged else None,
        max(covering, default=None),
        series_path(dimensions, alarm.metric),
    )


def _datapoints(db: Connection, status: AlarmStatus) -> list[Datapoint]:
    """What the last evaluation rested on: what another one would rest on now."""
    alarm = status.definition
    if alarm.rule is not None:
        return []
    points = metrics.latest_periods(db, alarm.series, period=alarm.period, periods=periods_needed(alarm))
    return list(evaluate(alarm, points, status.state).datapoints)[-MOST_BOXES:]


def _members(db: Connection, alarm: Alarm) -> list[AlarmStatus]:
    return [] if alarm.rule is None else rows.several(db, rules.names(rules.parse(alarm.rule)))
