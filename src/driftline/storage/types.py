"""Column types that mean the same on SQLite and PostgreSQL: instants, typed JSON, and portable upserts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import BigInteger, Connection, Dialect, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, stored as whole microseconds since 1970-01-01 UTC; a naive one is a ``TypeError``."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """The instant as an integer."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """The integer as an aware UTC datetime."""
        return None if value is None else EPOCH + value * MICROSECOND


class Json(TypeDecorator[Any]):
    """Any value msgspec can encode, stored as JSON text and read back as the given Python type."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any = Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        """The value as JSON text; None stays NULL."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        """The JSON text as a value of the column's type."""
        return None if value is None else msgspec.json.decode(value, type=self.kind)


def canonical(mapping: dict[str, str]) -> str:
    """A mapping as JSON text with sorted keys, so that equal mappings are equal text.

    >>> canonical({"b": "2", "a": "1"})
    '{"a":"1","b":"2"}'
    """
    return msgspec.json.encode(mapping, order="sorted").decode()


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of the connection (both spell it the same way)."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def new_id() -> str:
    """A random id of 32 hexadecimal digits for a row."""
    return uuid4().hex
