"""Jobs as rows: who may take which, who may write what.

*Owning.* A row names the process that looks after it. `lease` gives a process the due rows that are its own, nobody's,
or a dead process's, in one statement (a SELECT followed by an UPDATE leases rows twice). `change` writes only where
owner and version are still those that were read.

*The mailbox.* Anybody may ask for a cancel or a look without owning the row: `cancel_requested` is only ever switched
on, and `nudges` counts news. Until a lease has taken note (`seen_nudges`), the owner's own writes can bring `due_at`
forward but not put it off, so no news is lost between two processes.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import SecretStr
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.jobs import Job, JobId, ProcessId, WaitsFor
from bot.domain.stages import REMOTE, TERMINAL, Stage
from bot.errors import DuplicateJob, JobGone, StaleJob, TooManyJobs
from bot.store.base import Change, InWork, JobStore
from bot.store.engine import Database
from bot.store.rows import job_from_row, job_to_row, readable
from bot.store.tables import Moment, jobs, processes, to_micros

log = logging.getLogger(__name__)

#: Stages in which something is left to do.
OPEN = tuple(stage.value for stage in Stage if stage not in TERMINAL)
#: Stages in which a provider has the job, or is about to.
IN_WORK = (Stage.SUBMITTING.value, Stage.WAITING.value, Stage.PROCESSING.value)
#: Stages whose jobs are asked about again and again.
_ASKED_ABOUT = tuple(stage.value for stage in REMOTE)
#: Decided by the store, whatever a change says.
_KEPT = frozenset({"id", "version"})


class SqlJobStore(JobStore):
    """The `JobStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = database.writer

    async def add(self, job: Job, *, at_most: int | None = None) -> None:
        """Insert a new job. Raises `DuplicateJob`, or `TooManyJobs` when its asker has `at_most` open ones already."""
        await self._writer.submit(partial(_add, row=job_to_row(job), at_most=at_most))

    async def get(self, job_id: JobId) -> Job | None:
        """The job as written, or None."""
        return await self._one(select(jobs).where(jobs.c.id == job_id))

    async def change(self, job_id: JobId, owner: ProcessId, change: Change) -> Job:
        """Read, change, and write one row in one transaction; raises `StaleJob` or `JobGone`.

        `change` may be called twice (see writer.py), so it has to be pure.
        """
        return await self._writer.submit(partial(_change, job_id=job_id, owner=owner, change=change))

    async def lease(
        self,
        owner: ProcessId,
        *,
        now: datetime,
        stale_before: datetime,
        limit: int,
        in_hand: Collection[JobId] = (),
        urgent: bool = False,
    ) -> Sequence[Job]:
        """Take due jobs, urgent ones first and then the earliest, in one statement."""
        which = [jobs.c.due_at <= now, _leasable(owner, stale_before), _not_in_hand(in_hand)]
        if urgent:
            which.append(_urgent())
        return await self._writer.submit(partial(_lease, owner=owner, now=now, which=and_(*which), limit=limit))

    async def next_due(
        self, owner: ProcessId, *, stale_before: datetime, in_hand: Collection[JobId] = ()
    ) -> datetime | None:
        """When `lease` would next find something, or None."""
        statement = select(func.min(jobs.c.due_at, type_=Moment))
        statement = statement.where(_leasable(owner, stale_before), _not_in_hand(in_hand))
        async with self._database.reading() as connection:
            due: datetime | None = await connection.scalar(statement)
        return due

    async def request_cancel(self, job_id: JobId, now: datetime) -> bool:
        """Ask whoever owns the job to cancel it, now; False when it is unknown or over."""
        statement = _nudge(job_id, now).where(jobs.c.result.is_(None)).values(cancel_requested=True)
        return await self._writer.submit(partial(_touches, statement=statement))

    async def nudge(self, job_id: JobId, now: datetime) -> bool:
        """Ask whoever owns the job to look at it now; False when it is unknown or ended."""
        return await self._writer.submit(partial(_touches, statement=_nudge(job_id, now)))

    async def renew_reply(
        self, job_id: JobId, *, application_id: int, token: SecretStr, until: datetime, now: datetime
    ) -> bool:
        """Give the reply a fresh token and have whoever owns the job look at it now; False when it ended."""
        address = {"application_id": application_id, "token": token.get_secret_value(), "token_until": until}
        return await self._writer.submit(partial(_touches, statement=_nudge(job_id, now).values(**address)))

    async def detach_reply(self, job_id: JobId, why: str, now: datetime) -> bool:
        """Note, whoever owns the job, that nobody can see its reply any more; False when it is unknown or ended."""
        return await self._writer.submit(partial(_touches, statement=_nudge(job_id, now).values(detached=why)))

    async def unaccepted(self, owner: ProcessId, *, stale_before: datetime) -> Sequence[Job]:
        """Take over rows that were written but never noted as acknowledged, oldest first."""
        return await self._writer.submit(partial(_unaccepted, owner=owner, stale_before=stale_before))

    async def find_by_remote(self, provider: str, remote_id: str) -> Job | None:
        """The job behind a provider's id (the newest, should there be several)."""
        found = select(jobs).where(jobs.c.provider == provider, jobs.c.remote_id == remote_id)
        return await self._one(found.order_by(jobs.c.created_at.desc()).limit(1))

    async def ended_since(
        self, provider: str, owner: ProcessId, since: datetime, *, stale_before: datetime
    ) -> Sequence[Job]:
        """Take over the jobs of a provider that got their result since then, oldest first."""
        lately = and_(jobs.c.provider == provider, jobs.c.ended_at >= since, jobs.c.result.is_not(None))
        which = and_(lately, _free_for(owner, stale_before))
        return await self._writer.submit(partial(_ended, owner=owner, which=which))

    async def known_remote_ids(self, provider: str) -> frozenset[str]:
        """All remote ids of jobs that are kept."""
        statement = select(jobs.c.remote_id).where(jobs.c.provider == provider, jobs.c.remote_id.is_not(None))
        async with self._database.reading() as connection:
            return frozenset(await connection.scalars(statement))

    async def history(self, asker_id: int, *, limit: int) -> Sequence[Job]:
        """A person's jobs, newest first."""
        theirs = select(jobs).where(jobs.c.asker_id == asker_id)
        statement = theirs.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return readable((await connection.execute(statement)).mappings())

    async def in_work(self) -> Sequence[InWork]:
        """Who has how much at which provider, or on the way to it."""
        waiting = func.coalesce(jobs.c.progress["waiting"].as_integer(), 1)
        statement = (
            select(jobs.c.provider, jobs.c.asker_id, func.count(), func.sum(waiting))
            .where(jobs.c.stage.in_(IN_WORK), jobs.c.result.is_(None))
            .group_by(jobs.c.provider, jobs.c.asker_id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        return [InWork(provider=row[0], asker_id=row[1], jobs=row[2], waiting=int(row[3])) for row in rows]

    async def resume(self, owner: ProcessId, *, providers: Collection[str], now: datetime) -> int:
        """Make the owner's jobs due that wait for these providers' service to answer; returns how many."""
        waiting = (
            update(jobs)
            .where(
                jobs.c.owner == owner,
                jobs.c.stage.in_(OPEN),
                jobs.c.waits_for == WaitsFor.SERVICE.value,
                jobs.c.provider.in_(providers),
                jobs.c.due_at > now,
            )
            .values(due_at=now)
        )
        return await self._writer.submit(partial(_count, statement=waiting))

    async def purge(self, *, before: datetime, limit: int = 500) -> int:
        """Delete jobs, with what they brought, that were done with before then; returns how many (at most `limit`)."""
        old = or_(jobs.c.delivered_at < before, and_(jobs.c.delivered_at.is_(None), jobs.c.ended_at < before))
        doomed = select(jobs.c.id).where(jobs.c.stage.not_in(OPEN), old).limit(limit)
        return await self._writer.submit(partial(_count, statement=delete(jobs).where(jobs.c.id.in_(doomed))))

    async def count_open(self) -> int:
        """How many jobs are not over."""
        statement = select(func.count()).select_from(jobs).where(jobs.c.stage.in_(OPEN), jobs.c.result.is_(None))
        async with self._database.reading() as connection:
            return await connection.scalar(statement) or 0

    async def _one(self, statement: Select[Any]) -> Job | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else job_from_row(row)


async def _add(connection: AsyncConnection, *, row: dict[str, Any], at_most: int | None) -> None:
    if at_most is not None:
        theirs = and_(jobs.c.asker_id == row["asker_id"], jobs.c.stage.in_(OPEN), jobs.c.result.is_(None))
        if (await connection.scalar(select(func.count()).select_from(jobs).where(theirs)) or 0) >= at_most:
            raise TooManyJobs(f"user {row['asker_id']} has {at_most} open jobs", open_jobs=at_most)
    try:
        await connection.execute(insert(jobs).values(**row))
    except IntegrityError:
        raise DuplicateJob(f"interaction {row['interaction_id']} already has a job") from None


async def _change(connection: AsyncConnection, *, job_id: JobId, owner: ProcessId, change: Change) -> Job:
    before = await _owned(connection, job_id, owner)
    after = change(before)
    if after == before:
        return before
    values = _differences(before, after)
    if not values:
        return before
    statement = (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.owner == owner, jobs.c.version == before.version)
        .values(**values, version=before.version + 1)
        .returning(*jobs.c)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise StaleJob(f"job {job_id} was taken over while {owner} wrote to it")
    return job_from_row(row)


async def _owned(connection: AsyncConnection, job_id: JobId, owner: ProcessId) -> Job:
    row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).mappings().one_or_none()
    if row is None:
        raise JobGone(f"there is no job {job_id}")
    if row["owner"] != owner:
        raise StaleJob(f"job {job_id} belongs to {row['owner']}, not to {owner}")
    return job_from_row(row)


def _differences(before: Job, after: Job) -> dict[str, Any]:
    """Only the columns that change, and those of the mailbox so that nothing in it is lost."""
    old = job_to_row(before)
    values = {name: value for name, value in job_to_row(after).items() if value != old[name] and name not in _KEPT}
    if not values.get("cancel_requested", True):
        del values["cancel_requested"]
    if "due_at" in values and not after.terminal:
        values["due_at"] = _not_later_than_news(after.due_at)
    return values


def _not_later_than_news(due_at: datetime | None) -> ColumnElement[Any]:
    """`due_at`, unless news that no lease has seen yet makes the row due earlier."""
    unseen = jobs.c.nudges > jobs.c.seen_nudges
    if due_at is None:
        return case((unseen, jobs.c.due_at), else_=null())
    return case((and_(unseen, jobs.c.due_at < due_at), jobs.c.due_at), else_=literal(due_at, Moment))


async def _lease(
    connection: AsyncConnection, *, owner: ProcessId, now: datetime, which: ColumnElement[bool], limit: int
) -> list[Job]:
    due = (
        select(jobs.c.id)
        .where(which)
        .order_by(case((_urgent(), 0), else_=1), jobs.c.due_at, jobs.c.id)
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
    rows = (await connection.execute(statement)).mappings().all()
    return readable(sorted(rows, key=_lateness))


def _lateness(row: RowMapping) -> tuple[datetime, str]:
    return row["previous_due_at"], row["id"]


def _urgent() -> ColumnElement[bool]:
    """There is news, or what is to be done does not wait for a provider's pace of questions."""
    return or_(jobs.c.nudges > jobs.c.seen_nudges, jobs.c.stage.not_in(_ASKED_ABOUT))


def _not_in_hand(in_hand: Collection[JobId]) -> ColumnElement[bool]:
    """Not one of those, unless there is news of it."""
    if not in_hand:
        return true()
    return or_(jobs.c.nudges > jobs.c.seen_nudges, jobs.c.id.not_in(in_hand))


async def _unaccepted(connection: AsyncConnection, *, owner: ProcessId, stale_before: datetime) -> list[Job]:
    forgotten = or_(jobs.c.owner != owner, jobs.c.owner.is_(None), jobs.c.created_at < stale_before)
    statement = (
        update(jobs)
        .where(jobs.c.stage.in_(OPEN), jobs.c.accepted_at.is_(None), _free_for(owner, stale_before), forgotten)
        .values(owner=owner, version=jobs.c.version + 1)
        .returning(*jobs.c)
    )
    rows = (await connection.execute(statement)).mappings().all()
    return readable(sorted(rows, key=lambda row: (row["created_at"], row["id"])))


async def _ended(connection: AsyncConnection, *, owner: ProcessId, which: ColumnElement[bool]) -> list[Job]:
    not_mine = or_(jobs.c.owner != owner, jobs.c.owner.is_(None))
    await connection.execute(update(jobs).where(which, not_mine).values(owner=owner, version=jobs.c.version + 1))
    rows = await connection.execute(select(jobs).where(which).order_by(jobs.c.ended_at, jobs.c.id))
    return readable(rows.mappings())


def _leasable(owner: ProcessId, stale_before: datetime) -> ColumnElement[bool]:
    return and_(jobs.c.stage.in_(OPEN), jobs.c.accepted_at.is_not(None), _free_for(owner, stale_before))


def _free_for(owner: ProcessId, stale_before: datetime) -> ColumnElement[bool]:
    """Mine, nobody's, or a process's that was not heard of lately (or that has no row any more)."""
    alive = select(processes.c.id).where(processes.c.beat_at >= stale_before)
    return or_(jobs.c.owner == owner, jobs.c.owner.is_(None), jobs.c.owner.not_in(alive))


def _nudge(job_id: JobId, now: datetime) -> Any:
    return (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.stage.in_(OPEN))
        .values(nudges=jobs.c.nudges + 1, due_at=case((jobs.c.due_at < now, jobs.c.due_at), else_=literal(now, Moment)))
    )


async def _count(connection: AsyncConnection, *, statement: Any) -> int:
    return (await connection.execute(statement)).rowcount


async def _touches(connection: AsyncConnection, *, statement: Any) -> bool:
    return (await connection.execute(statement)).rowcount > 0
