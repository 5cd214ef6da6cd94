"""Which version the schema of a store is of: looked up without Alembic, which only a migration has to load."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"


def at_head(connection: Connection) -> bool:
    """Whether the schema is this version's."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [head()]


@cache
def head() -> str:
    """The newest revision that this version knows: every file of ``versions`` begins with its revision's number.

    >>> head() >= "0003"
    True
    """
    return max(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9]*.py"))
