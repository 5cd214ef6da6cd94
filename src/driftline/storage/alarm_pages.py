"""What pages ask of alarms: a page of the list, of a history, what was told of it, and the mutes that are not over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from driftline.resources.alarms import AlarmState, AlarmStatus, Transition
from driftline.resources.mutes import Mute
from driftline.storage import alarms
from driftline.storage.deliveries import Delivery
from driftline.storage.tables import alarm_history as history
from driftline.storage.tables import alarms as table
from driftline.storage.tables import deliveries
from driftline.storage.tables import mutes as mute_table

PAGE = 50
"""Rows of a page."""
_MOST_MUTES = 1000
_FIRST = case((table.c.state == "ALARM", 0), (table.c.state == "INSUFFICIENT_DATA", 1), else_=2)
_CHANGE = tuple(history.c[name] for name in ("id", "alarm", "from_state", "to_state", "time", "reason", "run"))


def listing(connection: Connection, *, state: AlarmState | None, words: str, page: int) -> list[AlarmStatus]:
    """A page of the alarms (from 1), with one row more where another page follows: those in ALARM first, then by name.

    ``words`` must be part of the name, the metric or a dimension; large and small letters are alike.
    """
    wanted = _named(words)
    if state is not None:
        wanted.append(table.c.state == state)
    statement = select(*alarms.COLUMNS).where(*wanted).order_by(_FIRST, table.c.name)
    rows = connection.execute(statement.limit(PAGE + 1).offset(PAGE * (page - 1)))
    return [alarms.status_of(row) for row in rows]


def counts(connection: Connection, words: str) -> dict[str, int]:
    """How many alarms are in each state, of those that :func:`listing` finds."""
    statement = select(table.c.state, func.count().label("number")).where(*_named(words)).group_by(table.c.state)
    return {row.state: row.number for row in connection.execute(statement)}


def several(connection: Connection, names: Sequence[str]) -> list[AlarmStatus]:
    """The alarms of these names, by name."""
    statement = select(*alarms.COLUMNS).where(table.c.name.in_(names)).order_by(table.c.name)
    return [alarms.status_of(row) for row in connection.execute(statement)]


def changes(connection: Connection, name: str, page: int) -> list[Transition]:
    """A page (from 1) of an alarm's transitions, newest first, with one more where another page follows.

    Their datapoints are left out.
    """
    statement = select(*_CHANGE).where(history.c.alarm == name).order_by(history.c.time.desc(), history.c.id)
    rows = connection.execute(statement.limit(PAGE + 1).offset(PAGE * (page - 1)))
    return [Transition(**row._mapping) for row in rows]


def told(connection: Connection, transitions: Sequence[str]) -> list[Delivery]:
    """The deliveries of these transitions, newest first."""
    statement = select(deliveries).where(deliveries.c.transition.in_(transitions))
    statement = statement.order_by(deliveries.c.created.desc(), deliveries.c.id).limit(10 * PAGE)
    return [Delivery(**row._mapping) for row in connection.execute(statement)]


def current_mutes(connection: Connection, now: datetime, alarm: str | None = None) -> list[Mute]:
    """The mutes that are not over, those that end first before the others; of an alarm, also those of every alarm."""
    statement = select(mute_table).where(mute_table.c.end > now).order_by(mute_table.c.end, mute_table.c.id)
    if alarm is not None:
        statement = statement.where(or_(mute_table.c.alarm.is_(None), mute_table.c.alarm == alarm))
    return [Mute(**row._mapping) for row in connection.execute(statement.limit(_MOST_MUTES))]


def _named(words: str) -> list[ColumnElement[bool]]:
    """The condition that a search makes; none for an empty one."""
    searched = words.strip().lower()
    columns = (table.c.name, table.c.metric, table.c.dimensions)
    return [or_(*(func.lower(one).contains(searched, autoescape=True) for one in columns))] if searched else []
