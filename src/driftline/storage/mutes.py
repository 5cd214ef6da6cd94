"""Times in which nobody is told of an alarm, or of any."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, or_, select

from driftline.resources.mutes import Mute
from driftline.storage.tables import mutes as table


def add(connection: Connection, mute: Mute) -> None:
    """Keep a mute."""
    connection.execute(table.insert().values(**msgspec.structs.asdict(mute)))


def covering(connection: Connection, alarm: str, now: datetime) -> Mute | None:
    """The mute that covers an alarm at a time, the one that ends last; None when it may speak."""
    statement = select(table).where(table.c.start <= now, table.c.end > now)
    statement = statement.where(or_(table.c.alarm.is_(None), table.c.alarm == alarm))
    row = connection.execute(statement.order_by(table.c.end.desc()).limit(1)).first()
    return None if row is None else Mute(**row._mapping)


def listing(connection: Connection, *, limit: int = 100) -> list[Mute]:
    """The mutes, those that end last first; those that are over too."""
    statement = select(table).order_by(table.c.end.desc(), table.c.id).limit(limit)
    return [Mute(**row._mapping) for row in connection.execute(statement)]


def remove(connection: Connection, identity: str) -> bool:
    """Take a mute away; False when there was none."""
    return connection.execute(delete(table).where(table.c.id == identity)).rowcount > 0
