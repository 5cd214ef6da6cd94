"""Names that begin with or contain a text, a few of each kind."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select

from driftline.storage.tables import alarms, baselines, endpoints, executions, schedules

MOST = 20
_RUN = 4
"""From so many characters on a text may be the beginning of a run's id: shorter ones would find any run."""


class Found(NamedTuple):
    """A thing of a name, and a word on it: an alarm's state, a schedule's endpoint and monitor."""

    name: str
    about: tuple[str, ...] = ()


class FoundRun(NamedTuple):
    """A run whose id begins with the text."""

    id: str
    schedule: str
    window_start: datetime
    window_end: datetime
    verdict: str | None


def endpoints_named(db: Connection, text: str, most: int = MOST) -> list[Found]:
    """Endpoints whose name has the text in it, those that begin with it first."""
    statement = _named(select(endpoints.c.name), endpoints.c.name, text, most).where(~endpoints.c.deleted)
    return [Found(row.name) for row in db.execute(statement)]


def schedules_named(db: Connection, text: str, most: int = MOST) -> list[Found]:
    """Schedules, with their endpoint and monitor."""
    columns = select(schedules.c.name, schedules.c.endpoint, schedules.c.monitor)
    return _found(db, _named(columns, schedules.c.name, text, most))


def baselines_named(db: Connection, text: str, most: int = MOST) -> list[Found]:
    """Baselines, with their monitor."""
    return _found(db, _named(select(baselines.c.name, baselines.c.monitor), baselines.c.name, text, most))


def alarms_named(db: Connection, text: str, most: int = MOST) -> list[Found]:
    """Alarms, with their state."""
    return _found(db, _named(select(alarms.c.name, alarms.c.state), alarms.c.name, text, most))


def runs_named(db: Connection, text: str, most: int = MOST) -> list[FoundRun]:
    """Runs whose id begins with the text, by the primary key; none for fewer than four characters."""
    if len(text) < _RUN:
        return []
    table = executions.c
    columns = select(table.id, table.schedule, table.window_start, table.window_end, table.verdict)
    # A range and not LIKE: it goes by the index on every database. Ids are ASCII, so this is the end of the prefix.
    prefixed = (table.id >= text, table.id < text + "\x7f")
    return [FoundRun(*row) for row in db.execute(columns.where(*prefixed).order_by(table.id).limit(most))]


def _named(statement: Select[Any], name: ColumnElement[str], text: str, most: int) -> Select[Any]:
    """The rows whose name has the text in it; big and small letters are alike, and nothing in it is a wildcard."""
    low: ColumnElement[str] = func.lower(name)
    wanted = text.lower()
    first = low.startswith(wanted, autoescape=True).desc()
    return statement.where(low.contains(wanted, autoescape=True)).order_by(first, name).limit(most)


def _found(db: Connection, statement: Select[Any]) -> list[Found]:
    return [Found(str(row[0]), tuple(map(str, row[1:]))) for row in db.execute(statement)]
