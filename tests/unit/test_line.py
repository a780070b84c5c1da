"""Who goes next: round by round over people, within each one's share and the account's room."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import ManualClock
from bot.domain.jobs import Job
from bot.domain.results import Outcome, Result
from bot.domain.stages import Stage
from bot.errors import Paused, TooManyJobs
from bot.services.line import Line, Room
from bot.store.jobs import SqlJobStore
from tests.databases import open_fresh_database
from tests.factories import NOW, make_job, make_progress, make_request
from tests.scripted import ScriptedProvider

ADA, GRACE, JOAN = 1, 2, 3
#: Real seconds after which what never happens fails the test.
GUARD = 20.0


class Door:
    """A line in front of a provider that opens by hand."""

    def __init__(self, store: SqlJobStore, clock: ManualClock, *, share: int, room: Room | None) -> None:
        self.store = store
        self.clock = clock
        self.provider = ScriptedProvider()
        self.places = asyncio.Semaphore(0)
        self.provider.turn = self._turn  # type: ignore[method-assign]
        self.line = Line(store=store, providers={"horde": self.provider}, clock=clock, share=share, room=room)
        self.gone: list[Job] = []
        self.told: dict[str, str] = {}
        self.shut: Exception | None = None
        #: Whether the provider answers to what is handed over.
        self.answers = asyncio.Event()
        self.answers.set()
        self._group: asyncio.TaskGroup

    async def _turn(self) -> None:
        await self.places.acquire()
        if self.shut is not None:
            raise self.shut

    async def come(self, *jobs: Job) -> None:
        """Jobs come to the line, in this order."""
        for job in jobs:
            self._tasks.append(asyncio.create_task(self._wait(job)))
            await asyncio.sleep(0)

    async def _wait(self, job: Job) -> None:
        await self.line.turn(job)
        await self.store.add(job.submitting(self.clock.now()))
        self.gone.append(job)
        await self.answers.wait()
        self.line.settled(job.id)

    async def open_for(self, count: int) -> list[int]:
        """Let so many go; returns whose they were."""
        for _ in range(count):
            before = len(self.gone)
            self.places.release()
            await self.until(lambda before=before: len(self.gone) > before)
        return [job.asker_id for job in self.gone]

    async def until(self, condition: object) -> None:
        async with asyncio.timeout(GUARD):
            while not condition():  # type: ignore[operator]
                await self.clock.advance(0.5)

    async def _tell(self, job: Job, told: str) -> None:
        self.told[job.id] = told

    @asynccontextmanager
    async def served(self) -> AsyncIterator[Door]:
        self._tasks: list[asyncio.Task[None]] = [asyncio.create_task(self.line.run(self._tell))]
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            for task in self._tasks:
                with contextlib.suppress(asyncio.CancelledError, Paused):
                    await task


@asynccontextmanager
async def door(folder: Path, *, share: int = 2, room: Room | None = None) -> AsyncIterator[Door]:
    async with open_fresh_database(folder) as database:
        made = Door(SqlJobStore(database), ManualClock(), share=share, room=room)
        async with made.served():
            yield made


def jobs_of(asker: int, count: int, *, since: int = 0, **overrides: Any) -> list[Job]:
    """A person's jobs, one second apart."""
    return [
        make_job(asker_id=asker, accepted_at=NOW + timedelta(seconds=since + number), **overrides)
        for number in range(count)
    ]


async def test_line_goes_round_over_people(tmp_path: Path) -> None:
    async with door(tmp_path, share=10) as at:
        await at.come(*jobs_of(ADA, 4), *jobs_of(GRACE, 2, since=100), *jobs_of(JOAN, 1, since=200))
        assert await at.open_for(7) == [ADA, GRACE, JOAN, ADA, GRACE, ADA, ADA]


async def test_jobs_in_work_count_as_ones_first_ones(tmp_path: Path) -> None:
    async with door(tmp_path, share=10) as at:
        for job in jobs_of(ADA, 2, stage=Stage.PROCESSING):
            await at.store.add(job)
        await at.come(*jobs_of(ADA, 2), *jobs_of(GRACE, 3, since=100))
        assert await at.open_for(5) == [GRACE, GRACE, ADA, GRACE, ADA]


