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
    Select,
    and_,
    bindparam,
    case,
    delete,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.jobs import Job, JobId, ProcessId, WaitsFor
from bot.domain.stages import Stage
from bot.errors import DuplicateRemote, JobGone, StaleJob
from bot.store.admission import NewJob, admit
from bot.store.base import Change, InWork, JobStore
from bot.store.conditions import HAS_NEWS, OPEN, UNDER_WAY, free_for, leasable
from bot.store.counts import in_work
from bot.store.engine import Database
from bot.store.leases import lease, take_ended, take_unaccepted
from bot.store.rows import job_from_row, job_to_row, readable
from bot.store.tables import Moment, jobs

log = logging.getLogger(__name__)

#: Decided by the store, whatever a change says.
_KEPT = frozenset({"id", "version"})

# Every job goes through these several times. Made once, they cost their execution and nothing else; values are given as
# parameters, for `values(…)` builds an expression of each.
_BY_ID = select(jobs).where(jobs.c.id == bindparam("job"))
_CHANGE = (
    update(jobs)
    .where(jobs.c.id == bindparam("job"), jobs.c.owner == bindparam("mine"), jobs.c.version == bindparam("read"))
    .returning(*jobs.c)
)
#: News that no lease has seen yet makes a row due earlier than its owner says.
_CHANGE_AND_WAIT = _CHANGE.values(
    due_at=case(
        (and_(HAS_NEWS, jobs.c.due_at < bindparam("wanted", type_=Moment)), jobs.c.due_at),
        else_=bindparam("wanted", type_=Moment),
    )
)
_CHANGE_AND_REST = _CHANGE.values(due_at=case((HAS_NEWS, jobs.c.due_at), else_=null()))


class SqlJobStore(JobStore):
    """The `JobStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = database.writer

    async def add(self, job: Job, *, at_most: int | None = None) -> None:
        """Insert a new job. Raises `DuplicateJob`, or `TooManyJobs` when its asker has `at_most` open ones already."""
        await self._writer.submit_alike(admit, NewJob(row=job_to_row(job), at_most=at_most))

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
        """Take due jobs, urgent ones first and then the earliest."""
        which = and_(jobs.c.due_at <= now, leasable(owner, stale_before, in_hand))
        return await self._writer.submit(
            partial(lease, owner=owner, now=now, which=which, limit=limit, only_urgent=urgent)
        )

    async def next_due(
        self, owner: ProcessId, *, stale_before: datetime, in_hand: Collection[JobId] = ()
    ) -> datetime | None:
        """When `lease` would next find something, or None."""
        due_ones = select(jobs.c.due_at).where(jobs.c.due_at.is_not(None), leasable(owner, stale_before, in_hand))
        statement = due_ones.order_by(jobs.c.due_at).limit(1)
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

    async def reopen(
        self,
        job_id: JobId,
        *,
        message_id: int | None,
        application_id: int,
        token: SecretStr,
        until: datetime,
        now: datetime,
    ) -> bool:
        """Take up a job that was closed as never acknowledged; False when it was not, or is unknown."""
        closed = and_(jobs.c.id == job_id, jobs.c.stage == Stage.ENDED.value, jobs.c.accepted_at.is_(None))
        place = {"message_id": message_id, "application_id": application_id, "detached": ""}
        address = {"token": token.get_secret_value(), "token_until": until}
        begun = {"stage": Stage.QUEUED.value, "accepted_at": now, "due_at": now, "ended_at": None}
        reopened = update(jobs).where(closed).values(**place, **address, **begun, version=jobs.c.version + 1)
        return await self._writer.submit(partial(_touches, statement=reopened))

    async def detach_reply(self, job_id: JobId, why: str, now: datetime) -> bool:
        """Note, whoever owns the job, that nobody can see its reply any more; False when it is unknown or ended."""
        return await self._writer.submit(partial(_touches, statement=_nudge(job_id, now).values(detached=why)))

    async def unaccepted(self, owner: ProcessId, *, stale_before: datetime) -> Sequence[Job]:
        """Take over rows that were written but never noted as acknowledged, oldest first."""
        return await self._writer.submit(partial(take_unaccepted, owner=owner, stale_before=stale_before))

    async def find_by_remote(self, provider: str, remote_id: str) -> Job | None:
        """The job behind a provider's id (the newest, should there be several)."""
        found = select(jobs).where(jobs.c.provider == provider, jobs.c.remote_id == remote_id)
        return await self._one(found.order_by(jobs.c.created_at.desc()).limit(1))

    async def ended_since(
        self, provider: str, owner: ProcessId, since: datetime, *, stale_before: datetime
    ) -> Sequence[Job]:
        """Take over the jobs of a provider that got their result since then, oldest first."""
        lately = and_(jobs.c.provider == provider, jobs.c.ended_at >= since, jobs.c.result.is_not(None))
        which = and_(lately, free_for(owner, stale_before))
        return await self._writer.submit(partial(take_ended, owner=owner, which=which))

    async def known_remote_ids(self, provider: str, among: Collection[str]) -> frozenset[str]:
        """Those of the remote ids that belong to jobs which are kept."""
        statement = select(jobs.c.remote_id).where(jobs.c.provider == provider, jobs.c.remote_id.in_(among))
        async with self._database.reading() as connection:
            return frozenset(await connection.scalars(statement))

    async def history(self, asker_id: int, *, limit: int, under_way: bool = False) -> Sequence[Job]:
        """A person's jobs, or those of them that are not over, newest first."""
        theirs = select(jobs).where(jobs.c.asker_id == asker_id)
        if under_way:
            theirs = theirs.where(UNDER_WAY)
        statement = theirs.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return readable((await connection.execute(statement)).mappings())

    async def in_work(self, *, without: Collection[JobId] = ()) -> Sequence[InWork]:
        """Who has how much at which provider, or on the way to it, leaving some jobs out."""
        async with self._database.reading() as connection:
            return await in_work(connection, without)

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

    async def _one(self, statement: Select[Any]) -> Job | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else job_from_row(row)


