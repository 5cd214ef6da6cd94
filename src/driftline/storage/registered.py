"""Names that another system's clients gave, with the documents behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.registered import Registered
from driftline.storage.tables import registered as table


def add(connection: Connection, entry: Registered) -> None:
    """Store a new name; :class:`ConflictError` when its kind has one already."""
    try:
        with connection.begin_nested():
            connection.execute(table.insert().values(**msgspec.structs.asdict(entry)))
    except IntegrityError:
        what = f"the {entry.kind} {entry.name} exists"
        raise ConflictError(what, hint="choose another name, or delete that one") from None


def get(connection: Connection, kind: str, name: str) -> Registered:
    """One entry; :class:`NotFoundError` when there is none."""
    row = connection.execute(select(table).where(table.c.kind == kind, table.c.name == name)).one_or_none()
    if row is None:
        raise _absent(kind, name)
    return Registered(**row._mapping)


def listing(connection: Connection, kind: str) -> list[Registered]:
    """Every entry of a kind, newest first."""
    statement = select(table).where(table.c.kind == kind).order_by(table.c.created.desc(), table.c.name)
    return [Registered(**row._mapping) for row in connection.execute(statement)]


def change(connection: Connection, kind: str, name: str, *, now: datetime, **changes: Any) -> None:
    """Change ``document`` or ``tags`` of an entry; :class:`NotFoundError` when there is none."""
    statement = update(table).where(table.c.kind == kind, table.c.name == name).values(updated=now, **changes)
    if not connection.execute(statement).rowcount:
        raise _absent(kind, name)


def remove(connection: Connection, kind: str, name: str) -> None:
    """Forget an entry; :class:`NotFoundError` when there is none."""
    if not connection.execute(delete(table).where(table.c.kind == kind, table.c.name == name)).rowcount:
        raise _absent(kind, name)


def _absent(kind: str, name: str) -> NotFoundError:
    return NotFoundError(f"there is no {kind} {name}", hint="list them to see their names")
