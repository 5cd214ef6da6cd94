"""Tokens and sessions. Of both only digests are stored, so that whoever reads the store can use neither."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, update

from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.access import Token
from driftline.storage.revisions import ACCESS, grow
from driftline.storage.tables import sessions as sessions_table
from driftline.storage.tables import tokens as table
from driftline.storage.types import insert_into, new_id

_COLUMNS = tuple(table.c[name] for name in Token.__struct_fields__)


class Identified(NamedTuple):
    """A token with its id, whatever became of it."""

    id: str
    name: str
    role: str
    expires: datetime | None
    revoked: bool


class Found(NamedTuple):
    """A token as it is when a request shows it: its row, its digest, and when it ceases to be valid."""

    id: str
    name: str
    role: str
    digest: str
    expires: datetime | None
    last_used: datetime | None


def add(connection: Connection, token: Token, digest: str) -> Token:
    """Store a new token under its digest; :class:`ConflictError` for a name that was ever given."""
    statement = insert_into(connection, table).values(
        id=new_id(), digest=digest, **{name: getattr(token, name) for name in Token.__struct_fields__}
    )
    # What comes back is asked for, because the number of inserted rows is not told by every driver.
    if connection.execute(statement.on_conflict_do_nothing().returning(table.c.id)).first() is None:
        hint = "choose another; the names of revoked tokens are not given again, so that the audit stays clear"
        raise ConflictError(f"there is a token {token.name} already", hint=hint)
    return token


def listing(connection: Connection) -> list[Token]:
    """Every token, by name, the revoked ones too."""
    return [Token(**row._mapping) for row in connection.execute(select(*_COLUMNS).order_by(table.c.name))]


def identified(connection: Connection) -> list[Identified]:
    """Every token with its id, the revoked ones too."""
    columns = (table.c[name] for name in Identified._fields)
    return [Identified(*row) for row in connection.execute(select(*columns))]


def revoke(connection: Connection, name: str) -> Token:
    """Make a token void, with the sessions that it opened; :class:`NotFoundError` when there is none."""
    chosen = table.c.name == name
    token = connection.execute(select(table.c.id).where(chosen)).scalar_one_or_none()
    if token is None:
        raise NotFoundError(f"there is no token {name}", hint="list the tokens to see their names")
    connection.execute(delete(sessions_table).where(sessions_table.c.token == token))
    grow(connection, ACCESS)
    changed = update(table).where(chosen).values(revoked=True)
    return Token(**connection.execute(changed.returning(*_COLUMNS)).one()._mapping)


def find(connection: Connection, digest: str, now: datetime) -> Found | None:
    """The token with a digest, if it is valid now."""
    columns = (table.c[name] for name in Found._fields)
    row = connection.execute(select(*columns).where(table.c.digest == digest, _valid(now))).one_or_none()
    return None if row is None else Found(*row)


def touch(connection: Connection, token: str, now: datetime) -> None:
    """Remember that a token was used."""
    connection.execute(update(table).where(table.c.id == token).values(last_used=now))


def open_session(connection: Connection, token: str, digest: str, now: datetime, expires: datetime) -> None:
    """Store a session of a token, and forget those that are over."""
    connection.execute(delete(sessions_table).where(sessions_table.c.expires <= now))
    values = {"digest": digest, "token": token, "created": now, "expires": expires}
    connection.execute(sessions_table.insert().values(**values))


def find_session(connection: Connection, digest: str, now: datetime) -> Found | None:
    """The token behind a session, if both are valid now; its ``digest`` and ``expires`` are the session's."""
    query = (
        select(table.c.id, table.c.name, table.c.role, sessions_table.c.digest, sessions_table.c.expires)
        .join(sessions_table, sessions_table.c.token == table.c.id)
        .where(sessions_table.c.digest == digest, sessions_table.c.expires > now, _valid(now))
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Found(*row, now)


def close_session(connection: Connection, digest: str) -> None:
    """End a session."""
    grow(connection, ACCESS)
    connection.execute(delete(sessions_table).where(sessions_table.c.digest == digest))


def _valid(now: datetime) -> ColumnElement[bool]:
    return table.c.revoked.is_(False) & (table.c.expires.is_(None) | (table.c.expires > now))
