"""Baselines: what the model did on the day it was trusted, and the constraints that follow from it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from driftline.core.errors import NotFoundError
from driftline.storage.tables import baselines as table
from driftline.storage.types import insert_into


class Baseline(msgspec.Struct, frozen=True):
    """The two documents of a baseline as bytes (``statistics.json``, ``constraints.json``) and their monitor."""

    name: str
    monitor: str
    statistics: bytes
    constraints: bytes
    created: datetime


def put(connection: Connection, baseline: Baseline) -> None:
    """Store a baseline; one of the same name is replaced."""
    values = msgspec.structs.asdict(baseline)
    statement = insert_into(connection, table).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def get(connection: Connection, name: str) -> Baseline:
    """The baseline of a name; :class:`NotFoundError` when there is none."""
    row = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no baseline {name}", hint="list the baselines, or create this one first")
    return Baseline(**row._mapping)


def constraints_of(connection: Connection, name: str) -> bytes | None:
    """The constraints of a baseline, without its statistics, which may be large; None when there is none."""
    return connection.execute(select(table.c.constraints).where(table.c.name == name)).scalar_one_or_none()


def listing(connection: Connection) -> list[Baseline]:
    """Every baseline, by name."""
    return [Baseline(**row._mapping) for row in connection.execute(select(table).order_by(table.c.name))]


def remove(connection: Connection, name: str) -> bool:
    """Delete a baseline; False when there was none."""
    return connection.execute(delete(table).where(table.c.name == name)).rowcount > 0
