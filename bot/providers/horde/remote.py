"""A job's request at the Horde: its id, whose ids are ours, and dropping it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

from bot.domain.jobs import Job
from bot.errors import RemoteGone

#: Tells which of these ids belong to a job of ours already.
KnownIds: TypeAlias = Callable[[Collection[str]], Awaitable[Collection[str]]]


def remote_id_of(job: Job) -> str:
    """The id of the job's request. Raises `RemoteGone` where it has none."""
    if job.remote_id is None:
        raise RemoteGone("it was never handed over")
    return job.remote_id


async def drop(job: Job, cancel: Callable[[str], Awaitable[None]]) -> None:
    """Cancel the job's request; one that was never handed over, or is gone, counts as stopped."""
    if job.remote_id is None:
        return
    try:
        await cancel(job.remote_id)
    except RemoteGone:
        return
