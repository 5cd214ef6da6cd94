"""Which version the schema of a store is of: looked up without Alembic, which only a migration has to load."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"
TABLE = "schema_revisions"
"""Which schema was made when, and since which revision a version of driftline must be to work on it."""


class Standing(NamedTuple):
    """How a schema stands to this version: its revision ("" for an empty database), the newest that this version knows,
    and, where the schema is newer, the oldest that may work on it (None where it does not say)."""

    found: str
    known: str
    compatible_since: str | None = None

    @property
    def behind(self) -> bool:
        """Whether there is something to migrate.

        >>> Standing("0005", "0006").behind, Standing("0006", "0006").behind, Standing("0007", "0006").behind
        (True, False, False)
        """
        return self.found < self.known

    @property
    def usable(self) -> bool:
        """Whether this version can work on it.

        >>> Standing("0007", "0006", "0006").usable, Standing("0008", "0006", "0007").usable
        (True, False)
        """
        return self.found == self.known or (self.compatible_since is not None and self.compatible_since <= self.known)

    def __str__(self) -> str:
        """For a message.

        >>> print(Standing("0008", "0006", "0007"))
        its schema is 0008, for versions that know 0007; this one knows 0006
        """
        who = "" if self.compatible_since is None else f", for versions that know {self.compatible_since}"
        return f"its schema is {self.found or 'empty'}{who}; this one knows {self.known}"


def standing(connection: Connection, migrations: Path = MIGRATIONS) -> Standing:
    """How the schema of a store stands to the version whose migrations these are."""
    known, tables = head(migrations), inspect(connection)
    if not tables.has_table("alembic_version"):
        return Standing("", known)
    found = max(connection.execute(text("SELECT version_num FROM alembic_version")).scalars(), default="")
    if found <= known or not tables.has_table(TABLE):
        return Standing(found, known)
    asked = text(f"SELECT compatible_since FROM {TABLE} WHERE revision = :revision")  # noqa: S608 - a name of ours
    return Standing(found, known, connection.execute(asked, {"revision": found}).scalar_one_or_none())


@cache
def head(migrations: Path = MIGRATIONS) -> str:
    """The newest revision that a version knows: every file of ``versions`` begins with its revision's number.

    >>> head() >= "0003"
    True
    """
    return max(path.name[1:5] for path in (migrations / "versions").glob("v[0-9]*.py"))
