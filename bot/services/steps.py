r"""The steps of a job: what a look at it does, chosen by its row's stage.

    QUEUED       complete a request that had to wait; write "submitting", hand it over, write the remote id
    SUBMITTING   (found after a crash, or after an answer that never came) look for the request, ever more seldom and
                 for a while only, and never send it blindly
    WAITING      \  take in what the service told by itself; ask how far it is, if that is not enough; fetch what is
    PROCESSING   /  new; when nothing more will come, judge by what came
    DELIVERING   the result is known: have the reply show it

A step that needs the service may fail: one that does not answer *holds* the job (its place is kept and people are told
since when, see `breakers.py`), a refusal concludes it with a sentence. What a step of a stage does in detail stands in
`handing_over.py` (the first two) and `following.py` (the next two).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from bot.clock import Clock
from bot.domain.endings import conclude
from bot.domain.jobs import Job, ProcessId, WaitsFor
from bot.domain.results import Outcome, Result
from bot.domain.stages import REMOTE, Stage
from bot.errors import InvalidRequest, ProviderError
from bot.providers.base import Provider
from bot.services.breakers import Breakers
from bot.services.following import Following
from bot.services.handing_over import HandingOver
from bot.services.log_context import about
from bot.services.moves import Moves
from bot.services.ports import Composes, Shows, Sources, Waits
from bot.store.base import ArtifactStore, JobStore

log = logging.getLogger(__name__)

#: How long a result that nobody collected is kept.
KEPT = timedelta(hours=24)
#: Why its reply is detached then.
NEVER_COLLECTED = "never collected"
#: A request that waits for another one looks this often whether it is its turn, seconds.
NEXT_IN_LINE = 2.0
#: A job that waits for its turn in memory has its row looked at this often all the same, seconds.
IN_LINE = 60.0

_UNSERVED = "The service this was asked of is not set up here any more. Please ask for something else."


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
        rng: random.Random | None = None,
        composes: Composes | None = None,
    ) -> None:
        rng = rng or random.Random()
        self._providers = providers
        self._clock = clock
        self._composes = composes
        self._moves = Moves(store=store, shows=shows, clock=clock, process=process)
        self._breakers = Breakers(store=store, providers=providers, clock=clock, process=process, rng=rng)
        self._handing_over = HandingOver(
            moves=self._moves,
            breakers=self._breakers,
            providers=providers,
            sources=sources,
            clock=clock,
        )
        self._following = Following(
            moves=self._moves,
            breakers=self._breakers,
            artifacts=artifacts,
            providers=providers,
            clock=clock,
            process=process,
            rng=rng,
            composes=composes,
        )

    @property
    def services_down(self) -> frozenset[str]:
        """The services known not to answer."""
        return self._breakers.down

    @property
    def handing_over(self) -> set[asyncio.Task[object]]:
        """Requests that are leaving, or whose answer is being written: what must not be cut off."""
        return self._handing_over.under_way

    def tell(self, *, on_end: Callable[[], None], on_busy: Callable[[str, float], None]) -> None:
        """Name who is told when a job is over, and when a provider takes no more for so many seconds."""
        self._moves.on_end = on_end
        self._handing_over.on_busy = on_busy

    async def served(self, job: Job) -> bool:
        """Whether the job's provider is set up here (still); a job that nobody serves any more is ended."""
        if job.provider in self._providers or job.stage in {Stage.DELIVERING, Stage.ENDED}:
            return True
        log.warning("nobody serves this", extra=about(job, "job.unserved"))
        await self._moves.end(job, Result(outcome=Outcome.FAILED, code="unserved", message=_UNSERVED))
        return False

    async def take(self, job: Job) -> None:
        """Do what the job's stage asks for. Raises `StaleJob` when the row is somebody else's."""
        match job.stage:
            case Stage.QUEUED if job.cancel_requested:
                await self._drop(job)
            case Stage.QUEUED:
                await self._ask(job, self._handing_over.hand_over)
            case Stage.SUBMITTING:
                await self._find_out(job)
            case Stage.WAITING | Stage.PROCESSING:
                await self._follow(job)
            case Stage.DELIVERING:
                await self._have_it_shown(job)
            case Stage.ENDED:
                pass
            case _:
                assert_never(job.stage)

    async def _drop(self, job: Job) -> None:
        """End a job that was never handed over, and what was begun for it."""
        if self._composes is not None:
            await self._composes.given_up(job)
        await self._moves.end(job, Result(outcome=Outcome.CANCELLED))

    async def _follow(self, job: Job) -> None:
        if self._following.forgotten(job):
            await self.abandon(job, conclude(job, gone=True))
            return
        unsettled = await self._following.told(job)
        if unsettled is not None:
            await self._ask(unsettled, self._following.follow)

    async def _ask(self, job: Job, question: Callable[[Job], Awaitable[None]]) -> None:
        """Ask the job's service, if that may be done now."""
        breaker = self._breakers.of(job.provider)
        if not breaker.admit(job.id):
            await self._moves.hold_for_service(job, breaker)
            return
        try:
            await question(job)
        finally:
            breaker.leave(job.id)

    async def _find_out(self, job: Job) -> None:
        """Look for a request whose answer was lost, unless the service is down.

        That is no probe: it takes long, and its "not yet" says nothing of the service.
        """
        breaker = self._breakers.of(job.provider)
        if not (breaker.down and breaker.shut):
            await self._handing_over.look_for_lost(job)
        elif not await self._handing_over.search_ended(job):
            await self._moves.hold_for_service(job, breaker)

    async def reachable(self, job: Job) -> bool:
        """Whether the job's service may be asked now; if not, the job waits for it."""
        breaker = self._breakers.of(job.provider)
        if not breaker.shut:
            return True
        await self._moves.hold_for_service(job, breaker)
        return False

    async def ready(self, job: Job) -> Job | None:
        """Complete the request of a job that had to wait for something; None while it goes on waiting."""
        if self._composes is None:
            return job
        try:
            answer = await self._composes.ready(job)
        except InvalidRequest as error:
            await self._moves.end(job, Result(outcome=Outcome.REJECTED, message=error.user_message))
            return None
        if isinstance(answer, Waits):
            waiting = answer.request
            if waiting != job.request:
                job = await self._moves.change(job.id, lambda row: replace(row, request=waiting))
            await self._moves.hold(job, answer.why, NEXT_IN_LINE)
            return None
        if answer == job.request:
            return job
        return await self._moves.change(job.id, lambda row: replace(row.released(), request=answer))

    async def wait_in_line(self, job: Job, told: str) -> None:
        """Say which place the job has in our own queue."""
        await self._moves.hold(job, told, IN_LINE, waits_for=WaitsFor.TURN)

    async def turned_away(self, job: Job, error: ProviderError) -> None:
        """Keep a job whose provider takes nothing at the moment, and say why."""
        await self._handing_over.not_accepted(job, error)

    async def abandon(self, job: Job, result: Result) -> None:
        """End a job that cannot go on, and leave nothing of it behind remotely."""
        if job.remote_id is not None and job.stage in REMOTE:
            try:
                await self._providers[job.provider].cancel(job)
            except ProviderError as error:
                log.warning("left behind", extra=about(job, "job.left", error))
        await self._moves.end(job, result)

    async def _have_it_shown(self, job: Job) -> None:
        """Have an end shown; one that only a press could still bring about is put away after a day.

        However old it is: it may not have been tried yet, because we were down, or Discord was.
        """
        now = self._clock.now()
        needs_press = not job.reply.open_to_bot and not job.reply.token_alive(now)
        if needs_press and job.ended_at is not None and now - job.ended_at > KEPT:
            await self._moves.change(job.id, lambda row: row.detached(NEVER_COLLECTED).delivered(now))
        else:
            self._moves.show(job)
