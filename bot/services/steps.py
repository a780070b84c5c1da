"""The steps of a job: what a look at it does, chosen by its row's stage.

    QUEUED       complete a request that had to wait; write "submitting", hand it over, write the remote id
    SUBMITTING   (found after a crash, or after an answer that never came) look for the request, never send it blindly
    WAITING      \
    PROCESSING   / ask how far it is; fetch what is new; when nothing more will come, judge by what came
    DELIVERING   the result is known: have the reply show it

Every step may fail: a service that does not answer *holds* the job (its place is kept and people are told since
when), a refusal concludes it with a sentence.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId, conclude
from bot.domain.progress import Progress
from bot.domain.results import Outcome, Result
from bot.domain.stages import REMOTE, Stage
from bot.errors import (
    Busy,
    InvalidRequest,
    Maintenance,
    MediaError,
    Paused,
    ProviderError,
    Rejected,
    RemoteGone,
    SubmissionUncertain,
    Unauthorized,
    Unavailable,
)
from bot.providers.base import Provider, Submission
from bot.services.cadence import FIRST_LOOK, until_next_look, until_next_try
from bot.services.ports import Composes, Shows, Sources
from bot.store.base import ArtifactStore, Change, JobStore

log = logging.getLogger(__name__)

#: How long files that the provider has ready may stay out of reach before we give them up; links are renewed on asking
#: for as long as the request lives, 20 minutes after its last delivery (server 5.1.5).
FETCH_PATIENCE = timedelta(minutes=15)
#: The Horde forgets a request 20 minutes after its last sign of life (60 with an extra slow worker); every start and
#: every delivery of a part is one (server 5.1.5).
LIFE, LIFE_PER_PART = timedelta(minutes=75), timedelta(minutes=40)
#: How long a result that nobody collected is kept.
KEPT = timedelta(hours=24)
#: A request that waits for another one looks this often whether it is its turn, seconds.
NEXT_IN_LINE = 2.0
#: Maintenance is asked about again after a minute, seconds.
MAINTENANCE_PAUSE = 60.0


class Steps:
    """Moves one job on by one step; see the module's text."""

    def __init__(
        self,
        *,
        store: JobStore,
        artifacts: ArtifactStore,
        providers: Mapping[str, Provider],
        sources: Sources,
        shows: Shows,
        clock: Clock,
        process: ProcessId,
        rng: random.Random,
        composes: Composes | None = None,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._providers = providers
        self._sources = sources
        self._shows = shows
        self._clock = clock
        self._process = process
        self._rng = rng
        self._composes = composes
        self._silent: set[str] = set()
        #: Requests that are leaving, or whose answer is being written: what must not be cut off.
        self.handing_over: set[asyncio.Task[object]] = set()

    @property
    def providers_silent(self) -> frozenset[str]:
        """The providers that did not answer when last asked."""
        return frozenset(self._silent)

    async def take(self, job: Job) -> None:
        """Do what the job's stage asks for. Raises `StaleJob` when the row is somebody else's."""
        match job.stage:
            case Stage.QUEUED:
                await self._hand_over(job)
            case Stage.SUBMITTING:
                await self._look_for_lost(job)
            case Stage.WAITING | Stage.PROCESSING:
                await self._follow(job)
            case Stage.DELIVERING:
                await self._have_it_shown(job)
            case Stage.ENDED:
                pass

    async def ready(self, job: Job) -> Job | None:
        """Complete the request of a job that had to wait for something; None while it goes on waiting."""
        if self._composes is None:
            return job
        try:
            answer = await self._composes.ready(job)
        except InvalidRequest as error:
            await self._end(job, Result(outcome=Outcome.REJECTED, message=error.user_message))
            return None
        if isinstance(answer, str):
            await self._hold(job, answer, NEXT_IN_LINE)
            return None
        if answer == job.request:
            return job
        return await self._change(job, lambda row: replace(row.released(), request=answer))

    async def turn(self, job: Job) -> bool:
        """Wait until the provider's pace lets the next request go; False when it is shut (and the job is held)."""
        try:
            await self._providers[job.provider].turn()
        except ProviderError as error:
            await self._not_accepted(job, error)
            return False
        return True

    async def abandon(self, job: Job, result: Result) -> None:
        """End a job that cannot go on, and leave nothing of it behind remotely."""
        if job.remote_id is not None and job.stage in REMOTE:
            try:
                await self._providers[job.provider].cancel(job)
            except ProviderError as error:
                log.warning("left behind", extra={"action": "job.left", "job_id": job.id, "cause": str(error)})
        await self._end(job, result)

    # -- handing over ---------------------------------------------------------------------------------------------

    async def _hand_over(self, job: Job) -> None:
        if job.cancel_requested:
            await self._end(job, Result(outcome=Outcome.CANCELLED))
            return
        try:
            source = await self._sources.first(job)
        except MediaError as error:
            await self._end(job, Result(outcome=Outcome.REJECTED, code="source", message=error.user_message))
            return
        except Unavailable as error:
            await self._hold(job, error.user_message, self._patience(job))
            return
        task = asyncio.current_task()
        if task is not None:
            self.handing_over.add(task)
        try:
            await self._submit(job, source)
        finally:
            if task is not None:
                self.handing_over.discard(task)

    async def _submit(self, job: Job, source: bytes | None) -> None:
        now = self._clock.now()
        job = await self._change(job, lambda row: row.submitting(now))
        try:
            submission = await self._providers[job.provider].submit(job, source=source)
        except SubmissionUncertain:
            log.warning("no answer to a submission", extra={"action": "job.uncertain", "job_id": job.id})
            await self._due_in(job, 1.0)
        except ProviderError as error:
            await self._not_accepted(job, error)
        else:
            await self._accepted(job, submission)

    async def _look_for_lost(self, job: Job) -> None:
        try:
            found = await self._providers[job.provider].recover(job)
        except SubmissionUncertain as error:
            await self._end(job, Result(outcome=Outcome.FAILED, code="lost-submission", message=error.user_message))
        except (Busy, Paused) as error:
            await self._due_in(job, error.retry_after)
        except Unavailable as error:
            await self._hold(job, error.user_message, 5.0)
        except ProviderError as error:
            await self._end(job, Result(outcome=Outcome.FAILED, code="lost-submission", message=error.user_message))
        else:
            if found is not None:
                log.info("lost submission found again", extra={"action": "job.recovered", "job_id": job.id})
                await self._accepted(job, found)
            else:
                await self._change(job, lambda row: replace(row.unsubmitted(), due_at=self._clock.now()))

    async def _accepted(self, job: Job, submission: Submission) -> None:
        now = self._clock.now()
        self._heard(job.provider)

        def change(row: Job) -> Job:
            row = row.submitted(remote_id=submission.remote_id, cost=submission.cost, now=now)
            return replace(row, due_at=now + timedelta(seconds=FIRST_LOOK), cadence=FIRST_LOOK)

        job = await self._change(job, change)
        log.info("job submitted", extra={"action": "job.submitted", "job_id": job.id, "provider": job.provider})
        self._shows.show(job)

    async def _not_accepted(self, job: Job, error: ProviderError) -> None:
        match error:
            case Busy() | Paused():
                await self._put_back(job, error.user_message, error.retry_after)
            case Maintenance():
                await self._put_back(job, error.user_message, MAINTENANCE_PAUSE)
            case Unavailable():
                self._unheard(job.provider, error)
                await self._put_back(job, error.user_message, until_next_try(job.attempts - 1, self._rng))
            case Rejected():
                await self._end(job, Result(outcome=Outcome.REJECTED, code=error.code, message=error.user_message))
            case Unauthorized():
                await self._end(job, Result(outcome=Outcome.REJECTED, code="key", message=error.user_message))
            case _:
                log.error("submission failed", extra={"action": "job.failed", "job_id": job.id, "cause": str(error)})
                await self._end(job, Result(outcome=Outcome.FAILED, message=error.user_message))

    # -- following ------------------------------------------------------------------------------------------------

    async def _follow(self, job: Job) -> None:
        provider = self._providers[job.provider]
        longest = LIFE + LIFE_PER_PART * job.request.parts
        if job.submitted_at and self._clock.now() - job.submitted_at > longest:
            await self.abandon(job, conclude(job, gone=True))
            return
        try:
            if job.cancel_requested:
                await self._stop(job, provider)
                return
            news = await provider.poll(job)
        except RemoteGone:
            await self._end(job, conclude(job, gone=True))
        except ProviderError as error:
            await self._out_of_reach(job, error)
        else:
            self._heard(job.provider)
            await self.observe(job.id, news)

    async def _stop(self, job: Job, provider: Provider) -> None:
        await provider.cancel(job)
        job, missing = await self._harvest(job)
        if missing and not self._out_of_patience(job):
            await self._hold(job, _NOT_FETCHED, 5.0)
            return
        log.info("job cancelled", extra={"action": "job.cancelled", "job_id": job.id})
        await self._end(job, conclude(job))

    async def observe(self, job_id: JobId, news: Progress) -> None:
        """Take in news of a job, whoever brought it: write it if anybody would notice, fetch what is new, show it."""
        now = self._clock.now()

        def change(row: Job) -> Job:
            return self._paced(row.advance(news, now), now)

        job = await self._store.change(job_id, self._process, change)
        if job.stage not in REMOTE or job.over:
            return
        if job.progress and (job.progress.over or job.progress.finished > len(job.artifacts)):
            job = await self._collect(job)
        self._shows.show(job)

    def _paced(self, job: Job, now: datetime) -> Job:
        """Set the next look, unless the one the lease already set will do."""
        if job.progress and job.progress.over:
            return job
        seconds = until_next_look(job, now, self._rng)
        planned = (job.due_at - now).total_seconds() if job.due_at else LIFE.total_seconds()
        if job.hold == "" and 0.6 * seconds <= planned <= 1.5 * seconds:
            return job
        return replace(job.released(), due_at=now + timedelta(seconds=seconds), cadence=round(seconds, 1))

    async def _collect(self, job: Job) -> Job:
        try:
            job, missing = await self._harvest(job)
        except RemoteGone:
            return await self._end(job, conclude(job, gone=True))
        except ProviderError as error:
            await self._out_of_reach(job, error)
            return job
        if not (job.progress and job.progress.over):
            return job
        missing = missing or job.progress.finished > len(job.artifacts)
        if missing and not self._out_of_patience(job):
            return await self._hold(job, _NOT_FETCHED, 5.0)
        return await self._tried_again(job) or await self._end(job, conclude(job))

    async def _tried_again(self, job: Job) -> Job | None:
        """Hand a second request over where what came is no good and there may be one; None when that's not to be.

        Should the process die in between, the first one is looked at once more; nothing is told twice.
        """
        again = self._composes.second_try(job) if self._composes is not None else None
        if again is None:
            return None
        provider = self._providers[job.provider]
        try:
            await provider.turn()
            submission = await provider.submit(replace(job, request=again))
        except ProviderError as error:
            log.warning("no second try", extra={"action": "job.no-retry", "job_id": job.id, "cause": str(error)})
            return None
        due = self._clock.now() + timedelta(seconds=FIRST_LOOK)
        log.info("second try", extra={"action": "job.retried", "job_id": job.id, "provider": job.provider})
        remote_id, cost = submission.remote_id, submission.cost
        return await self._change(
            job, lambda row: row.handed_over_again(again, remote_id=remote_id, cost=cost, due_at=due)
        )

    def _out_of_patience(self, job: Job) -> bool:
        since = job.progress.over_since if job.progress else None
        return since is not None and self._clock.now() - since > FETCH_PATIENCE

    async def _harvest(self, job: Job) -> tuple[Job, bool]:
        """Fetch and keep what is new; tells also whether something that is ready could not be fetched."""
        harvest = await self._providers[job.provider].fetch(job)
        now = self._clock.now()
        for index, data in harvest.bytes_of.items():
            await self._artifacts.put(job.id, index, data, owner=self._process, now=now)
        job = await self._change(job, lambda row: row.with_artifacts(*harvest.artifacts))
        return job, harvest.missing > 0

    async def _out_of_reach(self, job: Job, error: ProviderError) -> None:
        if isinstance(error, Unavailable):
            self._unheard(job.provider, error)
        else:
            log.warning("a look failed", extra={"action": "job.look-failed", "job_id": job.id, "cause": str(error)})
        wait = error.retry_after if isinstance(error, (Busy, Paused)) else self._patience(job)
        sentence = error.user_message if isinstance(error, Unavailable) else job.hold
        await self._hold(job, sentence, wait)

    def _patience(self, job: Job) -> float:
        """Longer the longer it has been held: about a third of the time it already waited."""
        held = (self._clock.now() - job.held_since).total_seconds() if job.held_since else 0.0
        return min(max(held / 3, 2.0), 30.0)

    # -- showing the end ------------------------------------------------------------------------------------------

    async def _have_it_shown(self, job: Job) -> None:
        if job.ended_at is not None and self._clock.now() - job.ended_at > KEPT:
            await self._change(job, lambda row: row.detached("never collected").delivered(self._clock.now()))
        else:
            self._shows.show(job)

    # -- small moves ----------------------------------------------------------------------------------------------

    async def _hold(self, job: Job, why: str, seconds: float) -> Job:
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        job = await self._change(job, lambda row: row.held(why, until=until, now=now))
        self._shows.show(job)
        return job

    async def _put_back(self, job: Job, why: str, seconds: float) -> None:
        """It surely did not arrive: back into our own queue."""
        job = await self._change(job, lambda row: row.unsubmitted())
        await self._hold(job, why, seconds)

    async def _due_in(self, job: Job, seconds: float) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._change(job, lambda row: replace(row, due_at=until))

    async def _end(self, job: Job, result: Result) -> Job:
        now = self._clock.now()
        job = await self._change(job, lambda row: row.concluded(result, now))
        outcome = job.result.outcome if job.result else result.outcome
        log.info("job ended", extra={"action": "job.ended", "job_id": job.id, "outcome": outcome, "code": result.code})
        self._shows.show(job)
        return job

    async def _change(self, job: Job, change: Change) -> Job:
        return await self._store.change(job.id, self._process, change)

    def _unheard(self, provider: str, error: Exception) -> None:
        if provider not in self._silent:
            self._silent.add(provider)
            log.warning("provider is not answering", extra={"action": "provider.down", "cause": str(error)})

    def _heard(self, provider: str) -> None:
        if provider in self._silent:
            self._silent.discard(provider)
            log.info("provider answers again", extra={"action": "provider.up", "provider": provider})


_NOT_FETCHED = "A finished picture can't be fetched yet; I keep trying."
