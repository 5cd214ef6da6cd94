"""Which version the schema of a store is of."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from driftline.storage.database import Store


def at_head(store: Store) -> bool:
    """Whether the store's schema is this version's; :class:`SetupError` when it cannot be reached."""
    with store.read() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head()


@cache
def head() -> str | None:
    """The newest revision that this version knows."""
    return ScriptDirectory(str(Path(__file__).parent / "migrations")).get_current_head()
