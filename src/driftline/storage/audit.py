"""The audit log: rows are added and read, never changed."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from driftline.core.plain_text import plain
from driftline.resources.access import AuditEntry
from driftline.storage.tables import audit as table

_COLUMNS = tuple(table.c[name] for name in AuditEntry.__struct_fields__)
_LONGEST = 300


def add(connection: Connection, entry: AuditEntry) -> None:
    """Add a row; texts that came from a request are cut and made storable."""
    values = msgspec.structs.asdict(entry)
    for field in ("actor", "role", "action", "target", "outcome"):
        values[field] = plain(values[field])[:_LONGEST]
    connection.execute(table.insert().values(**values))


def changes(
    connection: Connection, target: str, *, since: datetime, until: datetime, limit: int = 50
) -> list[AuditEntry]:
    """What was done to a target in [since, until), newest first."""
    within = (table.c.target == target, table.c.outcome == "done", table.c.time >= since, table.c.time < until)
    statement = select(*_COLUMNS).where(*within).order_by(table.c.time.desc()).limit(limit)
    return [AuditEntry(**row._mapping) for row in connection.execute(statement)]


def listing(
    connection: Connection,
    *,
    target: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Rows, newest first, of one target or actor if given."""
    statement = select(*_COLUMNS).order_by(table.c.id.desc()).limit(limit)
    for column, value in (("target", target), ("actor", actor)):
        if value is not None:
            statement = statement.where(table.c[column] == value)
    if since is not None:
        statement = statement.where(table.c.time >= since)
    return [AuditEntry(**row._mapping) for row in connection.execute(statement)]
