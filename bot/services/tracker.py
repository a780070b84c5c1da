"""The tracker: follows every job from our own queue to its result.

How it works
------------
There is one loop and no timer per job. A job's row says when it wants to be looked at (`due_at`); the loop *leases*
what is due, which in the same statement moves `due_at` on by the row's `cadence`. So a look that changes nothing
writes nothing beyond its lease, and a process that dies leaves rows that fall due for somebody else.

A look is one small step (`steps.py`), chosen by the row's stage. Looks run side by side, a few at a time; no more rows
are leased than can be looked at, so that the rows, not a crowd of waiting tasks, say who is next: news and new requests
before all that merely want to be asked about, and of equals the one that has waited longest. A few looks are kept for
what is urgent, so that a slow service does not keep a press or another service's jobs waiting. A request that waits
for its turn (`line.py`: providers take only so many, people share them) takes no place among the looks, and its row
does not say "submitting" yet: whatever happens meanwhile, it surely has not left.

A service that does not answer is asked by one look at a time (`breakers.py`); all others wait in their rows, and are
due as soon as it answers. What it told by itself waits for nothing: it lies in the database and is taken in at once.

All news, whoever brings it, ends in `Job.advance`, which makes late, repeated, or backward news harmless. Cancel and
"look now" requests arrive through the row, never through memory, so it does not matter whose process they reach: the
owner's loop asks the database every second.

A database that stumbles costs a look, not the job: the row falls due again. Anything unexpected concludes that one job
with a reference that stands in the log too; the loop goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from datetime import timedelta

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.results import Outcome, Result
from bot.domain.stages import Stage
from bot.errors import JobGone, ProviderError, StaleJob, StoreError
from bot.services.line import Line
from bot.services.log_context import about
from bot.services.steps import Steps
from bot.services.waiting import event_or_timeout
from bot.store.base import JobStore

log = logging.getLogger(__name__)

#: A process not heard of for this long has died; its jobs are free.
STALE_AFTER = timedelta(seconds=45)
#: At least this often the loop asks the database, because another process may have written to one of our rows.
LISTEN = 1.0
#: Looks under way at once, and how many more there may be of urgent ones.
LOOKS, URGENT_LOOKS = 32, 16


class Tracker:
    """Moves jobs on; see the module's text."""

    def __init__(self, *, store: JobStore, steps: Steps, line: Line, clock: Clock, process: ProcessId) -> None:
        self._store = store
        self._steps = steps
        self._line = line
        self._clock = clock
        self._process = process
        steps.tell(on_end=line.stir, on_busy=line.shut)
        self._awake = asyncio.Event()
        self._looking: set[JobId] = set()
        #: Fell due again while they were being looked at.
        self._missed: set[JobId] = set()
        #: Wait for the provider's turn; set to give the turn up.
        self._in_turn: dict[JobId, asyncio.Event] = {}
        self._closing = asyncio.Event()
        #: When the loop last turned, by the clock's `monotonic`: for the health page.
        self.turned_at: float = clock.monotonic()

    @property
    def services_down(self) -> frozenset[str]:
        """The services known not to answer."""
        return self._steps.services_down

    def wake(self) -> None:
        """Have the loop ask the database now: something is due."""
        self._awake.set()

    async def run(self) -> None:
        """Lease and look, until closed or cancelled."""
        async with asyncio.TaskGroup() as looks:
            line = looks.create_task(self._line.run(self._tell_place), name="line")
            while not self._closing.is_set():
                self._awake.clear()
                self.turned_at = self._clock.monotonic()
                batch, pause = await self._lease()
                for job in () if self._closing.is_set() else batch:
                    if job.id in self._looking:
                        self._note_missed(job)
                    else:
                        self._looking.add(job.id)
                        looks.create_task(self._look(job), name=f"look-{job.id}")
                await event_or_timeout(self._awake, self._clock, pause)
            line.cancel()

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

    @property
    def _in_hand(self) -> frozenset[JobId]:
        """What takes up a place among the looks."""
        return frozenset(self._looking.difference(self._in_turn))

    async def _lease(self) -> tuple[list[Job], float]:
        """Take what there is room to look at; tells also in how many seconds there may be more.

        Whether anything is due is read first: most of the time nothing is, and a lease is a write.
        """
        now, under_way = self._clock.now(), len(self._in_hand)
        urgent = under_way >= LOOKS
        limit = LOOKS + (URGENT_LOOKS if urgent else 0) - under_way
        if limit <= 0:
            return [], LISTEN  # or until a look ends
        stale_before = now - STALE_AFTER
        in_hand = frozenset(self._looking)  # those in line too: nothing but news makes them worth a lease
        try:
            due = await self._store.next_due(self._process, stale_before=stale_before, in_hand=in_hand)
            if due is None or due > now:
                return [], LISTEN if due is None else min(LISTEN, (due - now).total_seconds())
            batch = await self._store.lease(
                self._process, now=now, stale_before=stale_before, limit=limit, in_hand=in_hand, urgent=urgent
            )
        except StoreError as error:
            log.warning("no lease", extra={"action": "tracker.no-lease", "cause": str(error)})
            return [], LISTEN
        return list(batch), 0.0 if batch else LISTEN

    def _make_room(self, job_id: JobId) -> None:
        """Note that a look has left its place; the loop may be waiting for that."""
        if len(self._in_hand | {job_id}) >= LOOKS:
            self.wake()

    def _note_missed(self, job: Job) -> None:
        """There is news of it while it is being looked at; who waits in line has nothing to miss but a cancel."""
        given_up = self._in_turn.get(job.id)
        if given_up is None or job.cancel_requested:
            self._missed.add(job.id)
        if given_up is not None and job.cancel_requested:
            given_up.set()

    async def _look(self, job: Job) -> None:
        try:
            await self._take_step(job)
            if job.id in self._missed:
                # It fell due again (a press, a webhook) while this look was under way: look once more.
                await self._store.nudge(job.id, self._clock.now())
                self.wake()
        except (StaleJob, JobGone) as error:
            log.info("job is somebody else's now", extra=about(job, "job.stale", error))
        except StoreError as error:
            log.warning("a look was lost", extra=about(job, "job.look-lost", error))
        except Exception as error:  # noqa: BLE001 - the per-job boundary: one job fails, the loop goes on
            await self._fail(job, error)
        finally:
            self._looking.discard(job.id)
            self._missed.discard(job.id)
            self._make_room(job.id)

    async def _take_step(self, job: Job) -> None:
        if not await self._steps.served(job):
            return
        if job.stage is Stage.QUEUED and not job.cancel_requested:
            await self._begin(job)
        else:
            await self._steps.take(job)

    async def _begin(self, job: Job) -> None:
        """Take a job out of our own queue once it is complete, its service answers, and it is its turn."""
        completed = await self._steps.ready(job)
        if completed is None or not await self._steps.reachable(completed):
            return
        try:
            if not await self._turn(completed):
                return
            fresh = await self._store.get(job.id)  # it may have been cancelled while it waited
            if fresh is None or self._closing.is_set():
                return
            await self._steps.take(fresh)
        finally:
            self._line.settled(job.id)

    async def _turn(self, job: Job) -> bool:
        """Wait for the job's turn; False when it was given up, or when the provider takes nothing."""
        given_up = self._in_turn[job.id] = asyncio.Event()
        if job.id in self._missed or self._closing.is_set():
            given_up.set()  # it was cancelled while it was made ready, or there is no time left
        self._make_room(job.id)
        turn = asyncio.ensure_future(self._line.turn(job))
        leaving = asyncio.ensure_future(given_up.wait())
        try:
            await asyncio.wait({turn, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done() or given_up.is_set():
                return False
            await turn
        except ProviderError as error:
            await self._steps.turned_away(job, error)
            return False
        else:
            return True
        finally:
            del self._in_turn[job.id]
            turn.cancel()
            leaving.cancel()
            await asyncio.gather(turn, leaving, return_exceptions=True)

    async def _tell_place(self, job: Job, told: str) -> None:
        """Note a place in line in the row; a row that is somebody else's is told of by them."""
        with contextlib.suppress(StaleJob, JobGone):
            await self._steps.wait_in_line(job, told)

    async def _fail(self, job: Job, error: Exception) -> None:
        reference = secrets.token_hex(4)
        context = about(job, "job.unexpected", error, reference=reference)
        log.error("unexpected error in a job", exc_info=error, extra=context)
        result = Result(
            outcome=Outcome.FAILED,
            code="unexpected",
            reference=reference,
            message="Something went wrong on my side. Please try again; the reference helps whoever runs me.",
        )
        try:
            await self._steps.abandon(job, result)
        except Exception:
            log.exception("could not note a failure", extra=about(job, "job.unnoted", error))
