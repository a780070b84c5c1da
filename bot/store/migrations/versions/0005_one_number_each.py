"""No two jobs in work share a number of their provider's, and small facts may be forgotten after a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_IN_WORK = "stage IN ('waiting', 'processing')"
#: Of jobs that share one, the oldest keeps the number: the others cannot be followed, and end as such when looked at.
_LATER_ONES = f"""
UPDATE jobs SET remote_id = NULL WHERE {_IN_WORK} AND EXISTS (
    SELECT 1 FROM jobs AS older
    WHERE older.provider = jobs.provider AND older.remote_id = jobs.remote_id AND older.{_IN_WORK}
    AND (older.created_at < jobs.created_at OR (older.created_at = jobs.created_at AND older.id < jobs.id))
)
"""  # noqa: S608 - put together from constants


def upgrade() -> None:
    """Take doubtful numbers away, make the index, and add the column."""
    op.execute(sa.text(_LATER_ONES))
    op.create_index(
        "uq_jobs_in_work_remote_id",
        "jobs",
        ["provider", "remote_id"],
        unique=True,
        sqlite_where=sa.text(_IN_WORK),
        postgresql_where=sa.text(_IN_WORK),
    )
    op.add_column("state", sa.Column("until", sa.BigInteger))
