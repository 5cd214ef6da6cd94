"""Baselines: what the model did on the day it was trusted, and the constraints that follow from it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from driftline.core.errors import NotFoundError
from driftline.storage import baseline_versions
from driftline.storage.baseline_versions import Edit
from driftline.storage.tables import baselines as table
from driftline.storage.types import insert_into


class Baseline(msgspec.Struct, frozen=True):
    """The two documents of a baseline as bytes (``statistics.json``, ``constraints.json``) and their monitor."""

    name: str
    monitor: str
    statistics: bytes
    constraints: bytes
    created: datetime


class BaselineRow(msgspec.Struct, frozen=True):
    """A baseline as lists show it: without its statistics, which may be large."""

    name: str
    monitor: str
    constraints: bytes
    created: datetime


def put(connection: Connection, baseline: Baseline, edit: Edit | None = None) -> int:
    """Store a baseline; one of the same name is replaced, and what it was is kept as a version. The newest version.

    Without an ``edit`` nobody is named, and the time is the baseline's. Documents that were stored already make no
    version. Raises :class:`ConflictError` when there is a newer version than the one that was edited.
    """
    values = msgspec.structs.asdict(baseline)
    statement = insert_into(connection, table).values(**values)
    # First the row, which is locked from here on: whoever puts the same baseline waits, and sees our version.
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    edit = edit or Edit(baseline.created)
    return baseline_versions.add(connection, baseline.name, baseline.monitor, baseline.constraints, edit)


def get(connection: Connection, name: str) -> Baseline:
    """The baseline of a name; :class:`NotFoundError` when there is none."""
    row = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    if row is None:
        raise _absent(name)
    return Baseline(**row._mapping)


def check(connection: Connection, name: str) -> None:
    """Raises :class:`NotFoundError` when there is no baseline of a name."""
    if connection.execute(select(table.c.name).where(table.c.name == name)).first() is None:
        raise _absent(name)


def constraints_of(connection: Connection, name: str) -> bytes | None:
    """The constraints of a baseline, without its statistics, which may be large; None when there is none."""
    return connection.execute(select(table.c.constraints).where(table.c.name == name)).scalar_one_or_none()


def listing(connection: Connection) -> list[Baseline]:
    """Every baseline, by name."""
    return [Baseline(**row._mapping) for row in connection.execute(select(table).order_by(table.c.name))]


def rows(connection: Connection, *, limit: int, offset: int = 0) -> list[BaselineRow]:
    """Some baselines by name, without their statistics."""
    columns = (table.c[name] for name in BaselineRow.__struct_fields__)
    statement = select(*columns).order_by(table.c.name).limit(limit).offset(offset)
    return [BaselineRow(**row._mapping) for row in connection.execute(statement)]


def remove(connection: Connection, name: str) -> bool:
    """Delete a baseline with its versions; False when there was none."""
    return connection.execute(delete(table).where(table.c.name == name)).rowcount > 0


def _absent(name: str) -> NotFoundError:
    return NotFoundError(f"there is no baseline {name}", hint="list the baselines, or create this one first")
