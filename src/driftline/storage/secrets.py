"""Secrets that all nodes on one database have in common; none of them is ever in a message."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from driftline.storage.tables import secrets as table
from driftline.storage.types import insert_into


def agreed(connection: Connection, name: str, make: Callable[[], bytes]) -> bytes:
    """The secret of a name. The first who asks makes it; processes that come at once agree on one."""
    found = connection.execute(select(table.c.value).where(table.c.name == name)).scalar_one_or_none()
    if found is None:
        statement = insert_into(connection, table).values(name=name, value=make()).on_conflict_do_nothing()
        connection.execute(statement)
        found = connection.execute(select(table.c.value).where(table.c.name == name)).scalar_one()
    return bytes(found)