async def test_whoever_used_up_the_share_waits_and_is_told_and_lets_others_by(tmp_path: Path) -> None:
    async with door(tmp_path) as at:
        running = jobs_of(ADA, 2, stage=Stage.WAITING)
        for job in running:
            await at.store.add(job)
        first, second = jobs_of(ADA, 2)
        await at.come(first, second, *jobs_of(GRACE, 1, since=100))
        assert await at.open_for(1) == [GRACE]
        await at.until(lambda: len(at.told) == 2)
        assert at.told[first.id] == "You have 2 jobs running, this one is next."
        assert at.told[second.id] == "You have 2 jobs running; 1 more of yours before this one."
        owner = running[0].owner
        assert owner is not None
        await at.store.change(
            running[0].id, owner, lambda row: row.concluded(Result(outcome=Outcome.FINISHED), at.clock.now())
        )
        assert await at.open_for(1) == [GRACE, ADA]
        assert at.gone[-1].id == first.id


async def test_place_in_line_is_told(tmp_path: Path) -> None:
    async with door(tmp_path) as at:
        ada, grace, joan = (jobs_of(who, 1, since=who)[0] for who in (ADA, GRACE, JOAN))
        await at.come(ada, grace, joan)
        await at.until(lambda: len(at.told) == 3)
        assert [at.told[job.id] for job in (ada, grace, joan)] == [
            "Next in line here.", "1 ahead of you here.", "2 ahead of you here.",
        ]  # fmt: skip
        await at.open_for(1)
        await at.until(lambda: at.told[joan.id] == "1 ahead of you here.")


async def test_room_counts_what_no_worker_has_taken(tmp_path: Path) -> None:
    async with door(tmp_path, room=lambda _: 5) as at:
        waiting = make_job(stage=Stage.WAITING, asker_id=JOAN, progress=make_progress(waiting=3))
        await at.store.add(waiting)
        large, small = jobs_of(ADA, 1, request=make_request(count=4))[0], jobs_of(GRACE, 1, since=9)[0]
        await at.come(large, small)
        at.places.release()
        await at.clock.advance(10)
        assert at.gone == [], "the first in order is not overtaken for being large"
        taken = make_progress(Stage.PROCESSING, waiting=1, processing=2)
        assert waiting.owner is not None
        await at.store.change(waiting.id, waiting.owner, lambda row: row.advance(taken, at.clock.now()))
        await at.until(lambda: at.gone == [large])


async def test_what_is_on_its_way_counts_once_and_with_all_its_parts(tmp_path: Path) -> None:
    async with door(tmp_path, share=2, room=lambda _: 4) as at:
        at.answers.clear()
        pairs = jobs_of(ADA, 2, request=make_request(count=2))
        await at.come(*pairs)
        assert await at.open_for(2) == [ADA, ADA], "neither the share nor the room is used up by the first of them"
        await at.come(*jobs_of(GRACE, 1))
        at.places.release()
        await at.clock.advance(10)
        at.answers.set()
        await at.clock.advance(10)
        assert at.gone == pairs, "four parts are on their way, and nobody has said anything of them yet"


async def test_provider_that_is_shut_says_so_to_whoever_is_first(tmp_path: Path) -> None:
    async with door(tmp_path) as at:
        [job] = jobs_of(ADA, 1)
        at.shut = Paused("shut", retry_after=60)
        at.places.release()
        with pytest.raises(Paused):
            await at.line.turn(job)


async def test_provider_that_takes_no_more_is_left_alone_for_as_long_as_it_said(tmp_path: Path) -> None:
    async with door(tmp_path) as at:
        at.line.shut("horde", 30)
        came = at.clock.monotonic()
        await at.come(*jobs_of(ADA, 1))
        await at.open_for(1)
        assert at.clock.monotonic() - came >= 30


async def test_storm_of_one_person_is_refused_at_the_limit_and_others_are_not(tmp_path: Path) -> None:
    async with open_fresh_database(tmp_path) as database:
        store = SqlJobStore(database)
        storm = [store.add(job, at_most=3) for job in jobs_of(ADA, 10)]
        answers = await asyncio.gather(*storm, return_exceptions=True)
        assert [type(answer) for answer in answers].count(TooManyJobs) == 7
        await store.add(jobs_of(GRACE, 1)[0], at_most=3)
