"""Alembic's entry: runs the migrations on the connection that ``database.migrate`` has locked."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context

from driftline.storage.version import TABLE


def run() -> None:
    """Apply the requested revisions inside the caller's transaction, which is the lock and the way back."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transactional_ddl=True, on_version_apply=note)
    context.run_migrations()


def note(ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
    """Write down for which versions a revision is: its module's ``compatible_since``, where it has one."""
    revision = step.up_revision
    since = getattr(revision.module, "compatible_since", None)
    if since is not None and step.is_upgrade:
        table = sa.table(TABLE, sa.column("revision"), sa.column("compatible_since"))
        ctx.connection.execute(table.insert().values(revision=revision.revision, compatible_since=since))


# Alembic loads this file under this name; anything else that imports it (doctest, mypy) wants no side effect.
if __name__ == "env_py":
    run()
