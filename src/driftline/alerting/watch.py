"""Alarms at work: evaluated on new points, every change recorded with its notifications in one transaction."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection

from driftline.alerting import composites
from driftline.alerting.alarms import Evaluation, evaluate, periods_needed
from driftline.alerting.checks import check_alarm
from driftline.alerting.moves import Cause, move
from driftline.core.errors import NotFoundError
from driftline.resources.alarms import Alarm, AlarmState, Transition
from driftline.storage import alarms as rows
from driftline.storage import metrics


def put_alarm(connection: Connection, alarm: Alarm, *, now: datetime, real: datetime) -> list[Transition]:
    """Store an alarm and judge it on the points, or the states of other alarms, there are.

    Raises :class:`InputError` for one that cannot work.
    """
    check_alarm(alarm)
    composites.check_names(connection, alarm)
    rows.put(connection, alarm.name, alarm.series, alarm, now)
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
    cause = Cause(now, real, run, link)
    made: list[Transition] = []
    for name, _ in rows.watching(connection, namespace, dimensions):
        with suppress(NotFoundError):  # deleted meanwhile: no reason for the run that asks to fail
            made += _judge(connection, name, cause)
    # After all of them, so that a rule over several of this run's alarms sees no state in between.
    return made + composites.follow(connection, [transition.alarm for transition in made], cause)


def evaluate_alarm(
    connection: Connection,
    name: str,
    *,
    now: datetime,
    real: datetime,
    run: str | None = None,
    link: str | None = None,
) -> list[Transition]:
    """Judge one alarm, and those whose rules name it; an empty list when no state changes.

    ``link`` leads to the page that shows why.

    ``now`` is the time of the transition, ``real`` the real time from which its notifications are due.
    """
    cause = Cause(now, real, run, link)
    made = _judge(connection, name, cause)
    return made + composites.follow(connection, [name] if made else [], cause)


def set_state(
    connection: Connection, name: str, state: AlarmState, reason: str, *, now: datetime, real: datetime
) -> list[Transition]:
    """Put an alarm in a state by hand, to try its actions; it holds until the next evaluation."""
    row, cause = rows.get(connection, name, lock=True), Cause(now, real)
    if row.state == state:
        return []
    made = [move(connection, row, Evaluation(state, reason), cause)]
    return made + composites.follow(connection, [name], cause)


def _judge(connection: Connection, name: str, cause: Cause) -> list[Transition]:
    row = rows.get(connection, name, lock=True)
    alarm = row.definition
    if alarm.rule is not None:
        return composites.judge(connection, row, cause)
    points = metrics.latest_periods(connection, alarm.series, period=alarm.period, periods=periods_needed(alarm))
    found = evaluate(alarm, points, row.state)
    return [] if found.state == row.state else [move(connection, row, found, cause)]
