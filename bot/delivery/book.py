"""Where delivery notes what became of a reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.domain.jobs import Job, JobId
from bot.domain.outgoing import Outgoing
from bot.domain.replies import ReplyAddress


class Book(Protocol):
    """What delivery writes down; rows of other processes are left alone."""

    async def delivered(self, job_id: JobId, artifacts: int) -> None:
        """The reply shows the end, with so many artifacts: one that came meanwhile is still to be shown."""
        ...

    async def posted(self, job_id: JobId, message_id: int) -> None:
        """A message shows (a part of) what the job brought."""
        ...

    async def detached(self, job_id: JobId, why: str) -> None:
        """Nobody can see the reply any more."""
        ...

    async def parked(self, job_id: JobId) -> None:
        """The end waits to be collected."""
        ...

    async def owned(self, job_id: JobId) -> bool:
        """Whether the job is still this process's: what it shows last must not be said by one that lost it."""
        ...

    async def notified(self, job_id: JobId) -> None:
        """Its asker was told of the end by a new message, or could not be."""
        ...

    async def moved(self, job_id: JobId, reply: ReplyAddress, *, told: bool) -> Job | None:
        """The job has another reply, whose message told its asker of the end or did not.

        Returns the job as it is now, or None when it is somebody else's.
        """
        ...

    async def outbox(self, job_id: JobId) -> Sequence[Outgoing]:
        """What is known of the messages beside the reply. Raises `JobGone`."""
        ...

    async def outgoing(self, job_id: JobId, message: Outgoing) -> None:
        """A message beside the reply is about to leave, or is there. Raises `StaleJob`, `JobGone`."""
        ...

    async def not_sent(self, job_id: JobId, part: str) -> None:
        """One of them surely did not arrive. Raises `StaleJob`, `JobGone`."""
        ...