async def _change(connection: AsyncConnection, *, job_id: JobId, owner: ProcessId, change: Change) -> Job:
    before = await _owned(connection, job_id, owner)
    after = change(before)
    if after == before:
        return before
    values = _differences(before, after)
    if not values:
        return before
    statement = _CHANGE
    if "due_at" in values and not after.terminal:
        wanted = values.pop("due_at")
        statement = _CHANGE_AND_REST if wanted is None else _CHANGE_AND_WAIT
        values |= {} if wanted is None else {"wanted": wanted}
    values |= {"version": before.version + 1, "job": job_id, "mine": owner, "read": before.version}
    try:
        row = (await connection.execute(statement, values)).mappings().one_or_none()
    except IntegrityError:
        raise DuplicateRemote(f"another job of {after.provider} in work has the number {after.remote_id}") from None
    if row is None:
        raise StaleJob(f"job {job_id} was taken over while {owner} wrote to it")
    return job_from_row(row)


async def _owned(connection: AsyncConnection, job_id: JobId, owner: ProcessId) -> Job:
    row = (await connection.execute(_BY_ID, {"job": job_id})).mappings().one_or_none()
    if row is None:
        raise JobGone(f"there is no job {job_id}")
    if row["owner"] != owner:
        raise StaleJob(f"job {job_id} belongs to {row['owner']}, not to {owner}")
    return job_from_row(row)


def _differences(before: Job, after: Job) -> dict[str, Any]:
    """Only the columns that change; a cancel that somebody asked for is never taken back."""
    old = job_to_row(before)
    values = {name: value for name, value in job_to_row(after).items() if value != old[name] and name not in _KEPT}
    if not values.get("cancel_requested", True):
        del values["cancel_requested"]
    return values


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
