"""Hours of captures that are compacted: one row an hour of an endpoint, claimed under a lease, so that of several
schedulers one does it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, delete, select, update

from driftline.core.window import format_time
from driftline.storage.leases import Leases
from driftline.storage.tables import compactions as table
from driftline.storage.types import insert_into

Status = Literal["Pending", "InProgress", "Completed", "Failed"]
_LEASES = Leases(table, table.c.key, (table.c.hour, table.c.key))
_OVER = ("Completed", "Failed")


class Compaction(msgspec.Struct, frozen=True):
    """An hour to compact, or that was."""

    key: str
    endpoint: str
    hour: datetime
    status: Status
    started: datetime | None = None
    finished: datetime | None = None
    attempts: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None


def ask(connection: Connection, endpoint: str, hour: datetime) -> None:
    """Have an hour compacted, once more where it was already; nothing changes where it waits or is under way."""
    key = f"{endpoint}/{format_time(hour)}"
    statement = insert_into(connection, table).values(key=key, endpoint=endpoint, hour=hour, status="Pending")
    connection.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
    over = update(table).where(table.c.key == key, table.c.status.in_(_OVER))
    connection.execute(over.values(status="Pending", attempts=0))


def known(connection: Connection, since: datetime) -> set[tuple[str, datetime]]:
    """The hours from a time on that were asked for, by endpoint."""
    rows = connection.execute(select(table.c.endpoint, table.c.hour).where(table.c.hour >= since))
    return {(row.endpoint, row.hour) for row in rows}


def get(connection: Connection, endpoint: str, hour: datetime) -> Compaction | None:
    """What is known of an hour."""
    key = f"{endpoint}/{format_time(hour)}"
    row = connection.execute(select(table).where(table.c.key == key)).one_or_none()
    return None if row is None else Compaction(**row._mapping)


def waiting(connection: Connection, real: datetime) -> bool:
    """Whether there is anything to claim."""
    return _LEASES.waiting(connection, real)


def claim(connection: Connection, *, owner: str, now: datetime, real: datetime, lease: timedelta) -> Compaction | None:
    """Take the oldest hour that is Pending, or whose owner let its lease run out; None when there is none."""
    row = _LEASES.claim(connection, owner=owner, now=now, real=real, lease=lease)
    return None if row is None else Compaction(**row._mapping)


def extend(connection: Connection, one: Compaction, until: datetime) -> bool:
    """Lengthen the lease; False when it is no longer ours."""
    return _LEASES.extend(connection, one.key, one, until)


def finish(connection: Connection, one: Compaction, status: Status, now: datetime) -> bool:
    """Store how a claimed hour ended, ``Pending`` when it is given back; False when its lease is no longer ours."""
    values: dict[str, Any] = {"status": status} | ({"finished": now} if status in _OVER else {})
    return _LEASES.finish(connection, one.key, one, values)


def forget(connection: Connection, before: datetime) -> None:
    """Delete the rows that ended before a time."""
    connection.execute(delete(table).where(table.c.status.in_(_OVER), table.c.finished < before))
