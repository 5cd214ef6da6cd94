"""How many requests had a side of which nothing could be recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the count."""
    op.add_column("capture_counts", sa.Column("withheld", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("capture_counts", "withheld")
