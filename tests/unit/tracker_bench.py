"""A tracker on a manual clock, with a real database file and a provider that does what it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.clock import ManualClock
from bot.domain.jobs import Job, ProcessId
from bot.services.line import Line
from bot.services.ports import Composes
from bot.services.steps import Steps
from bot.services.tracker import Tracker
from bot.store.artifacts import SqlArtifactStore
from bot.store.jobs import SqlJobStore
from tests.databases import open_fresh_database
from tests.factories import OWNER
from tests.scripted import NoSources, ScriptedProvider, Wall

#: Real seconds after which a condition that never came true fails the test.
GUARD = 60.0


@dataclass
class Bench:
    """A tracker, and all that belongs to it."""

    clock: ManualClock
    store: SqlJobStore
    artifacts: SqlArtifactStore
    provider: ScriptedProvider
    wall: Wall
    steps: Steps
    tracker: Tracker

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have the tracker run meanwhile."""
        running = asyncio.create_task(self.tracker.run())
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def until(self, condition: Callable[[Job], bool], job: Job, *, step: float = 0.5) -> Job:
        """Let time pass until the row fulfils the condition, however slow the machine is."""
        async with asyncio.timeout(GUARD):
            while not condition(row := await self.row(job)):
                await self.clock.advance(step)
        return row

    async def row(self, job: Job) -> Job:
        """The job as written."""
        row = await self.store.get(job.id)
        assert row is not None
        return row

    async def result(self, job: Job) -> Job:
        """The job once it has its result."""
        return await self.until(lambda row: row.over, job)


@asynccontextmanager
async def open_bench(
    folder: Path,
    *,
    provider: ScriptedProvider | None = None,
    composes: Composes | None = None,
    clock: ManualClock | None = None,
    process: ProcessId = OWNER,
) -> AsyncIterator[Bench]:
    """A tracker that does not run yet; a second one in the same folder is another process on the same database."""
    provider, clock, wall = provider or ScriptedProvider(), clock or ManualClock(), Wall()
    async with open_fresh_database(folder) as database:
        store, artifacts = SqlJobStore(database), SqlArtifactStore(database)
        providers = {provider.name: provider}
        steps = Steps(
            store=store,
            artifacts=artifacts,
            providers=providers,
            sources=NoSources(),
            shows=wall,
            clock=clock,
            process=process,
            composes=composes,
        )
        line = Line(store=store, providers=providers, clock=clock)
        tracker = Tracker(store=store, steps=steps, line=line, clock=clock, process=process)
        yield Bench(clock, store, artifacts, provider, wall, steps, tracker)
