"""Hours of captures or labels to which something was added in the store of many nodes: whoever reads them asks what is
new since the last look, and lists nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, select

from driftline.storage.revisions import grow
from driftline.storage.tables import arrivals as table
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


def since(connection: Connection, number: int) -> list[Arrival]:
    """What was added after a number, oldest first; 0 gives all."""
    rows = connection.execute(select(table).where(table.c.number > number).order_by(table.c.number))
    return [Arrival(**row._mapping) for row in rows]


def newest(connection: Connection, endpoint: str, kind: Kind, first: datetime, last: datetime) -> int:
    """The number of the newest addition to the hours from ``first`` up to, not including, ``last``; 0 for none."""
    chosen = select(table.c.number).where(
        table.c.endpoint == endpoint, table.c.kind == kind, table.c.hour >= first, table.c.hour < last
    )
    return max(connection.execute(chosen).scalars(), default=0)
