"""Many nodes on one database: who they are, what came from them, what they share, and hours that are made compact."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
compatible_since = "0006"
"""The oldest revision whose versions can work on this schema; see docs/nodes.md for what follows from it."""


def upgrade() -> None:
    """Add the tables, and what a run is told that has to wait."""
    op.create_table(
        "schema_revisions",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("compatible_since", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_schema_revisions")),
    )
    op.create_table(
        "nodes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("captured_until", sa.BigInteger()),
        sa.Column("spool_files", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("spool_bytes", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("trouble", sa.Text()),
        sa.Column("folder", sa.Text()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_nodes")),
    )
    op.create_table(
        "arrivals",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "kind", "hour", name=op.f("pk_arrivals")),
    )
    op.create_index(op.f("ix_arrivals_number"), "arrivals", ["number"])
    op.create_table(
        "signs",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "part", name=op.f("pk_signs")),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    _of_work()


def _of_work() -> None:
    op.create_table(
        "compactions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger()),
        sa.Column("finished", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_until", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_compactions")),
    )
    op.create_index(op.f("ix_compactions_endpoint_hour"), "compactions", ["endpoint", "hour"])
    for column in (
        sa.Column("resume_after", sa.BigInteger()),
        sa.Column("waiting_since", sa.BigInteger()),
        sa.Column("captures", sa.Text()),
    ):
        op.add_column("executions", column)


def downgrade() -> None:
    """Remove them."""
    for column in ("captures", "waiting_since", "resume_after"):
        op.drop_column("executions", column)
    for table in ("compactions", "secrets", "signs", "arrivals", "nodes", "schema_revisions"):
        op.drop_table(table)
