"""Hours of captures or labels to which something was added in the store of many nodes: whoever reads them asks what is
new since the last look, and lists nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, select

from driftline.storage.revisions import grow
from driftline.storage.tables import arrivals as table
from driftline.storage.tables import counters
from driftline.storage.types import insert_into

Kind = Literal["captures", "labels"]
_COUNTER = "arrival"


class Arrival(msgspec.Struct, frozen=True):
    """The newest addition to an hour; later additions have greater numbers."""

    endpoint: str
    kind: Kind
    hour: datetime
    number: int


def add(connection: Connection, endpoint: str, kind: Kind, hours: Iterable[datetime]) -> None:
    """Say that something was added to these hours."""
    for hour in sorted(set(hours)):
        values = {"endpoint": endpoint, "kind": kind, "hour": hour, "number": grow(connection, _COUNTER)}
        statement = insert_into(connection, table).values(values)
        same = ["endpoint", "kind", "hour"]
        connection.execute(statement.on_conflict_do_update(index_elements=same, set_={"number": values["number"]}))


def since(connection: Connection, number: int, limit: int | None = None) -> list[Arrival]:
    """What was added after a number, oldest first; 0 gives all. With a ``limit`` no more than so many."""
    wanted = select(table).where(table.c.number > number).order_by(table.c.number).limit(limit)
    return [Arrival(**row._mapping) for row in connection.execute(wanted)]


def hours(connection: Connection, endpoint: str, kind: Kind, first: datetime, last: datetime) -> dict[datetime, int]:
    """The hours from ``first`` up to, not including, ``last`` to which anything was added, with their numbers."""
    chosen = select(table.c.hour, table.c.number).where(
        table.c.endpoint == endpoint, table.c.kind == kind, table.c.hour >= first, table.c.hour < last
    )
    return {row.hour: row.number for row in connection.execute(chosen.order_by(table.c.hour))}


def forget(connection: Connection, before: datetime, *, endpoint: str | None = None, kind: Kind | None = None) -> None:
    """Forget additions to hours before a time: of an endpoint and kind, or of all."""
    old = [table.c.hour < before]
    old += [] if endpoint is None else [table.c.endpoint == endpoint]
    old += [] if kind is None else [table.c.kind == kind]
    connection.execute(delete(table).where(*old))


def followed(connection: Connection, reader: str) -> int:
    """Up to which number a reader, whichever of its processes, has dealt with all additions; 0 at first."""
    name = f"{_COUNTER}.{reader}"
    found = connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar()
    return int(found or 0)


def follow(connection: Connection, reader: str, number: int) -> None:
    """Say that a reader has dealt with all additions up to a number; it never goes back."""
    statement = insert_into(connection, counters).values(name=f"{_COUNTER}.{reader}", value=number)
    further = statement.on_conflict_do_update(
        index_elements=["name"], set_={"value": number}, where=counters.c.value < number
    )
    connection.execute(further)


def newest(connection: Connection, endpoint: str, kind: Kind, first: datetime, last: datetime) -> int:
    """The number of the newest addition to the hours from ``first`` up to, not including, ``last``; 0 for none."""
    chosen = select(table.c.number).where(
        table.c.endpoint == endpoint, table.c.kind == kind, table.c.hour >= first, table.c.hour < last
    )
    return max(connection.execute(chosen).scalars(), default=0)
