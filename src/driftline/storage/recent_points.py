"""The latest points of a few series, for small charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from driftline.storage.tables import metrics as table

Places = list[tuple[datetime, float | None]]
Key = tuple[str, str, str]
"""A series as its rows have it: namespace, name, and the dimensions as canonical text."""


def points_since(connection: Connection, series: Key, since: datetime) -> Places:
    """Times and values of a series from a time on, oldest first; None is a value that is missing."""
    namespace, name, dimensions = series
    own = (table.c.namespace == namespace, table.c.name == name, table.c.dimensions == dimensions)
    statement = select(table.c.time, table.c.value).where(*own, table.c.time >= since)
    rows = connection.execute(statement.order_by(table.c.time, table.c.id)).all()
    return [(time, value) for time, value in rows]


def published_as(connection: Connection, runs: Sequence[str], names: Sequence[str]) -> dict[tuple[str, str], list[Key]]:
    """The series that runs published under some names, by run and name; in the order they were published in."""
    chosen = (table.c.run.in_(runs), table.c.name.in_(names))
    columns = (table.c.run, table.c.namespace, table.c.name, table.c.dimensions)
    found: dict[tuple[str, str], list[Key]] = {}
    for run, namespace, name, dimensions in connection.execute(select(*columns).where(*chosen).order_by(table.c.id)):
        found.setdefault((run, name), []).append((namespace, name, dimensions))
    return found
