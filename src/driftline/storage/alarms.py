"""Alarm definitions with their state, and every transition they made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from driftline.core.errors import NotFoundError
from driftline.resources.alarms import COMPOSITE, Alarm, AlarmState, AlarmStatus, Transition
from driftline.resources.metrics import Series
from driftline.resources.mutes import Acknowledgement
from driftline.storage.tables import alarm_history as history_table
from driftline.storage.tables import alarms as table
from driftline.storage.types import canonical, insert_into

COLUMNS = tuple(table.c[name] for name in AlarmStatus.__struct_fields__)
"""The columns that :func:`status_of` reads."""


def put(connection: Connection, name: str, series: Series, definition: Alarm, now: datetime) -> AlarmStatus:
    """Store a definition. A new alarm starts as INSUFFICIENT_DATA; a known one keeps its state."""
    watched = {
        "namespace": series.namespace,
        "metric": series.name,
        "dimensions": canonical(series.dimensions),
        "definition": definition,
    }
    start = {"state": "INSUFFICIENT_DATA", "state_since": now, "reason": "no datapoint has been evaluated yet"}
    statement = insert_into(connection, table).values(name=name, **watched, **start)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_=watched)
    return status_of(connection.execute(statement.returning(*COLUMNS)).one())


def get(connection: Connection, name: str, *, lock: bool = False) -> AlarmStatus:
    """The alarm of a name, locked for this transaction if asked; :class:`NotFoundError` when there is none."""
    statement = select(*COLUMNS).where(table.c.name == name)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no alarm {name}", hint="list the alarms to see their names")
    return status_of(row)


def listing(connection: Connection, *, state: AlarmState | None = None) -> list[AlarmStatus]:
    """Every alarm, or those in one state, by name."""
    statement = select(*COLUMNS).order_by(table.c.name)
    if state is not None:
        statement = statement.where(table.c.state == state)
    return [status_of(row) for row in connection.execute(statement)]


def watching(connection: Connection, namespace: str, dimensions: dict[str, str]) -> list[tuple[str, str]]:
    """(alarm name, metric name) of the alarms on any metric with these dimensions, by alarm name."""
    statement = select(table.c.name, table.c.metric).where(
        table.c.namespace == namespace, table.c.dimensions == canonical(dimensions)
    )
    return [(row.name, row.metric) for row in connection.execute(statement.order_by(table.c.name))]


def of_schedule(connection: Connection, namespace: str, schedule: str) -> list[str]:
    """The names of the alarms on any metric of a schedule, whatever other dimensions it has, by name."""
    named = canonical({"MonitoringSchedule": schedule}).strip("{}")
    statement = select(table.c.name).where(
        table.c.namespace == namespace, table.c.dimensions.contains(named, autoescape=True)
    )
    return list(connection.execute(statement.order_by(table.c.name)).scalars())


def composites(connection: Connection) -> list[AlarmStatus]:
    """The alarms over other alarms, by name."""
    statement = select(*COLUMNS).where(table.c.namespace == COMPOSITE).order_by(table.c.name)
    found = (status_of(row) for row in connection.execute(statement))
    return [status for status in found if status.definition.rule is not None]


def acknowledge(connection: Connection, name: str, note: Acknowledgement) -> None:
    """Keep that somebody has taken note of an alarm's state."""
    connection.execute(update(table).where(table.c.name == name).values(acknowledged=msgspec.to_builtins(note)))


def move(connection: Connection, transition: Transition) -> None:
    """Set the alarm's state and record the transition; the caller's transaction makes it one act."""
    changes: dict[str, Any] = {"state": transition.to_state, "state_since": transition.time}
    # Whoever took note did so of the state before.
    changes |= {"reason": transition.reason, "acknowledged": None}
    connection.execute(update(table).where(table.c.name == transition.alarm).values(changes))
    connection.execute(history_table.insert().values(**msgspec.structs.asdict(transition)))


def history(connection: Connection, name: str | None = None, *, limit: int = 100) -> list[Transition]:
    """The transitions of one alarm, or of all, newest first; those of a deleted alarm stay."""
    statement = select(history_table).order_by(history_table.c.time.desc(), history_table.c.id).limit(limit)
    if name is not None:
        statement = statement.where(history_table.c.alarm == name)
    return [Transition(**row._mapping) for row in connection.execute(statement)]


def remove(connection: Connection, name: str) -> bool:
    """Delete an alarm; False when there was none. Its history stays."""
    return connection.execute(delete(table).where(table.c.name == name)).rowcount > 0


def status_of(row: Row[Any]) -> AlarmStatus:
    """An alarm from its row."""
    given = dict(row._mapping)
    if given["acknowledged"] is not None:
        given["acknowledged"] = msgspec.convert(given["acknowledged"], Acknowledgement)
    return AlarmStatus(**given)
