"""What a job waits for, whether its asker was told of a late end, and how people want to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns to the jobs, and make the table of preferences."""
    op.add_column("jobs", sa.Column("waits_for", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("jobs", sa.Column("notified_at", sa.BigInteger))
    op.create_table(
        "preferences",
        sa.Column("user_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("notify", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_preferences"),
    )
