"""What delivery writes into the rows of jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.outgoing import Outgoing
from bot.domain.replies import ReplyAddress
from bot.domain.stages import Stage
from bot.errors import JobGone, StaleJob, StoreError
from bot.services.handing_over import WRITE_AGAIN
from bot.services.ports import NotesMessages
from bot.services.steps import KEPT, NEVER_COLLECTED
from bot.store.base import JobStore

log = logging.getLogger(__name__)


class ReplyBook:
    """Delivery's way to note in the row what became of a reply."""

    def __init__(
        self, *, store: JobStore, clock: Clock, process: ProcessId, messages: NotesMessages | None = None
    ) -> None:
        """`messages` remembers which messages an answer is in."""
        self._store = store
        self._clock = clock
        self._process = process
        self._messages = messages

    async def delivered(self, job_id: JobId, artifacts: int) -> None:
        """Note that the reply shows the end with so many artifacts, unless one came meanwhile that it does not show."""

        def change(row: Job) -> Job:
            shown = row.over and len(row.artifacts) == artifacts
            return row.delivered(self._clock.now()) if shown else row

        await self._write(job_id, change)

    async def posted(self, job_id: JobId, message_id: int) -> None:
        """Note that a message shows (a part of) what the job brought."""
        if self._messages is not None:
            await self._messages.shown_in(job_id, message_id)

    async def detached(self, job_id: JobId, why: str) -> None:
        """Note that nobody can see the reply any more; a job that is over is done with."""

        def change(row: Job) -> Job:
            row = row.detached(why)
            return row.delivered(self._clock.now()) if row.over else row

        await self._write(job_id, change)

    async def owned(self, job_id: JobId) -> bool:
        """Whether the job is still this process's; while the database does not tell, it is taken to be."""
        try:
            row = await self._store.get(job_id)
        except StoreError:
            return True
        if row is not None and row.owner == self._process:
            return True
        log.info("a reply's job is somebody else's", extra={"action": "job.stale", "job_id": job_id})
        return False

    async def notified(self, job_id: JobId) -> None:
        """Note that the asker was told of the end by a new message, or could not be."""
        await self._write(job_id, lambda row: row.notified(self._clock.now()))

    async def moved(self, job_id: JobId, reply: ReplyAddress, *, told: bool) -> Job | None:
        """Note that the job has another reply; returns it as it is now, or None when it is somebody else's."""
        now = self._clock.now()

        def change(row: Job) -> Job:
            row = row.moved(reply, now)
            return row.notified(now) if told else row

        return await self._write(job_id, change)

    async def parked(self, job_id: JobId) -> None:
        """Note that the end waits to be collected: nothing is due until somebody presses, or a day has gone.

        What was tried once more after that day is put away.
        """
        now = self._clock.now()

        def change(row: Job) -> Job:
            if row.stage is not Stage.DELIVERING or row.ended_at is None:
                return row
            if now - row.ended_at > KEPT:
                return row.detached(NEVER_COLLECTED).delivered(now)
            return replace(row, due_at=row.ended_at + KEPT)

        await self._write(job_id, change)

    async def outbox(self, job_id: JobId) -> Sequence[Outgoing]:
        """What is known of the messages beside the reply. Raises `JobGone`."""
        row = await self._store.get(job_id)
        if row is None:
            raise JobGone(f"there is no job {job_id}")
        return row.outbox

    async def outgoing(self, job_id: JobId, message: Outgoing) -> None:
        """Note what is known of a message beside the reply. Raises `StaleJob`, `JobGone`, `StoreError`.

        A database that stumbles is tried again: of some messages nothing but this tells that they arrived.
        """
        for wait in WRITE_AGAIN:
            try:
                await self._store.change(job_id, self._process, lambda row: row.sending(message))
            except (StaleJob, JobGone):
                raise
            except StoreError as error:
                about = {"action": "reply.unwritten", "job_id": job_id, "cause": str(error)}
                log.warning("not written yet", extra=about)
                await self._clock.sleep(wait)
            else:
                return
        await self._store.change(job_id, self._process, lambda row: row.sending(message))

    async def not_sent(self, job_id: JobId, part: str) -> None:
        """Note that one of them surely did not arrive. Raises `StaleJob`, `JobGone`."""
        await self._store.change(job_id, self._process, lambda row: row.not_sent(part))

    async def _write(self, job_id: JobId, change: Callable[[Job], Job]) -> Job | None:
        try:
            return await self._store.change(job_id, self._process, change)
        except (StaleJob, JobGone):
            log.info("a reply's job is somebody else's", extra={"action": "job.stale", "job_id": job_id})
            return None
