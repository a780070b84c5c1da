"""The tracker: follows every job from our own queue to its result.

How it works
------------
There is one loop and no timer per job. A job's row says when it wants to be looked at (`due_at`); the loop *leases*
what is due, which in the same statement moves `due_at` on by the row's `cadence`. So a look that changes nothing
writes nothing, and a process that dies leaves rows that fall due for somebody else.

A look is one small step, chosen by the row's stage:

    QUEUED       write "submitting", hand the request over, write the remote id
    SUBMITTING   (found after a crash, or after an answer that never came) look for the request, never send it blindly
    WAITING      \
    PROCESSING   / ask how far it is; fetch what is new; when nothing more will come, judge by what came
    DELIVERING   the result is known: have the reply show it

All news, whoever brings it, ends in `observe`; `Job.advance` makes late, repeated, or backward news harmless. Cancel
and "look now" requests of other processes arrive through the row, never through memory.

Every step may fail: a service that does not answer *holds* the job (its place is kept and people are told since
when), a refusal concludes it with a sentence, and anything unexpected concludes it with a reference that stands in
the log too.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId, conclude
from bot.domain.progress import Progress
from bot.domain.results import Outcome, Result
from bot.domain.stages import REMOTE, Stage
from bot.errors import (
    Busy,
    JobGone,
    Maintenance,
    Paused,
    ProviderError,
    Rejected,
    RemoteGone,
    StaleJob,
    SubmissionUncertain,
    Unauthorized,
    Unavailable,
)
from bot.providers.base import Provider, Submission
from bot.services.cadence import FIRST_LOOK, until_next_look, until_next_try
from bot.services.ports import Shows
from bot.services.waiting import event_or_timeout
from bot.store.base import ArtifactStore, Change, JobStore

log = logging.getLogger(__name__)

#: A process not heard of for this long has died; its jobs are free.
STALE_AFTER = timedelta(seconds=45)
#: At least this often the loop asks the database, because another process may have written to one of our rows.
LISTEN = 1.0
#: Jobs taken by one lease, and looks under way at once.
BATCH = 100
CONCURRENT_LOOKS = 32
#: How long files that the provider has ready may stay out of reach before we give them up, in seconds.
FETCH_PATIENCE = 180.0
#: The Horde forgets a request 20 minutes after its last sign of life, 60 with extra slow workers (facts 1.4).
LONGEST_LIFE = timedelta(minutes=75)
#: Maintenance is asked about again after a minute (facts 8).
MAINTENANCE_PAUSE = 60.0


class Tracker:
    """Moves jobs on; see the module's text."""

    def __init__(
        self,
        *,
        store: JobStore,
        artifacts: ArtifactStore,
        providers: Mapping[str, Provider],
        shows: Shows,
        clock: Clock,
        process: ProcessId,
        rng: random.Random | None = None,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._providers = providers
        self._shows = shows
        self._clock = clock
        self._process = process
        self._rng = rng or random.Random()
        self._awake = asyncio.Event()
        self._looking: set[JobId] = set()
        self._missed: set[JobId] = set()
        self._slots = asyncio.Semaphore(CONCURRENT_LOOKS)
        self._silent: set[str] = set()
        #: When the loop last turned, by the clock's `monotonic`: for the health page.
        self.turned_at: float = clock.monotonic()

    def wake(self) -> None:
        """Have the loop ask the database now: something is due."""
        self._awake.set()

    async def run(self) -> None:
        """Lease and look, until cancelled."""
        async with asyncio.TaskGroup() as looks:
            while True:
                self._awake.clear()
                self.turned_at, now = self._clock.monotonic(), self._clock.now()
                batch = await self._store.lease(self._process, now=now, stale_before=now - STALE_AFTER, limit=BATCH)
                for job in batch:
                    if job.id in self._looking:
                        self._missed.add(job.id)
                        continue
                    self._looking.add(job.id)
                    looks.create_task(self._look(job), name=f"look-{job.id}")
                await event_or_timeout(self._awake, self._clock, await self._pause(full=len(batch) == BATCH))

    async def _pause(self, *, full: bool) -> float:
        if full:
            return 0.0
        now = self._clock.now()
        due = await self._store.next_due(self._process, stale_before=now - STALE_AFTER)
        return LISTEN if due is None else min(LISTEN, max(0.0, (due - now).total_seconds()))

    async def _look(self, job: Job) -> None:
        try:
            async with self._slots:
                await self._step(job)
        except (StaleJob, JobGone):
            log.info("job is somebody else's now", extra={"action": "job.stale", "job_id": job.id})
        except Exception as error:  # noqa: BLE001 - the per-job boundary: one job fails, the loop goes on
            await self._fail(job, error)
        finally:
            self._looking.discard(job.id)
        if job.id in self._missed:
            # It fell due again (a press, a webhook) while this look was under way: look once more.
            self._missed.discard(job.id)
            await self._store.nudge(job.id, self._clock.now())
            self.wake()

    async def _fail(self, job: Job, error: Exception) -> None:
        reference = secrets.token_hex(4)
        log.error(
            "unexpected error in a job",
            exc_info=error,
            extra={"action": "job.unexpected", "job_id": job.id, "stage": job.stage, "reference": reference},
        )
        result = Result(
            outcome=Outcome.FAILED,
            code="unexpected",
            reference=reference,
            message="Something went wrong on my side. Please try again; the reference helps whoever runs me.",
        )
        try:
            await self._end(job, result)
        except Exception:
            log.exception("could not note a failure", extra={"action": "job.unnoted", "job_id": job.id})

    async def _step(self, job: Job) -> None:
        match job.stage:
            case Stage.QUEUED:
                await self._hand_over(job)
            case Stage.SUBMITTING:
                await self._look_for_lost(job)
            case Stage.WAITING | Stage.PROCESSING:
                await self._follow(job)
            case Stage.DELIVERING:
                self._shows.show(job)
            case Stage.ENDED:
                pass

    # -- handing over ---------------------------------------------------------------------------------------------

    async def _hand_over(self, job: Job) -> None:
        if job.cancel_requested:
            await self._end(job, Result(outcome=Outcome.CANCELLED))
            return
        now = self._clock.now()
        job = await self._change(job, lambda row: row.submitting(now))
        try:
            submission = await self._providers[job.provider].submit(job)
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
        except (Unavailable, Busy, Paused) as error:
            await self._due_in(job, getattr(error, "retry_after", 5.0))
        except ProviderError as error:
            await self._end(job, Result(outcome=Outcome.FAILED, code="lost-submission", message=error.user_message))
        else:
            if found is not None:
                log.info("lost submission found again", extra={"action": "job.recovered", "job_id": job.id})
                await self._accepted(job, found)
            else:
                await self._change(job, lambda row: replace(row.unsubmitted(), due_at=self._clock.now()))
                self.wake()

    async def _accepted(self, job: Job, submission: Submission) -> None:
        now = self._clock.now()
        self._heard(job.provider)

        def change(row: Job) -> Job:
            row = row.submitted(remote_id=submission.remote_id, cost=submission.cost, now=now)
            return replace(row, due_at=now + timedelta(seconds=FIRST_LOOK), cadence=FIRST_LOOK)

        job = await self._change(job, change)
        log.info("job submitted", extra={"action": "job.submitted", "job_id": job.id, "provider": job.provider})
        self._shows.show(job)
        self.wake()

    async def _not_accepted(self, job: Job, error: ProviderError) -> None:
        match error:
            case Busy() | Paused():
                await self._hold(job, error.user_message, error.retry_after)
            case Maintenance():
                await self._hold(job, error.user_message, MAINTENANCE_PAUSE)
            case Unavailable():
                self._unheard(job.provider, error)
                await self._hold(job, error.user_message, until_next_try(job.attempts - 1, self._rng))
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
        if job.submitted_at and self._clock.now() - job.submitted_at > LONGEST_LIFE:
            await self._end(job, conclude(job, gone=True))
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
        job = await self._harvest(job)
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
        planned = (job.due_at - now).total_seconds() if job.due_at else LONGEST_LIFE.total_seconds()
        if job.hold == "" and 0.6 * seconds <= planned <= 1.5 * seconds:
            return job
        return replace(job.released(), due_at=now + timedelta(seconds=seconds), cadence=round(seconds, 1))

    async def _collect(self, job: Job) -> Job:
        try:
            job = await self._harvest(job)
        except RemoteGone:
            return await self._end(job, conclude(job, gone=True))
        except ProviderError as error:
            await self._out_of_reach(job, error)
            return job
        if not (job.progress and job.progress.over):
            return job
        missing = job.progress.finished > len(job.artifacts)
        since = job.held_since or self._clock.now()
        if missing and (self._clock.now() - since).total_seconds() < FETCH_PATIENCE:
            return await self._hold(job, "A finished picture can't be fetched yet; I keep trying.", 5.0)
        return await self._end(job, conclude(job))

    async def _harvest(self, job: Job) -> Job:
        harvest = await self._providers[job.provider].fetch(job)
        for index, data in harvest.bytes_of.items():
            await self._artifacts.put(job.id, index, data, now=self._clock.now())
        return await self._change(job, lambda row: row.with_artifacts(*harvest.artifacts))

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

    # -- small moves ----------------------------------------------------------------------------------------------

    async def _hold(self, job: Job, why: str, seconds: float) -> Job:
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        job = await self._change(job, lambda row: row.held(why, until=until, now=now))
        self._shows.show(job)
        return job

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

    @property
    def providers_silent(self) -> frozenset[str]:
        """The providers that did not answer when last asked."""
        return frozenset(self._silent)


#: Makes a new job id: short enough for a file name and a custom_id, never guessable in bulk.
IdMaker = Callable[[], JobId]


def new_job_id() -> JobId:
    """Twelve lower-case letters and digits (62 bits)."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return JobId("".join(secrets.choice(alphabet) for _ in range(12)))
