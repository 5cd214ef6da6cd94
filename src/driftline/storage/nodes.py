"""The machines that work on one database: a sign of life each, and up to when their captures are in the store."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, func, select

from driftline.storage.tables import nodes as table
from driftline.storage.types import insert_into


class Node(msgspec.Struct, frozen=True):
    """A machine. ``seen`` and ``started`` are real time; ``captured_until`` is the schedules' time up to which all that
    it captured is in the store (None where it ships nothing). ``spool_files`` and ``spool_bytes`` still wait on its
    disk; ``trouble`` is why, where something is wrong."""

    name: str
    version: str
    started: datetime
    seen: datetime
    captured_until: datetime | None = None
    spool_files: int = 0
    spool_bytes: int = 0
    trouble: str | None = None


def tell(connection: Connection, node: Node) -> None:
    """Store what a node says of itself, in the place of what it said before."""
    values = msgspec.structs.asdict(node)
    statement = insert_into(connection, table).values(values)
    changes = {name: value for name, value in values.items() if name != "name"}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changes))


def listing(connection: Connection) -> list[Node]:
    """Every node, by name."""
    return [Node(**row._mapping) for row in connection.execute(select(table).order_by(table.c.name))]


def captured_until(connection: Connection, alive_since: datetime) -> datetime | None:
    """Up to when the captures of all nodes that were seen since a (real) time are in the store; None where no node
    ships any."""
    oldest = select(func.min(table.c.captured_until)).where(table.c.seen >= alive_since)
    found: datetime | None = connection.execute(oldest).scalar_one()
    return found


def forget(connection: Connection, name: str) -> None:
    """Take a node off the list: it has gone for good, or has nothing left to ship."""
    connection.execute(delete(table).where(table.c.name == name))
