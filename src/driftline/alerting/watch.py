"""Alarms at work: evaluated on new points, every change recorded with its notifications in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from driftline.alerting.alarms import Evaluation, check_alarm, describe, evaluate
from driftline.alerting.targets import LOG
from driftline.core.window import format_time
from driftline.resources.alarms import Alarm, AlarmState, Transition
from driftline.storage import alarms as rows
from driftline.storage import deliveries, metrics
from driftline.storage.types import new_id


def put_alarm(connection: Connection, alarm: Alarm, *, now: datetime, real: datetime) -> list[Transition]:
    """Store an alarm and judge it on the points there are. Raises :class:`InputError` for one that cannot work."""
    rows.put(connection, alarm.name, alarm.series, check_alarm(alarm), now)
    return evaluate_alarm(connection, alarm.name, now=now, real=real)


def get_alarm(connection: Connection, name: str) -> Alarm:
    """The definition of a stored alarm; :class:`NotFoundError` when there is none."""
    return rows.get(connection, name).definition


def evaluate_series(
    connection: Connection,
    namespace: str,
    dimensions: dict[str, str],
    *,
    now: datetime,
    real: datetime,
    run: str | None = None,
    link: str | None = None,
) -> list[Transition]:
    """Judge every alarm on a metric with these dimensions; returns the transitions made."""
    names = [name for name, _ in rows.watching(connection, namespace, dimensions)]
    made = (evaluate_alarm(connection, name, now=now, real=real, run=run, link=link) for name in names)
    return [transition for transitions in made for transition in transitions]


def evaluate_alarm(
    connection: Connection,
    name: str,
    *,
    now: datetime,
    real: datetime,
    run: str | None = None,
    link: str | None = None,
) -> list[Transition]:
    """Judge one alarm; an empty list when its state stays. ``link`` leads to the page that shows why.

    ``now`` is the time of the transition, ``real`` the real time from which its notifications are due.
    """
    row = rows.get(connection, name, lock=True)
    alarm = row.definition
    points = metrics.latest_periods(connection, alarm.series, period=alarm.period, periods=alarm.evaluation_periods)
    found = evaluate(alarm, points, row.state)
    if found.state == row.state:
        return []
    return [_move(connection, alarm, row.state, found, now=now, real=real, run=run, link=link)]


def set_state(
    connection: Connection, name: str, state: AlarmState, reason: str, *, now: datetime, real: datetime
) -> list[Transition]:
    """Put an alarm in a state by hand, to try its actions; it holds until the next evaluation."""
    row = rows.get(connection, name, lock=True)
    if row.state == state:
        return []
    return [_move(connection, row.definition, row.state, Evaluation(state, reason), now=now, real=real)]


def _move(
    connection: Connection,
    alarm: Alarm,
    before: AlarmState,
    found: Evaluation,
    *,
    now: datetime,
    real: datetime,
    run: str | None = None,
    link: str | None = None,
) -> Transition:
    transition = Transition(new_id(), alarm.name, before, found.state, now, found.reason, found.datapoints, run)
    rows.move(connection, transition)
    # Written in the same transaction as the state: a crash after it cannot lose a notification.
    for target in dict.fromkeys((LOG, *alarm.actions(found.state))):
        deliveries.enqueue(connection, transition.id, target, _message(alarm, transition, link), real)
    return transition


def _message(alarm: Alarm, transition: Transition, link: str | None) -> dict[str, Any]:
    """The JSON body of a notification."""
    return {
        "alarm": alarm.name,
        "from": transition.from_state,
        "to": transition.to_state,
        "reason": transition.reason,
        "time": format_time(transition.time),
        "metric": alarm.metric,
        "namespace": alarm.namespace,
        "dimensions": alarm.dimensions,
        "threshold": alarm.threshold,
        "operator": alarm.operator,
        "datapoints": [describe(datapoint) for datapoint in transition.datapoints],
        "run": transition.run,
        "link": link,
    }
