"""Two processes that live on one database: nothing is done twice, and what one leaves behind the other finishes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from bot.clock import ManualClock
from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.progress import Progress
from bot.domain.results import Outcome
from bot.domain.stages import Stage
from bot.providers.base import Submission
from bot.services.tracker import STALE_AFTER
from bot.store.jobs import SqlJobStore
from bot.store.processes import SqlProcessStore
from tests.databases import open_fresh_database
from tests.factories import make_job, make_progress
from tests.scripted import ScriptedProvider
from tests.unit.tracker_bench import GUARD, open_bench

ONE, OTHER = ProcessId("one"), ProcessId("other")


class Shared(ScriptedProvider):
    """The service that both ask; what it has is done when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.submitted: list[JobId] = []
        self.done = False

    async def submit(self, job: Job, *, source: bytes | None = None) -> Submission:
        self.submitted.append(job.id)
        return await super().submit(job)

    async def poll(self, job: Job) -> Progress:
        return await super().poll(job) if self.done else make_progress(ends_at=None)


async def test_two_processes_do_nothing_twice_and_the_survivor_finishes(tmp_path: Path) -> None:
    clock, service = ManualClock(), Shared()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_fresh_database(tmp_path))
        processes, store = SqlProcessStore(database), SqlJobStore(database)
        for process in (ONE, OTHER):
            await processes.enter(process, host=f"host of {process}", pid=1, now=clock.now())
        jobs = [make_job(asker_id=n, owner=(ONE, OTHER, None)[n % 3]) for n in range(1, 19)]
        for job in jobs:
            await store.add(job)

        async def rows(*alive: ProcessId) -> list[Job]:
            for process in alive:
                await processes.beat(process, clock.now())
            await clock.advance(0.5)
            return [row for job in jobs if (row := await store.get(job.id)) is not None]

        survivor, dying = [
            await stack.enter_async_context(open_bench(tmp_path, provider=service, clock=clock, process=process))
            for process in (OTHER, ONE)
        ]
        await stack.enter_async_context(survivor.running())
        async with asyncio.timeout(GUARD), dying.running():
            found: list[Job] = []
            while not found or not all(row.stage is Stage.WAITING for row in found):
                found = await rows(ONE, OTHER)
            died = clock.now()
            await processes.beat(ONE, died)
        service.done = True
        async with asyncio.timeout(GUARD):
            while not all(row.over for row in found):
                found = await rows(OTHER)
    assert sorted(service.submitted) == sorted(job.id for job in jobs), "each was handed over once"
    assert {row.result.outcome for row in found if row.result} == {Outcome.FINISHED}
    assert [len(row.artifacts) for row in found] == [1] * len(jobs)
    assert {row.owner for row in found} == {OTHER}
    assert clock.now() - died >= STALE_AFTER, "until then the other might have been alive"
    assert not any(state.over for states in dying.wall.states.values() for state in states)
    assert all(survivor.wall.last(job.id).over for job in jobs)
