"""The machines that work on one database: a sign of life each, and up to when their captures are in the store."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, func, or_, select

from driftline.core.errors import ConflictError
from driftline.storage.tables import nodes as table
from driftline.storage.tables import signs
from driftline.storage.types import insert_into

SCHEDULER = "scheduler"
"""The part of a node that gives signs of life for all."""


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


_COLUMNS = tuple(table.c[name] for name in Node.__struct_fields__)


def enter(connection: Connection, name: str, folder: str, *, version: str, now: datetime) -> None:
    """Say that a node starts, on the data folder of this id. ``now`` is real time.

    Raises :class:`ConflictError` when another data folder works under this name: what each says of itself would be
    taken for the other's.
    """
    values = {"version": version, "started": now, "seen": now, "folder": folder}
    statement = insert_into(connection, table).values(name=name, **values)
    ours = or_(table.c.folder.is_(None), table.c.folder == folder)
    entered = statement.on_conflict_do_update(index_elements=["name"], set_=values, where=ours)
    if connection.execute(entered.returning(table.c.name)).first() is None:
        raise ConflictError(
            f"another data folder of this database is the node {name}",
            hint="give this one a name of its own with --node; if that other is gone for good: driftline node forget "
            + name,
        )


def tell(connection: Connection, node: Node) -> None:
    """Store what a node says of itself, in the place of what it said before."""
    values = msgspec.structs.asdict(node)
    statement = insert_into(connection, table).values(values)
    changes = {name: value for name, value in values.items() if name != "name"}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changes))


def listing(connection: Connection) -> list[Node]:
    """Every node, by name."""
    return [Node(**row._mapping) for row in connection.execute(select(*_COLUMNS).order_by(table.c.name))]


def captured_until(connection: Connection, alive_since: datetime) -> datetime | None:
    """Up to when the captures of all nodes that were seen since a (real) time are in the store; None where no node
    ships any."""
    oldest = select(func.min(table.c.captured_until)).where(table.c.seen >= alive_since)
    found: datetime | None = connection.execute(oldest).scalar_one()
    return found


def forget(connection: Connection, name: str) -> None:
    """Take a node off the list: it has gone for good, or has nothing left to ship."""
    connection.execute(delete(signs).where(signs.c.node == name))
    connection.execute(delete(table).where(table.c.name == name))


def sign(connection: Connection, node: str, part: str, now: datetime) -> None:
    """A sign of life of a part of a node, such as its scheduler. ``now`` is real time."""
    statement = insert_into(connection, signs).values(node=node, part=part, seen=now)
    connection.execute(statement.on_conflict_do_update(index_elements=["node", "part"], set_={"seen": now}))


def last_sign(connection: Connection, part: str) -> datetime | None:
    """The last sign of life of a part of any node; None when there never was one."""
    found: datetime | None = connection.execute(select(func.max(signs.c.seen)).where(signs.c.part == part)).scalar_one()
    return found
