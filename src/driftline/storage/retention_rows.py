"""What endpoints keep how long, and taking old rows out of the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update

from driftline.core.errors import NotFoundError
from driftline.resources.executions import FINISHED
from driftline.storage.leases import UNFINISHED
from driftline.storage.schedules import batch_endpoints, endpoint_of
from driftline.storage.tables import counters, endpoints, executions, metrics
from driftline.storage.types import insert_into

_DAY = "retention_day"
_AT_ONCE = 500


def put(connection: Connection, name: str, retention: dict[str, str]) -> None:
    """Set how long an endpoint's data is kept; :class:`NotFoundError` when there is no such endpoint."""
    wanted = update(endpoints).where(endpoints.c.name == name, ~endpoints.c.deleted)
    if not connection.execute(wanted.values(retention=retention or None)).rowcount:
        raise NotFoundError(f"there is no endpoint {name}", hint="list the endpoints to see their names")


def settings(connection: Connection) -> dict[str, dict[str, str]]:
    """What is kept how long, by endpoint; deleted ones too, because their data stays."""
    rows = connection.execute(select(endpoints.c.name, endpoints.c.retention).order_by(endpoints.c.name))
    return {name: retention for name, retention in rows if retention}


def models_in_use(connection: Connection) -> set[str]:
    """The model files of the endpoints that are served, as paths under the data folder."""
    return set(connection.execute(select(endpoints.c.model_path).where(~endpoints.c.deleted)).scalars())


def unfinished(connection: Connection, endpoint: str) -> list[tuple[datetime, datetime]]:
    """Start of the window and tick of every run that waits or goes on."""
    chosen = select(executions.c.window_start, executions.c.tick)
    rows = connection.execute(chosen.where(executions.c.endpoint == endpoint, executions.c.status.in_(UNFINISHED)))
    return [(row.window_start, row.tick) for row in rows]


def first_window(connection: Connection, schedule: str, since: datetime) -> datetime | None:
    """The start of the first window of a schedule that ended at a time or later; None when there is none."""
    ended = (executions.c.schedule == schedule, executions.c.window_end >= since)
    found: datetime | None = connection.execute(select(func.min(executions.c.window_start)).where(*ended)).scalar()
    return found


def forget_executions(
    connection: Connection, endpoint: str, before: datetime, *, keep: int, dry_run: bool = False
) -> int:
    """Delete finished executions with a tick before a time, but not the newest ``keep`` of a schedule; how many."""
    order = (executions.c.tick.desc(), executions.c.revision.desc())
    place = func.row_number().over(partition_by=executions.c.schedule, order_by=order).label("place")
    known = select(executions.c.id, executions.c.tick, executions.c.status, place)
    rows = known.where(executions.c.endpoint == endpoint).subquery()
    old = select(rows.c.id).where(rows.c.place > keep, rows.c.tick < before, rows.c.status.in_(FINISHED))
    return _delete(connection, executions, executions.c.id, connection.execute(old).scalars().all(), dry_run)


def forget_metrics(connection: Connection, endpoint: str, before: datetime, *, dry_run: bool = False) -> int:
    """Delete the points of an endpoint's metrics before a time; how many."""
    every = connection.execute(select(metrics.c.dimensions).distinct()).scalars()
    batches = batch_endpoints(connection)
    mine = [text for text in every if endpoint_of(msgspec.json.decode(text), batches) == endpoint]
    old = select(metrics.c.id).where(metrics.c.dimensions.in_(mine), metrics.c.time < before)
    return _delete(connection, metrics, metrics.c.id, connection.execute(old).scalars().all(), dry_run)


def days_turn(connection: Connection, day: int) -> bool:
    """Whether nobody has cleaned up on this day; whoever is told so first has to do it."""
    statement = insert_into(connection, counters).values(name=_DAY, value=day)
    newer = statement.on_conflict_do_update(
        index_elements=["name"], set_={"value": day}, where=counters.c.value < day
    ).returning(counters.c.value)
    return connection.execute(newer).first() is not None


def cleaned_day(connection: Connection) -> int:
    """The newest day of a clean-up, 0 when there was none: asked first, without the write lock."""
    return int(connection.execute(select(counters.c.value).where(counters.c.name == _DAY)).scalar() or 0)


def _delete(connection: Connection, table: Table, column: ColumnElement[Any], ids: Sequence[Any], dry_run: bool) -> int:
    for start in range(0, 0 if dry_run else len(ids), _AT_ONCE):
        connection.execute(delete(table).where(column.in_(ids[start : start + _AT_ONCE])))
    return len(ids)
