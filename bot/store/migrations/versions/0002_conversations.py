"""Conversations: turns, the messages that show them, and what a thread or a direct message remembers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of conversations."""
    _create_turns()
    op.create_table(
        "turn_messages",
        sa.Column("message_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("turn_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_turn_messages"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_turn_messages_turn_id", ondelete="CASCADE"),
    )
    op.create_index("ix_turn_messages_turn_id", "turn_messages", ["turn_id"])
    op.create_table(
        "chats",
        sa.Column("channel_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("persona", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("is_thread", sa.Boolean, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("channel_id", name="pk_chats"),
    )


def _create_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("parent_id", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author_id", sa.BigInteger, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("pictures", sa.JSON, nullable=False),
        sa.Column("captions", sa.JSON, nullable=False),
        sa.Column("job_id", sa.Text),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("persona", sa.Text, nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("job_id", name="uq_turns_job_id"),
    )
    op.create_index("ix_turns_conversation_id", "turns", ["conversation_id"])
    op.create_index("ix_turns_channel_id_created_at", "turns", ["channel_id", "created_at"])
    op.create_index("ix_turns_owner_id", "turns", ["owner_id"])
    op.create_index("ix_turns_created_at", "turns", ["created_at"])
