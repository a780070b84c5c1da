"""Taking jobs: each is given to one process, in one statement (a SELECT followed by an UPDATE leases rows twice).

A row that cannot be read is *set aside*: written to the log, counted in nobody's work, and not looked at again until
the next process starts, which may be of a version that can read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, RowMapping, and_, cast, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.jobs import Job, ProcessId
from bot.domain.stages import Stage
from bot.store.conditions import NOT_URGENT, SET_ASIDE, STILL_OPEN, URGENT, free_for
from bot.store.rows import readable
from bot.store.tables import jobs, to_micros


async def lease(
    connection: AsyncConnection,
    *,
    owner: ProcessId,
    now: datetime,
    which: ColumnElement[bool],
    limit: int,
    only_urgent: bool = False,
) -> list[Job]:
    """Give the owner so many of those jobs, urgent ones first and then the earliest."""
    # One after the other, not sorted by both: each has an index in the order of `due_at` and ends at the limit, however
    # many thousands are due.
    rows = await _give(connection, owner, now, and_(which, URGENT), limit)
    if not only_urgent and len(rows) < limit:
        others = and_(which, NOT_URGENT, jobs.c.id.not_in([row["id"] for row in rows]))
        rows += await _give(connection, owner, now, others, limit - len(rows))
    leased = readable(rows)
    await _close(connection, rows, leased, due_at=None)
    return leased


async def _give(
    connection: AsyncConnection, owner: ProcessId, now: datetime, which: ColumnElement[bool], limit: int
) -> list[RowMapping]:
    """Write the owner into so many of those rows, the earliest, in one statement; returns them in that order."""
    due = (
        select(jobs.c.id)
        .where(which)
        .order_by(jobs.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has, and needs, no such thing
        .cte("due")
    )
    statement = (
        update(jobs)
        .where(jobs.c.id.in_(select(due.c.id)))
        .values(
            owner=owner,
            version=jobs.c.version + 1,
            previous_due_at=jobs.c.due_at,
            due_at=to_micros(now) + cast(jobs.c.cadence * 1_000_000, BigInteger),
            seen_nudges=jobs.c.nudges,
        )
        .returning(*jobs.c)
    )
    return sorted((await connection.execute(statement)).mappings(), key=_lateness)


async def take_unaccepted(connection: AsyncConnection, *, owner: ProcessId, stale_before: datetime) -> list[Job]:
    """Give the owner the jobs that were written but never noted as acknowledged, oldest first."""
    forgotten = or_(jobs.c.owner != owner, jobs.c.owner.is_(None), jobs.c.created_at < stale_before)
    statement = (
        update(jobs)
        .where(STILL_OPEN, jobs.c.accepted_at.is_(None), free_for(owner, stale_before), forgotten)
        .values(owner=owner, version=jobs.c.version + 1)
        .returning(*jobs.c)
    )
    rows = (await connection.execute(statement)).mappings().all()
    taken = readable(sorted(rows, key=lambda row: (row["created_at"], row["id"])))
    await _close(connection, rows, taken, stage=Stage.ENDED.value, ended_at=jobs.c.created_at)
    return taken


async def take_ended(connection: AsyncConnection, *, owner: ProcessId, which: ColumnElement[bool]) -> list[Job]:
    """Give the owner those jobs that have their result, oldest first."""
    not_mine = or_(jobs.c.owner != owner, jobs.c.owner.is_(None))
    await connection.execute(update(jobs).where(which, not_mine).values(owner=owner, version=jobs.c.version + 1))
    rows = await connection.execute(select(jobs).where(which).order_by(jobs.c.ended_at, jobs.c.id))
    return readable(rows.mappings())


async def try_anew(connection: AsyncConnection, now: datetime) -> None:
    """Have the jobs looked at again that were set aside."""
    await connection.execute(update(jobs).where(SET_ASIDE).values(due_at=now))


async def _close(connection: AsyncConnection, rows: Sequence[RowMapping], read: Sequence[Job], **values: Any) -> None:
    """Write `values` into those rows that could not be read."""
    unreadable = {row["id"] for row in rows}.difference(job.id for job in read)
    if unreadable:
        await connection.execute(update(jobs).where(and_(jobs.c.id.in_(unreadable))).values(**values))


def _lateness(row: RowMapping) -> tuple[datetime, str]:
    return row["previous_due_at"], row["id"]
