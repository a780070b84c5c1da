"""Files that come after the end: for a quarter of an hour they are still added to the message.

A job that is over is not looked at any more, so these are looked for apart, among the jobs that this process owns and
that ended lately. One that gets a file is opened once more, as far as delivery goes: the reply shows it and what it
says of the end is judged anew (its AIs send the last file after the stop).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.domain.endings import extended
from bot.domain.jobs import Job, ProcessId
from bot.domain.results import Outcome
from bot.errors import JobGone, ProviderError, StaleJob, StoreError
from bot.providers.base import KeepsNews, Provider
from bot.services.log_context import about
from bot.services.tracker import STALE_AFTER
from bot.store.base import ArtifactStore, InboxStore, JobStore

log = logging.getLogger(__name__)

#: Seconds between two questions about jobs that ended without everything.
ASK_EVERY: Final = 30.0
#: How far back each look reaches beyond the one before: a job may just have ended then, with its file already there.
OVERLAP: Final = timedelta(seconds=60)
#: How long after the end files are still taken.
LATE: Final = timedelta(minutes=15)


class Latecomers:
    """Adds late files to replies; whoever owns the loops calls `look`."""

    def __init__(
        self,
        *,
        store: JobStore,
        inbox: InboxStore,
        artifacts: ArtifactStore,
        providers: Mapping[str, Provider],
        clock: Clock,
        process: ProcessId,
    ) -> None:
        """`providers` are those whose files may come late, by name."""
        self._store = store
        self._inbox = inbox
        self._artifacts = artifacts
        self._providers = providers
        self._clock = clock
        self._process = process
        #: Since when files are news, by provider: at first, all that a process before this one may have left.
        self._since: dict[str, datetime] = {}
        #: When it was last asked about those that ended without everything.
        self._asked_at = float("-inf")

    async def look(self) -> None:
        """Add what came late."""
        asks = self._clock.monotonic() - self._asked_at >= ASK_EVERY
        if asks:
            self._asked_at = self._clock.monotonic()
        for name in self._providers:
            try:
                await self._look(name, asks=asks)
            except StoreError as error:
                log.warning("late files not looked for", extra={"action": "late.lost", "cause": str(error)})

    async def _look(self, name: str, *, asks: bool) -> None:
        now = self._clock.now()
        came = await self._inbox.files_since(name, self._since.get(name, now - LATE - OVERLAP))
        if came or asks:
            # The inbox judged whether they came in time; one that came at the last moment is still to be found.
            for job in await self._ended(name, now):
                if job.remote_id in came or (asks and job.result and job.result.outcome is not Outcome.FINISHED):
                    await self._try(job)
        # What was being written while we looked is looked for once more.
        self._since[name] = now - OVERLAP

    async def _ended(self, name: str, now: datetime) -> Sequence[Job]:
        return await self._store.ended_since(name, self._process, now - LATE - OVERLAP, stale_before=now - STALE_AFTER)

    async def _try(self, job: Job) -> None:
        """The per-job boundary: one that fails stands in nobody's way."""
        try:
            await self._add(job)
        except StoreError:
            raise
        except Exception as error:
            log.exception("late files not added", extra=about(job, "late.failed", error))

    async def _add(self, job: Job) -> None:
        """Take in what is new of one job; it may be somebody else's by now."""
        provider = self._providers[job.provider]
        if job.remote_id is None or job.cancel_requested or job.reply.detached:
            return
        try:
            complete = job.result is not None and job.result.outcome is Outcome.FINISHED
            if not complete and not await _told(provider, job):
                await provider.poll(job)  # brings what no call brought
            harvest = await provider.fetch(job)
            now = self._clock.now()
            if not harvest.bytes_of:
                return
            for index, data in harvest.bytes_of.items():
                await self._artifacts.put(job.id, index, data, owner=self._process, now=now)
            readable = [artifact for artifact in harvest.artifacts if artifact.usable]
            await self._store.change(job.id, self._process, lambda row: extended(row, *readable, now=now))
        except (ProviderError, StaleJob, JobGone) as error:
            log.debug("no late files", extra=about(job, "late.none", error))
            return
        log.info("late files", extra=about(job, "late.added", files=len(harvest.bytes_of)))


async def _told(provider: Provider, job: Job) -> bool:
    """Whether the service told all there is by itself, so that it need not be asked."""
    return isinstance(provider, KeepsNews) and (await provider.heard(job)).enough
