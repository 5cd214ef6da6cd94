"""Alembic's entry: runs the migrations on the connection that ``database.migrate`` has locked."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Apply the requested revisions inside the caller's transaction, which is the lock and the way back."""
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
    context.run_migrations()


# Alembic loads this file under this name; anything else that imports it (doctest, mypy) wants no side effect.
if __name__ == "env_py":
    run()
