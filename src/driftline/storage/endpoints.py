"""Endpoints, and the counter that tells serving processes what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.endpoints import CaptureSettings, Endpoint, ModelDescription
from driftline.storage.revisions import ENDPOINTS, alone, grow
from driftline.storage.tables import endpoints as table
from driftline.storage.types import insert_into


def create(
    connection: Connection,
    name: str,
    *,
    model_path: str,
    model: ModelDescription,
    capture: CaptureSettings,
    now: datetime,
    variant: str = "AllTraffic",
    upstream: str | None = None,
) -> Endpoint:
    """Add an endpoint; :class:`ConflictError` when the name is taken. A deleted name may be used again."""
    values = {
        "model_path": model_path,
        "model": model,
        "capture": capture,
        "variant": variant,
        "upstream": upstream,
        "revision": _next_revision(connection),
        "deleted": False,
        "created": now,
        "updated": now,
    }
    statement = insert_into(connection, table).values(name=name, **values)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_=values, where=table.c.deleted)
    row = connection.execute(statement.returning(table)).one_or_none()
    if row is None:
        raise ConflictError(f"the endpoint {name} exists", hint="choose another name, or update or delete that one")
    return Endpoint(**row._mapping)


def change(connection: Connection, name: str, *, now: datetime, **changes: Any) -> Endpoint:
    """Change any of ``model_path``, ``model``, ``capture``, ``variant`` and ``upstream``.

    Raises :class:`NotFoundError` when there is no such endpoint.
    """
    allowed = {"model_path", "model", "capture", "variant", "upstream"}
    if not changes.keys() <= allowed:
        raise TypeError(f"only {', '.join(sorted(allowed))} can change")
    return _set(connection, name, now, changes)


def delete(connection: Connection, name: str, *, now: datetime) -> Endpoint:
    """Mark an endpoint as deleted and return its last state; :class:`NotFoundError` when there is no such."""
    return _set(connection, name, now, {"deleted": True})


def change_alone(connection: Connection) -> None:
    """Until this transaction ends no other changes an endpoint: for those who change what they have read."""
    alone(connection, ENDPOINTS)


def get(connection: Connection, name: str) -> Endpoint:
    """The endpoint of a name; :class:`NotFoundError` when there is none."""
    row = connection.execute(select(table).where(table.c.name == name, ~table.c.deleted)).one_or_none()
    if row is None:
        raise _missing(name)
    return Endpoint(**row._mapping)


def listing(connection: Connection) -> list[Endpoint]:
    """Every endpoint that is not deleted, by name."""
    rows = connection.execute(select(table).where(~table.c.deleted).order_by(table.c.name))
    return [Endpoint(**row._mapping) for row in rows]


def names(connection: Connection) -> list[str]:
    """The name of every endpoint that is not deleted, in order."""
    return list(connection.execute(select(table.c.name).where(~table.c.deleted).order_by(table.c.name)).scalars())


def changes_since(connection: Connection, revision: int) -> list[Endpoint]:
    """Every endpoint, deleted ones too, that changed after a revision; oldest change first. 0 gives all."""
    rows = connection.execute(select(table).where(table.c.revision > revision).order_by(table.c.revision))
    return [Endpoint(**row._mapping) for row in rows]


def _set(connection: Connection, name: str, now: datetime, changes: dict[str, Any]) -> Endpoint:
    statement = (
        update(table)
        .where(table.c.name == name, ~table.c.deleted)
        .values(revision=_next_revision(connection), updated=now, **changes)
    )
    row = connection.execute(statement.returning(table)).one_or_none()
    if row is None:
        raise _missing(name)
    return Endpoint(**row._mapping)


def _next_revision(connection: Connection) -> int:
    return grow(connection, ENDPOINTS)


def _missing(name: str) -> NotFoundError:
    return NotFoundError(f"there is no endpoint {name}", hint="list the endpoints to see their names")
