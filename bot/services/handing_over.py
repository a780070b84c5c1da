"""Handing a request over: written down first, sent once, and looked for when its answer never came."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.clock import Clock
from bot.domain.jobs import Job
from bot.domain.results import Outcome, Result
from bot.errors import (
    Busy,
    DuplicateRemote,
    JobGone,
    Maintenance,
    MediaError,
    Paused,
    ProtocolError,
    ProviderError,
    Rejected,
    StaleJob,
    StoreError,
    SubmissionUncertain,
    Unauthorized,
    Unavailable,
)
from bot.providers.base import Provider, Submission
from bot.services.breakers import Breakers
from bot.services.cadence import FIRST_LOOK, patience, until_next_search
from bot.services.log_context import about
from bot.services.moves import Moves
from bot.services.ports import Sources
from bot.store.base import Change

log = logging.getLogger(__name__)

#: Maintenance is asked about again after a minute, seconds.
MAINTENANCE_PAUSE = 60.0
#: A number that cannot be written is tried again after so many seconds.
WRITE_AGAIN = (0.5, 1.0, 2.0)
#: How long it is tried to find out what became of a request: as long as the Horde keeps one that nobody takes (20
#: minutes, server 5.1.5).
SEARCH = timedelta(minutes=20)

_NOT_FOUND = (
    "I couldn't find out whether this arrived when I handed it over. "
    "I haven't sent it a second time; press **Try again** if you'd like me to."
)
_STOPPED_SEARCHING = (
    "Cancelled. I couldn't tell yet whether this had arrived when I handed it over; "
    "if it had, what is made of it is thrown away."
)


class HandingOver:
    """The steps of a job that its provider does not have, or may not have."""

    def __init__(
        self,
        *,
        moves: Moves,
        breakers: Breakers,
        providers: Mapping[str, Provider],
        sources: Sources,
        clock: Clock,
    ) -> None:
        self._moves = moves
        self._breakers = breakers
        self._providers = providers
        self._sources = sources
        self._clock = clock
        #: Requests that are leaving, or whose answer is being written: what must not be cut off.
        self.under_way: set[asyncio.Task[object]] = set()
        #: Told of a provider that takes no more for so many seconds.
        self.on_busy: Callable[[str, float], None] | None = None

    async def hand_over(self, job: Job) -> None:
        """Send the request, unless what it starts from cannot be had."""
        try:
            source = await self._sources.first(job)
        except MediaError as error:
            result = Result(outcome=Outcome.REJECTED, code="source", message=error.user_message)
            await self._moves.end(job, result)
            return
        except Unavailable as error:
            await self._moves.hold(job, error.user_message, patience(job, self._clock.now()))
            return
        if self._breakers.of(job.provider).is_probe(job.id) and not await self._shows_signs(job):
            return
        task = asyncio.current_task()
        if task is not None:
            self.under_way.add(task)
        try:
            await self._submit(job, source)
        finally:
            if task is not None:
                self.under_way.discard(task)

    async def _shows_signs(self, job: Job) -> bool:
        """Whether the service answers something harmless first; a submission into silence may be lost for good."""
        try:
            await self._breakers.sign_of_life(job.provider)
        except (Busy, Paused, Maintenance) as error:
            await self.not_accepted(job, error)
            return False
        except ProviderError as error:  # neither nonsense nor a refusal is a sign of life
            self._breakers.silent(job, error)
            await self._not_reached(job, error)
            return False
        return True

    async def _submit(self, job: Job, source: bytes | None) -> None:
        now = self._clock.now()
        job = await self._moves.change(job.id, lambda row: row.submitting(now))
        try:
            submission = await self._providers[job.provider].submit(job, source=source)
        except SubmissionUncertain as error:
            await self._breakers.learn(job, error)
            log.warning("no answer to a submission", extra=about(job, "job.uncertain", error))
            await self._moves.due_in(job, 1.0)
        except ProviderError as error:
            await self.not_accepted(job, error)
        else:
            await self._accepted(job, submission)

    async def look_for_lost(self, job: Job) -> None:
        """Find out what became of a request whose answer never came; it is never sent blindly."""
        try:
            found = await self._providers[job.provider].recover(job)
        except (Unavailable, Busy, Paused, Maintenance, ProtocolError) as error:
            # It may only be too early to tell, so this says nothing of the service.
            if not await self.search_ended(job):
                wait = max(until_next_search(job, self._clock.now()), getattr(error, "retry_after", 0.0))
                await self._moves.hold(job, error.user_message, min(wait, self._search_left(job).total_seconds()))
        except ProviderError as error:
            await self._lost(job, error.user_message)
        else:
            if found is not None:
                log.info("lost submission found again", extra=about(job, "job.recovered"))
                await self._accepted(job, found)
            else:
                now = self._clock.now()
                await self._moves.change(job.id, lambda row: replace(row.unsubmitted(), due_at=now))

    async def search_ended(self, job: Job) -> bool:
        """End a job whose request cannot be found yet, if its asker wants no more or it was looked for long enough."""
        if not job.cancel_requested and self._search_left(job) > timedelta():
            return False
        await self._lost(job, _NOT_FOUND)
        return True

    def _search_left(self, job: Job) -> timedelta:
        return (job.attempted_at or job.created_at) + SEARCH - self._clock.now()

    async def _lost(self, job: Job, message: str) -> None:
        """Say honestly that it cannot be told whether the request arrived."""
        outcome = Outcome.FAILED
        if job.cancel_requested:
            outcome, message = Outcome.CANCELLED, _STOPPED_SEARCHING
        await self._moves.end(job, Result(outcome=outcome, code="lost-submission", message=message))

    async def _accepted(self, job: Job, submission: Submission) -> None:
        now = self._clock.now()

        def change(row: Job) -> Job:
            row = row.submitted(remote_id=submission.remote_id, cost=submission.cost, now=now)
            return replace(row, due_at=now + timedelta(seconds=FIRST_LOOK), cadence=FIRST_LOOK)

        # Before anything else: a number that is not written down may be lost for good.
        try:
            job = await self._written_down(job, change)
        except DuplicateRemote as error:
            context = about(job, "job.same-number", error, remote_id=submission.remote_id)
            log.error("another job has this number", extra=context)  # noqa: TRY400 - it is not ours
            result = Result(outcome=Outcome.FAILED, code="same-number", message=error.user_message)
            await self._moves.end(job, result)
            return
        await self._breakers.answered(job.provider)
        log.info("job submitted", extra=about(job, "job.submitted", remote_id=submission.remote_id))
        self._moves.show(job)

    async def _written_down(self, job: Job, change: Change) -> Job:
        """Write the request's number; a database that stumbles is tried again while we still know it."""
        for wait in WRITE_AGAIN:
            try:
                return await self._moves.change(job.id, change)
            except (StaleJob, JobGone, DuplicateRemote):
                raise
            except StoreError as error:
                log.warning("not written yet", extra=about(job, "job.unwritten", error))
                await self._clock.sleep(wait)
        return await self._moves.change(job.id, change)

    async def not_accepted(self, job: Job, error: ProviderError) -> None:
        """It surely did not arrive: keep it here and say why, or end it with the reason."""
        await self._breakers.learn(job, error)
        match error:
            case Unavailable():
                await self._not_reached(job, error)
            case Busy() | Paused():
                if self.on_busy is not None and isinstance(error, Busy):
                    self.on_busy(job.provider, error.retry_after)
                await self._moves.hold(await self._moves.put_back(job, error), error.user_message, error.retry_after)
            case Maintenance():
                await self._moves.hold(await self._moves.put_back(job, error), error.user_message, MAINTENANCE_PAUSE)
            case Rejected():
                result = Result(outcome=Outcome.REJECTED, code=error.code, message=error.user_message)
                await self._moves.end(job, result)
            case Unauthorized():
                result = Result(outcome=Outcome.REJECTED, code="key", message=error.user_message)
                await self._moves.end(job, result)
            case _:
                log.error("submission failed", extra=about(job, "job.failed", error))
                await self._moves.end(job, Result(outcome=Outcome.FAILED, message=error.user_message))

    async def _not_reached(self, job: Job, error: ProviderError) -> None:
        job = await self._moves.put_back(job, error)
        await self._moves.hold_for_service(job, self._breakers.of(job.provider), error)
