"""The tracker: follows every job from our own queue to its result.

How it works
------------
There is one loop and no timer per job. A job's row says when it wants to be looked at (`due_at`); the loop *leases*
what is due, which in the same statement moves `due_at` on by the row's `cadence`. So a look that changes nothing
writes nothing, and a process that dies leaves rows that fall due for somebody else.

A look is one small step (`steps.py`), chosen by the row's stage. Looks run side by side, a few at a time. A request
that waits for its turn (providers take only so many a minute) waits before it takes a place among the looks, and
before its row says "submitting": whatever happens meanwhile, it surely has not left.

All news, whoever brings it, ends in `observe`; `Job.advance` makes late, repeated, or backward news harmless. Cancel
and "look now" requests of other processes arrive through the row, never through memory.

A database that stumbles costs a look, not the job: the row falls due again. Anything unexpected concludes that one job
with a reference that stands in the log too; the loop goes on.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Mapping
from datetime import timedelta

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.progress import Progress
from bot.domain.results import Outcome, Result
from bot.domain.stages import Stage
from bot.errors import JobGone, StaleJob, StoreError
from bot.providers.base import Provider
from bot.services.ports import Composes, Shows, Sources
from bot.services.steps import Steps
from bot.services.waiting import event_or_timeout
from bot.store.base import ArtifactStore, JobStore

log = logging.getLogger(__name__)

#: A process not heard of for this long has died; its jobs are free.
STALE_AFTER = timedelta(seconds=45)
#: At least this often the loop asks the database, because another process may have written to one of our rows.
LISTEN = 1.0
#: Jobs taken by one lease, and looks under way at once.
BATCH = 100
CONCURRENT_LOOKS = 32


class Tracker:
    """Moves jobs on; see the module's text."""

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
        rng: random.Random | None = None,
        composes: Composes | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._process = process
        self._steps = Steps(
            store=store,
            artifacts=artifacts,
            providers=providers,
            sources=sources,
            shows=shows,
            clock=clock,
            process=process,
            rng=rng or random.Random(),
            composes=composes,
        )
        self._awake = asyncio.Event()
        self._looking: set[JobId] = set()
        #: Fell due again while they were being looked at.
        self._missed: set[JobId] = set()
        #: Wait for the provider's turn; set to give the turn up.
        self._in_turn: dict[JobId, asyncio.Event] = {}
        self._slots = asyncio.Semaphore(CONCURRENT_LOOKS)
        self._closing = asyncio.Event()
        #: When the loop last turned, by the clock's `monotonic`: for the health page.
        self.turned_at: float = clock.monotonic()

    @property
    def providers_silent(self) -> frozenset[str]:
        """The providers that did not answer when last asked."""
        return self._steps.providers_silent

    def wake(self) -> None:
        """Have the loop ask the database now: something is due."""
        self._awake.set()

    async def observe(self, job_id: JobId, news: Progress) -> None:
        """Take in news of a job, whoever brought it."""
        await self._steps.observe(job_id, news)

    async def run(self) -> None:
        """Lease and look, until closed or cancelled."""
        async with asyncio.TaskGroup() as looks:
            while not self._closing.is_set():
                self._awake.clear()
                self.turned_at = self._clock.monotonic()
                batch = await self._lease()
                for job in () if self._closing.is_set() else batch:
                    if job.id in self._looking:
                        self._note_missed(job)
                    else:
                        self._looking.add(job.id)
                        looks.create_task(self._look(job), name=f"look-{job.id}")
                await event_or_timeout(self._awake, self._clock, await self._pause(full=len(batch) == BATCH))

    async def close(self, seconds: float = 5.0) -> None:
        """Begin no further look, and let requests on their way to a provider arrive within `seconds` of real time.

        One that is cut off may have to be told as lost; all other looks can be broken off without harm.
        """
        self._closing.set()
        for given_up in self._in_turn.values():
            given_up.set()
        self.wake()
        if self._steps.handing_over:
            await asyncio.wait(self._steps.handing_over, timeout=seconds)

    async def _lease(self) -> list[Job]:
        now = self._clock.now()
        try:
            return list(await self._store.lease(self._process, now=now, stale_before=now - STALE_AFTER, limit=BATCH))
        except StoreError as error:
            log.warning("no lease", extra={"action": "tracker.no-lease", "cause": str(error)})
            return []

    async def _pause(self, *, full: bool) -> float:
        if full:
            return 0.0
        now = self._clock.now()
        due = await self._store.next_due(self._process, stale_before=now - STALE_AFTER)
        return LISTEN if due is None else min(LISTEN, max(0.0, (due - now).total_seconds()))

    def _note_missed(self, job: Job) -> None:
        self._missed.add(job.id)
        if job.cancel_requested and job.id in self._in_turn:
            self._in_turn[job.id].set()

    async def _look(self, job: Job) -> None:
        try:
            await self._take_step(job)
            if job.id in self._missed:
                # It fell due again (a press, a webhook) while this look was under way: look once more.
                await self._store.nudge(job.id, self._clock.now())
                self.wake()
        except (StaleJob, JobGone):
            log.info("job is somebody else's now", extra={"action": "job.stale", "job_id": job.id})
        except StoreError as error:
            log.warning("a look was lost", extra={"action": "job.look-lost", "job_id": job.id, "cause": str(error)})
        except Exception as error:  # noqa: BLE001 - the per-job boundary: one job fails, the loop goes on
            await self._fail(job, error)
        finally:
            self._looking.discard(job.id)
            self._missed.discard(job.id)

    async def _take_step(self, job: Job) -> None:
        if job.stage is Stage.QUEUED and not job.cancel_requested:
            completed = await self._steps.ready(job)
            if completed is None or not await self._turn(completed):
                return
            fresh = await self._store.get(job.id)  # it may have been cancelled while it waited
            if fresh is None or self._closing.is_set():
                return
            job = fresh
        async with self._slots:
            await self._steps.take(job)

    async def _turn(self, job: Job) -> bool:
        """Wait for the provider's turn; False when it was given up, or when the provider is shut."""
        given_up = self._in_turn[job.id] = asyncio.Event()
        turn = asyncio.ensure_future(self._steps.turn(job))
        leaving = asyncio.ensure_future(given_up.wait())
        try:
            await asyncio.wait({turn, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return await turn if turn.done() else False
        finally:
            del self._in_turn[job.id]
            turn.cancel()
            leaving.cancel()
            await asyncio.gather(turn, leaving, return_exceptions=True)

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
            await self._steps.abandon(job, result)
        except Exception:
            log.exception("could not note a failure", extra={"action": "job.unnoted", "job_id": job.id})
