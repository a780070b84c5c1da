"""Following a request at its provider: ask how far it is, fetch what is new, judge by what came."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.endings import conclude
from bot.domain.jobs import Job, JobId, ProcessId, WaitsFor
from bot.domain.kinds import Request
from bot.domain.progress import Progress
from bot.domain.stages import REMOTE, Stage
from bot.errors import Busy, Paused, ProviderError, RemoteGone, Unauthorized, Unavailable
from bot.providers.base import KeepsNews, Provider
from bot.services.breakers import Breakers
from bot.services.cadence import patience, until_next_look
from bot.services.log_context import about
from bot.services.moves import Moves
from bot.services.ports import Composes
from bot.store.base import ArtifactStore

log = logging.getLogger(__name__)

#: How long files that the provider has ready may stay out of reach before we give them up; links are renewed on asking
#: for as long as the request lives, 20 minutes after its last delivery (server 5.1.5).
FETCH_PATIENCE = timedelta(minutes=15)
#: The Horde forgets a request 20 minutes after its last sign of life (60 with an extra slow worker); every start and
#: every delivery of a part is one (server 5.1.5).
LIFE, LIFE_PER_PART = timedelta(minutes=75), timedelta(minutes=40)
#: While something cannot be fetched it is tried this often, seconds.
FETCH_AGAIN = 5.0
_NOT_FETCHED = "A finished picture can't be fetched yet; I keep trying."


class Following:
    """The steps of a job that its provider has."""

    def __init__(
        self,
        *,
        moves: Moves,
        breakers: Breakers,
        artifacts: ArtifactStore,
        providers: Mapping[str, Provider],
        clock: Clock,
        process: ProcessId,
        rng: random.Random,
        composes: Composes | None,
    ) -> None:
        self._moves = moves
        self._breakers = breakers
        self._artifacts = artifacts
        self._providers = providers
        self._clock = clock
        self._process = process
        self._rng = rng
        self._composes = composes

    def forgotten(self, job: Job) -> bool:
        """Whether the provider cannot have the request any more, whatever it would say."""
        if job.stage not in REMOTE:
            return False
        if job.remote_id is None:
            return True  # its number was taken away: another job has the same (migration 0005)
        if job.submitted_at is None:
            return False
        return self._clock.now() - job.submitted_at > LIFE + LIFE_PER_PART * job.request.parts

    async def told(self, job: Job) -> Job | None:
        """Take in what the service told by itself, whether or not it may be asked now; None when that is enough."""
        provider = self._providers[job.provider]
        if not isinstance(provider, KeepsNews):
            return job
        if job.cancel_requested:
            await self._stop(job)
            return None
        heard = await provider.heard(job)
        if heard.enough:
            await self.observe(job.id, heard.progress)
            return None
        now = self._clock.now()
        job = await self._moves.change(job.id, lambda row: row.advance(heard.progress, now))
        if _brings_something(job):
            job = await self._collect(job)
        return None if job.over else job

    async def follow(self, job: Job) -> None:
        """Ask how far it is, or stop it if that was asked for."""
        try:
            if job.cancel_requested:
                await self._stop(job)
                await self._breakers.answered(job.provider)
                return
            news = await self._providers[job.provider].poll(job)
        except RemoteGone:
            await self._breakers.answered(job.provider)
            await self._moves.end(job, conclude(job, gone=True))
        except ProviderError as error:
            await self._settled_unasked(await self._out_of_reach(job, error))
        else:
            await self._breakers.answered(job.provider)
            await self.observe(job.id, news)

    async def _settled_unasked(self, job: Job) -> None:
        """End a run that its provider stopped asking about, rather than hold it for as long as nothing answers."""
        provider = self._providers[job.provider]
        if isinstance(provider, KeepsNews):
            heard = await provider.heard(job)
            if heard.enough and heard.progress.over:
                await self.observe(job.id, heard.progress)

    async def observe(self, job_id: JobId, news: Progress) -> None:
        """Take in news of a job, whoever brought it: write it if anybody would notice, fetch what is new, show it."""
        now = self._clock.now()
        job = await self._moves.change(job_id, lambda row: self._paced(row.advance(news, now), now))
        if job.stage not in REMOTE or job.over:
            return
        if _brings_something(job):
            job = await self._collect(job)
        elif (smaller := self._smaller(job, now)) is not None:
            job = await self._replaced(job, smaller)
        self._moves.show(job)

    def _smaller(self, job: Job, now: datetime) -> Request | None:
        """A request that somebody could take, in place of one that nobody can; None for none."""
        if self._composes is None or job.stage is not Stage.WAITING:
            return None
        return self._composes.step_down(job, now)

    async def _replaced(self, job: Job, request: Request) -> Job:
        """Take the request back and put another one in its place, which goes the whole way from our own queue.

        Taken back first: where that fails, the row still knows it, and there are never two of one question.
        """
        try:
            await self._providers[job.provider].cancel(job)
        except ProviderError as error:
            log.info("a request could not be taken back", extra=about(job, "job.not-replaced", error))
            return job
        now = self._clock.now()
        log.info("smaller request", extra=about(job, "job.stepped-down"))
        return await self._moves.change(job.id, lambda row: row.again(request, now))

    async def _stop(self, job: Job) -> None:
        await self._providers[job.provider].cancel(job)
        job, missing = await self._harvest(job)
        if missing and not self._out_of_patience(job):
            await self._moves.hold(job, _NOT_FETCHED, FETCH_AGAIN)
            return
        log.info("job cancelled", extra=about(job, "job.cancelled"))
        await self._moves.end(job, conclude(job))

    def _paced(self, job: Job, now: datetime) -> Job:
        """Set the next look, unless the one the lease already set will do."""
        if job.progress and job.progress.over:
            return job
        seconds = until_next_look(job, now, self._rng, pushed=self._providers[job.provider].pushes)
        planned = (job.due_at - now).total_seconds() if job.due_at else LIFE.total_seconds()
        if job.hold == "" and job.waits_for is WaitsFor.NOTHING and 0.6 * seconds <= planned <= 1.5 * seconds:
            return job
        return replace(job.released(), due_at=now + timedelta(seconds=seconds), cadence=round(seconds, 1))

    async def _collect(self, job: Job) -> Job:
        try:
            job, missing = await self._harvest(job)
        except RemoteGone:
            return await self._moves.end(job, conclude(job, gone=True))
        except ProviderError as error:
            return await self._out_of_reach(job, error)
        if not (job.progress and job.progress.over):
            return job
        missing = missing or job.progress.finished > len(job.artifacts)
        if missing and not self._out_of_patience(job):
            return await self._moves.hold(job, _NOT_FETCHED, FETCH_AGAIN)
        return await self._tried_again(job) or await self._moves.end(job, conclude(job))

    async def _tried_again(self, job: Job) -> Job | None:
        """Put another request in the place of one that brought nothing usable; None when that's not to be.

        Only the row is written: from there it goes the way of the first one, so a crash finds it like any other.
        """
        again = self._composes.second_try(job) if self._composes is not None else None
        if again is None:
            return None
        now = self._clock.now()
        log.info("second try", extra=about(job, "job.retried"))
        return await self._moves.change(job.id, lambda row: row.again(again, now))

    def _out_of_patience(self, job: Job) -> bool:
        since = job.progress.over_since if job.progress else None
        return since is not None and self._clock.now() - since > FETCH_PATIENCE

    async def _harvest(self, job: Job) -> tuple[Job, bool]:
        """Fetch and keep what is new; tells also whether something that is ready could not be fetched."""
        harvest = await self._providers[job.provider].fetch(job)
        now = self._clock.now()
        for index, data in harvest.bytes_of.items():
            await self._artifacts.put(job.id, index, data, owner=self._process, now=now)
        job = await self._moves.change(job.id, lambda row: row.with_artifacts(*harvest.artifacts))
        return job, harvest.missing > 0

    async def _out_of_reach(self, job: Job, error: ProviderError) -> Job:
        await self._breakers.learn(job, error)
        if isinstance(error, Unavailable):
            return await self._moves.hold_for_service(job, self._breakers.of(job.provider), error)
        if job.waits_for is not WaitsFor.TIME:  # the first of a row of them
            log.warning("a look failed", extra=about(job, "job.look-failed", error))
        wait = error.retry_after if isinstance(error, (Busy, Paused)) else patience(job, self._clock.now())
        why = job.hold
        if isinstance(error, Unauthorized):
            why = error.user_message  # for somebody to mend; all else passes by itself
        elif job.waits_for is WaitsFor.SERVICE and self._breakers.of(job.provider).since is None:
            why = ""  # it answers again
        return await self._moves.hold(job, why, wait)


def _brings_something(job: Job) -> bool:
    """Whether there is something to fetch, or an end to judge."""
    return job.progress is not None and (job.progress.over or job.progress.finished > len(job.artifacts))
