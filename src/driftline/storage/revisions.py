"""Counters that grow with every change of what serving processes keep in memory, so that one look tells of all."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from driftline.storage.tables import counters
from driftline.storage.types import insert_into

ENDPOINTS, ACCESS = "endpoint_revision", "access_revision"


class Revisions(NamedTuple):
    """How often endpoints, and tokens, were changed."""

    endpoints: int = 0
    access: int = 0


def current(connection: Connection) -> Revisions:
    """The revisions now."""
    rows = connection.execute(select(counters).where(counters.c.name.in_((ENDPOINTS, ACCESS))))
    found = {row.name: int(row.value) for row in rows}
    return Revisions(found.get(ENDPOINTS, 0), found.get(ACCESS, 0))


def grow(connection: Connection, name: str) -> int:
    """One more change; its number. Whoever grows the same counter waits until this transaction ends, so numbers become
    visible in their order."""
    statement = insert_into(connection, counters).values(name=name, value=1)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
    return int(connection.execute(statement.returning(counters.c.value)).scalar_one())


def alone(connection: Connection, name: str) -> None:
    """Until this transaction ends no other passes here with the same name.

    A write transaction of SQLite is alone anyway; on PostgreSQL this waits for a rival's commit and sees it.
    """
    statement = insert_into(connection, counters).values(name=name, value=0)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value}))
