"""Every version of a baseline's constraints, with who made it and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table; what a baseline holds now is its first version, of which nobody knows who made it."""
    op.create_table(
        "baseline_versions",
        sa.Column("baseline", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("constraints", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("baseline", "version", name=op.f("pk_baseline_versions")),
        sa.ForeignKeyConstraint(
            ["baseline"], ["baselines.name"], name=op.f("fk_baseline_versions_baseline_baselines"), ondelete="CASCADE"
        ),
    )
    op.execute(
        "INSERT INTO baseline_versions (baseline, version, monitor, constraints, author, note, created)"
        " SELECT name, 1, monitor, constraints, '', '', created FROM baselines"
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("baseline_versions")
