"""The small moves that every step is made of: write the row, and have people see it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId, WaitsFor
from bot.domain.results import Result
from bot.errors import ProviderError, Unavailable
from bot.services.breakers import Breaker
from bot.services.log_context import about
from bot.services.ports import Shows
from bot.store.base import Change, JobStore

log = logging.getLogger(__name__)


class Moves:
    """Changes rows that this process owns; each raises `StaleJob` when the row is somebody else's."""

    def __init__(self, *, store: JobStore, shows: Shows, clock: Clock, process: ProcessId) -> None:
        self._store = store
        self._clock = clock
        self._process = process
        self._shows = shows
        #: Called when a job is over: it takes up no place any more.
        self.on_end: Callable[[], None] = lambda: None

    async def change(self, job_id: JobId, change: Change) -> Job:
        """Write a change, whether or not anybody would notice it."""
        return await self._store.change(job_id, self._process, change)

    def show(self, job: Job) -> None:
        """Have the reply brought up to date."""
        self._shows.show(job)

    async def hold(
        self,
        job: Job,
        why: str,
        seconds: float,
        *,
        waits_for: WaitsFor = WaitsFor.TIME,
        since: datetime | None = None,
    ) -> Job:
        """Leave the job where it is for so long, and say why."""
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        job = await self.change(
            job.id, lambda row: row.held(why, until=until, now=now, waits_for=waits_for, since=since)
        )
        self._shows.show(job)
        return job

    async def hold_for_service(self, job: Job, breaker: Breaker, error: ProviderError | None = None) -> Job:
        """Leave the job where it is until its service answers, and say since when it does not.

        `error` is what the job's own look met; without one it was not let through. A first silence may be a hiccup, so
        only the reply of the job that met it tells of it.
        """
        if error is None and not breaker.down:
            return await self.due_in(job, breaker.wait())
        why = breaker.why or (error or Unavailable()).user_message
        seconds = breaker.wait() if error is None else max(breaker.retry_in(), 1.0)
        since = breaker.since
        if since is not None and job.held_since is not None and job.waits_for is WaitsFor.SERVICE:
            since = min(since, job.held_since)  # it waited before we were started
        return await self.hold(job, why, seconds, waits_for=WaitsFor.SERVICE, since=since)

    async def put_back(self, job: Job, error: Exception) -> Job:
        """It surely did not arrive: back into our own queue."""
        if job.attempts <= 1:  # Once for each job: an outage has lines of its own.
            log.info("job has to wait", extra=about(job, "job.refused", error))
        return await self.change(job.id, lambda row: row.unsubmitted())

    async def due_in(self, job: Job, seconds: float) -> Job:
        """Have it looked at again after so long, without a word."""
        until = self._clock.now() + timedelta(seconds=seconds)
        return await self.change(job.id, lambda row: replace(row, due_at=until))

    async def end(self, job: Job, result: Result) -> Job:
        """Give the job its result."""
        now, before = self._clock.now(), job
        job = await self.change(job.id, lambda row: row.concluded(result, now))
        told = job.result or result
        log.info("job ended", extra=about(before, "job.ended", outcome=told.outcome, code=told.code))
        self._shows.show(job)
        self.on_end()
        return job
