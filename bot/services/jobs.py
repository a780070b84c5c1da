"""What people can do with jobs: the one admission path for commands, buttons, and modals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import SecretStr

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.kinds import Request
from bot.domain.replies import TOKEN_LIFE, ReplyAddress
from bot.domain.stages import Stage
from bot.errors import (
    DeliveryError,
    DuplicateJob,
    JobGone,
    NotAllowed,
    ReplyClosed,
    ReplyLost,
    StaleJob,
    TooManyJobs,
    Unavailable,
)
from bot.services.ids import new_job_id
from bot.services.log_context import about
from bot.services.ports import FindsReply, OpensReply, Shows
from bot.services.tracker import STALE_AFTER, Tracker
from bot.store.base import JobStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and whether they may act on other people's jobs here (Manage Messages)."""

    user_id: int
    moderates: bool = False

    def may_change(self, job: Job) -> bool:
        """Whether they may cancel or delete this job."""
        return self.moderates or self.user_id == job.asker_id


class JobService:
    """Submit, cancel, and look up jobs."""

    def __init__(
        self,
        *,
        store: JobStore,
        tracker: Tracker,
        shows: Shows,
        clock: Clock,
        process: ProcessId,
        new_id: Callable[[], JobId] = new_job_id,
        at_most: int | None = None,
    ) -> None:
        """`at_most`: how many open jobs one person may have."""
        self._at_most = at_most
        self._store = store
        self._tracker = tracker
        self._shows = shows
        self._clock = clock
        self._process = process
        self._new_id = new_id
        #: Set to False when the process is told to stop: nothing new is taken then.
        self.accepting = True

    async def submit(
        self,
        request: Request,
        *,
        asker_id: int,
        address: ReplyAddress,
        reply: OpensReply,
        provider: str = "horde",
        parent_id: JobId | None = None,
        job_id: JobId | None = None,
    ) -> Job | None:
        """Write the job down, acknowledge it, and let the tracker take it on.

        From the acknowledgement on the job is never lost. Returns None when there is nothing to go on with: Discord no
        longer took the acknowledgement (the person saw "did not respond", the row is closed, nothing is painted), it
        cannot be told yet whether it did, or the interaction came twice. Raises `Unavailable` while stopping, and
        `TooManyJobs`.
        """
        job = Job(
            id=job_id or self._new_id(),
            provider=provider,
            request=request,
            asker_id=asker_id,
            reply=address,
            created_at=self._clock.now(),
            parent_id=parent_id,
            owner=self._process,
        )
        if not self.accepting:
            raise Unavailable(user_message="I'm restarting. Please try again in a few seconds.")
        try:
            await self._store.add(job, at_most=self._at_most)
        except DuplicateJob as error:
            log.info("this interaction came twice", extra=about(job, "job.duplicate", error))
            return None
        except TooManyJobs as error:
            log.info("refused", extra=about(job, "job.too-many", error))
            raise
        try:
            message_id = await reply.open(job)
        except (ReplyLost, ReplyClosed) as error:
            log.warning("not acknowledged", extra=about(job, "job.unaccepted", error))
            await self._close_silently(job)
            return None
        except DeliveryError as error:
            # Left as it is: `resume_unaccepted` asks Discord until it tells, or until the token is dead.
            log.warning("cannot tell", extra=about(job, "job.unaccepted", error))
            return None
        return await self._accept(job, message_id)

    async def _accept(self, job: Job, message_id: int | None) -> Job:
        now = self._clock.now()
        job = await self._store.change(job.id, self._process, lambda row: row.accepted(message_id=message_id, now=now))
        log.info("job accepted", extra=about(job, "job.accepted"))
        self._shows.show(job)
        self._tracker.wake()
        return job

    async def _close_silently(self, job: Job) -> None:
        now = self._clock.now()
        await self._store.change(
            job.id,
            self._process,
            lambda row: replace(row.detached("never acknowledged"), stage=Stage.ENDED, ended_at=now, due_at=None),
        )

    async def resume_unaccepted(self, finder: FindsReply) -> None:
        """Settle the rows that a crash caught between writing them down and noting the acknowledgement."""
        stale_before = self._clock.now() - STALE_AFTER
        for job in await self._store.unaccepted(self._process, stale_before=stale_before):
            await self._settle_unaccepted(job, finder)

    async def _settle_unaccepted(self, job: Job, finder: FindsReply) -> None:
        """Accept or close one of these rows; it stays as it is while Discord does not tell (until the token dies)."""
        try:
            message_id = await finder.find(job)
            if message_id is None:
                await self._close_silently(job)
            else:
                await self._accept(job, message_id)
        except DeliveryError as error:
            log.warning("cannot tell yet", extra=about(job, "job.unaccepted", error))
        except (StaleJob, JobGone) as error:
            log.info("job is somebody else's now", extra=about(job, "job.stale", error))

    async def get(self, job_id: JobId) -> Job:
        """The job. Raises `JobGone`."""
        job = await self._store.get(job_id)
        if job is None:
            raise JobGone(f"no job {job_id}")
        return job

    async def of(self, user_id: int, *, limit: int, under_way: bool = False) -> Sequence[Job]:
        """A person's own jobs, or those of them that are not over, newest first."""
        return await self._store.history(user_id, limit=limit, under_way=under_way)

    async def own(self, job_id: JobId, user_id: int) -> Job:
        """One of a person's own jobs. Raises `JobGone` for all others, as if they did not exist."""
        job = await self.get(job_id)
        if job.asker_id != user_id:
            raise JobGone(f"{job_id} is not {user_id}'s")
        return job

    async def purge(self, *, days: int) -> int:
        """Delete jobs that were done with so many days ago, a few at a time; returns how many."""
        before, deleted = self._clock.now() - timedelta(days=days), 0
        while count := await self._store.purge(before=before):
            deleted += count
        return deleted

    async def cancel(self, job_id: JobId, actor: Actor) -> Job:
        """Have the job stopped, whoever owns its row; pictures that exist are kept. Raises `NotAllowed`, `JobGone`."""
        job = await self.get(job_id)
        self._check(job, actor)
        if await self._store.request_cancel(job_id, self._clock.now()):
            log.info("cancel requested", extra=about(job, "job.cancel-requested"))
            job = await self.get(job_id)
            if job.owner == self._process:
                self._shows.show(job)
            self._tracker.wake()
        return job

    async def delete(self, job_id: JobId, actor: Actor) -> Job:
        """Note that the person deletes the reply, and stop what is still running. Raises `NotAllowed`, `JobGone`."""
        job = await self.get(job_id)
        self._check(job, actor)
        now = self._clock.now()
        if not job.over:
            await self._store.request_cancel(job_id, now)
        await self._store.detach_reply(job_id, "deleted by request", now)
        self._tracker.wake()
        return job

    async def renew(self, job_id: JobId, *, token: SecretStr, application_id: int, message_id: int | None) -> Job:
        """Give the job's reply the fresh token that a press brings, and have it brought up to date.

        `message_id`: the message that the button is on. Raises `JobGone`.
        """
        now = self._clock.now()
        until = now + TOKEN_LIFE
        if not await self._store.renew_reply(job_id, application_id=application_id, token=token, until=until, now=now):
            # Closed as never acknowledged when nothing could tell any more; the press shows that it was.
            reopened = await self._store.reopen(
                job_id, message_id=message_id, application_id=application_id, token=token, until=until, now=now
            )
            if reopened:
                log.info("acknowledged after all", extra={"action": "job.reopened", "job_id": job_id})
        job = await self.get(job_id)
        self._tracker.wake()
        return job

    @staticmethod
    def _check(job: Job, actor: Actor) -> None:
        if not actor.may_change(job):
            raise NotAllowed(f"user {actor.user_id} is not the asker of {job.id}")
