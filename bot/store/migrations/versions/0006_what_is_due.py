"""Indexes for what is looked for every second: urgent jobs among all that are due, and those never acknowledged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_URGENT = "due_at IS NOT NULL AND (nudges > seen_nudges OR stage NOT IN ('waiting', 'processing'))"
_UNACCEPTED = "accepted_at IS NULL AND stage <> 'ended'"


def upgrade() -> None:
    """Make them."""
    for name, column, where in (
        ("ix_jobs_urgent", "due_at", _URGENT),
        ("ix_jobs_unaccepted", "created_at", _UNACCEPTED),
    ):
        op.create_index(name, "jobs", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
