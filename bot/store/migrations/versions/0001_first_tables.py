"""Jobs, processes, artifacts, state.

Written out rather than taken from `tables.py`, which moves on. Times are whole microseconds since 1970.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    _create_jobs()
    _create_artifacts()
    op.create_table(
        "processes",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("beat_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
    )
    op.create_table(
        "state",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_state"),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("asker_id", sa.BigInteger, nullable=False),
        sa.Column("application_id", sa.BigInteger, nullable=False),
        sa.Column("interaction_id", sa.BigInteger),
        sa.Column("source_message_id", sa.BigInteger),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("token_until", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("ephemeral", sa.Boolean, nullable=False),
        sa.Column("by_channel", sa.Boolean, nullable=False),
        sa.Column("size_limit", sa.BigInteger, nullable=False),
        sa.Column("detached", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("progress", sa.JSON),
        sa.Column("artifacts", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("remote_id", sa.Text),
        sa.Column("cost", sa.Double),
        sa.Column("hold", sa.Text, nullable=False),
        sa.Column("held_since", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempted_at", sa.BigInteger),
        sa.Column("parent_id", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("accepted_at", sa.BigInteger),
        sa.Column("submitted_at", sa.BigInteger),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("previous_due_at", sa.BigInteger),
        sa.Column("cadence", sa.Double, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("nudges", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("seen_nudges", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("interaction_id", name="uq_jobs_interaction_id"),
        sa.UniqueConstraint("source_message_id", name="uq_jobs_source_message_id"),
    )
    op.create_index("ix_jobs_due_at", "jobs", ["due_at"])
    op.create_index("ix_jobs_stage", "jobs", ["stage"])
    op.create_index("ix_jobs_provider_remote_id", "jobs", ["provider", "remote_id"])
    op.create_index("ix_jobs_asker_id_created_at", "jobs", ["asker_id", "created_at"])
    op.create_index("ix_jobs_delivered_at", "jobs", ["delivered_at"])


def _create_artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("idx", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "idx", name="pk_artifacts"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_artifacts_job_id", ondelete="CASCADE"),
    )
    op.create_index("ix_artifacts_size", "artifacts", ["size"])
