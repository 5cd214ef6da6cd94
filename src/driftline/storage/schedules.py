"""Schedules, and how far each has been planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, String, cast, delete, select, update
from sqlalchemy.exc import IntegrityError

from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.schedules import Schedule
from driftline.storage.tables import schedules as table


def add(connection: Connection, schedule: Schedule) -> None:
    """Store a new schedule; :class:`ConflictError` when the name is taken."""
    try:
        with connection.begin_nested():
            connection.execute(table.insert().values(**msgspec.structs.asdict(schedule)))
    except IntegrityError:
        raise ConflictError(
            f"the schedule {schedule.name} exists", hint="choose another name, or delete that one"
        ) from None


def get(connection: Connection, name: str, *, lock: bool = False) -> Schedule:
    """The schedule of a name, locked for this transaction if asked; :class:`NotFoundError` when there is none."""
    statement = select(table).where(table.c.name == name)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no schedule {name}", hint="list the schedules to see their names")
    return Schedule(**row._mapping)


def find(connection: Connection, name: str) -> Schedule | None:
    """The schedule of a name; None when there is none."""
    row = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    return None if row is None else Schedule(**row._mapping)


def batch_endpoints(connection: Connection) -> dict[str, str]:
    """Of schedules that look at batch transforms the endpoint that each stands with, by name: their metrics do not have
    it among their dimensions."""
    named = cast(table.c.attributes, String).contains('"transform"')
    found = (Schedule(**row._mapping) for row in connection.execute(select(table).where(named)))
    return {one.name: one.endpoint for one in found if one.of_batches}


def endpoint_of(dimensions: Mapping[str, str], batches: Mapping[str, str]) -> str:
    """The endpoint of a metric with these dimensions, given :func:`batch_endpoints`; empty where it has none.

    >>> endpoint_of({"Endpoint": "churn"}, {}), endpoint_of({"MonitoringSchedule": "daily"}, {"daily": "batches"})
    ('churn', 'batches')
    """
    return dimensions.get("Endpoint") or batches.get(dimensions.get("MonitoringSchedule", ""), "")


def listing(connection: Connection, *, endpoint: str | None = None) -> list[Schedule]:
    """Every schedule, or those of one endpoint, by name."""
    statement = select(table).order_by(table.c.name)
    if endpoint is not None:
        statement = statement.where(table.c.endpoint == endpoint)
    return [Schedule(**row._mapping) for row in connection.execute(statement)]


def using(connection: Connection, baselines: Sequence[str], *, limit: int = 1000) -> list[tuple[str, str, str]]:
    """The schedules that hold runs against some baselines: (baseline, schedule, endpoint), by the schedules' names."""
    statement = select(table.c.baseline, table.c.name, table.c.endpoint).where(table.c.baseline.in_(baselines))
    found = connection.execute(statement.order_by(table.c.name).limit(limit))
    return [(row.baseline, row.name, row.endpoint) for row in found]


def due(connection: Connection, now: datetime) -> list[str]:
    """The names of the active schedules with a tick at or before now."""
    statement = select(table.c.name).where(table.c.state == "active", table.c.next_tick <= now)
    return list(connection.execute(statement.order_by(table.c.next_tick, table.c.name)).scalars())


def late(connection: Connection, before: datetime) -> list[Schedule]:
    """The active schedules whose next tick was before a time and that nobody took up, by name."""
    statement = select(table).where(table.c.state == "active", table.c.next_tick < before).order_by(table.c.name)
    return [Schedule(**row._mapping) for row in connection.execute(statement)]


def save(connection: Connection, schedule: Schedule) -> None:
    """Replace what is stored of a schedule; nothing happens when it has been deleted meanwhile."""
    values = msgspec.structs.asdict(schedule)
    connection.execute(update(table).where(table.c.name == values.pop("name")).values(**values))


def remove(connection: Connection, name: str) -> bool:
    """Delete a schedule with its executions; False when there was none. Report files stay."""
    return connection.execute(delete(table).where(table.c.name == name)).rowcount > 0
