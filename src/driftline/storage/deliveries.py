"""The sent-log: one row per transition and target, written with the transition and sent afterwards."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from driftline.core.plain_text import plain
from driftline.resources.alarms import DeliveryStatus
from driftline.storage.tables import alarm_history as history
from driftline.storage.tables import alarms
from driftline.storage.tables import deliveries as table
from driftline.storage.types import insert_into


class Delivery(msgspec.Struct, frozen=True):
    """A notification to one target. ``id`` is its idempotency key. ``target`` may hold secrets: mask it when shown.

    ``due`` is the real time of the next try; ``attempts`` counts the tries begun, also by a process that died.
    """

    id: str
    transition: str
    target: str
    body: dict[str, Any]
    status: DeliveryStatus
    attempts: int
    created: datetime
    due: datetime
    last_error: str | None = None
    sent: datetime | None = None


def key(transition: str, target: str) -> str:
    """The idempotency key: the same transition and target always give the same one.

    >>> key("t1", "log") == key("t1", "log") != key("t2", "log")
    True
    """
    return hashlib.sha256(f"{transition}\n{target}".encode()).hexdigest()[:32]


def enqueue(
    connection: Connection,
    transition: str,
    target: str,
    body: dict[str, Any],
    real: datetime,
    *,
    muted: str | None = None,
) -> str:
    """Note that a target must be told; returns the key. A second time for the same pair changes nothing.

    With ``muted``, the reason why, it is not sent unless the mute ends and the alarm is still in ALARM.
    """
    status: DeliveryStatus = "pending" if muted is None else "muted"
    delivery = Delivery(key(transition, target), transition, target, body, status, 0, real, real, muted)
    statement = insert_into(connection, table).values(**msgspec.structs.asdict(delivery))
    connection.execute(statement.on_conflict_do_nothing())
    return delivery.id


def claim(connection: Connection, *, real: datetime, lease: timedelta) -> Delivery | None:
    """Take the pending delivery that has been due longest. If its sender dies it is due again after the lease."""
    free = (table.c.status == "pending", table.c.due <= real)
    first = select(table.c.id).where(*free).order_by(table.c.due, table.c.created, table.c.id).limit(1)
    chosen = first.with_for_update(skip_locked=True).scalar_subquery()
    statement = update(table).where(table.c.id == chosen, *free)
    statement = statement.values(attempts=table.c.attempts + 1, due=real + lease)
    row = connection.execute(statement.returning(table)).one_or_none()
    return None if row is None else Delivery(**row._mapping)


def waiting(connection: Connection, real: datetime) -> bool:
    """Whether any delivery is due: asked first, so that an idle sender never takes the write lock."""
    free = (table.c.status == "pending", table.c.due <= real)
    return connection.execute(select(table.c.id).where(*free).limit(1)).first() is not None


def withheld(connection: Connection) -> list[tuple[str, str]]:
    """(delivery, alarm) of what was muted and is of the state that an alarm in ALARM is in."""
    statement = (
        select(table.c.id, alarms.c.name)
        .join(history, history.c.id == table.c.transition)
        .join(alarms, alarms.c.name == history.c.alarm)
        .where(table.c.status == "muted", alarms.c.state == "ALARM")
        .where(history.c.to_state == "ALARM", history.c.time == alarms.c.state_since)
    )
    return [(row.id, row.name) for row in connection.execute(statement)]


def release(connection: Connection, identity: str, real: datetime) -> None:
    """Make what was muted due; it can be once only, because it is muted no more."""
    values = {"status": "pending", "due": real, "last_error": None}
    connection.execute(update(table).where(table.c.id == identity, table.c.status == "muted").values(values))


def succeed(connection: Connection, delivery: Delivery, real: datetime, outcome: str | None = None) -> None:
    """The target has accepted it; ``outcome`` is what it answered, kept with the body."""
    values: dict[str, Any] = {"status": "sent", "sent": real, "last_error": None}
    if outcome is not None:
        values["body"] = delivery.body | {"outcome": plain(outcome)}
    connection.execute(update(table).where(table.c.id == delivery.id).values(values))


def postpone(connection: Connection, delivery: Delivery, error: str, due: datetime | None) -> None:
    """A try did not succeed: the next one is at ``due``, or never when that is None."""
    values: dict[str, Any] = {"last_error": plain(error), "status": "failed" if due is None else "pending"}
    if due is not None:
        values["due"] = due
    same_try = (table.c.id == delivery.id, table.c.status == "pending", table.c.attempts == delivery.attempts)
    connection.execute(update(table).where(*same_try).values(values))


def listing(
    connection: Connection, *, transition: str | None = None, status: DeliveryStatus | None = None, limit: int = 100
) -> list[Delivery]:
    """Deliveries, newest first, of one transition or status if given."""
    statement = select(table).order_by(table.c.created.desc(), table.c.id).limit(limit)
    if transition is not None:
        statement = statement.where(table.c.transition == transition)
    if status is not None:
        statement = statement.where(table.c.status == status)
    return [Delivery(**row._mapping) for row in connection.execute(statement)]
