"""What a service told by itself is taken in at once, and is no proof that the service answers now."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.jobs import Job, WaitsFor
from bot.domain.results import Outcome
from bot.domain.stages import Stage
from bot.errors import Unavailable
from bot.providers.base import Harvest, Heard, KeepsNews
from tests.factories import make_job, make_progress, make_request
from tests.scripted import ScriptedProvider, harvest_of
from tests.unit.tracker_bench import Bench, open_bench

NOTHING = Heard(progress=make_progress(), enough=False)


class Called(ScriptedProvider):
    """A provider whose service calls."""

    pushes = True

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, deque[Heard]] = {}

    async def heard(self, job: Job) -> Heard:
        told = self.told.get(job.id)
        return told.popleft() if told else NOTHING


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A running tracker whose service is down, but called a moment ago."""
    provider = Called()
    assert isinstance(provider, KeepsNews)
    provider.polls.extend([Unavailable("down")] * 1000)
    async with open_bench(tmp_path, provider=provider) as bench, bench.running():
        job = make_job(stage=Stage.WAITING)
        await bench.store.add(job)
        await bench.until(lambda _: "horde" in bench.tracker.services_down, job)
        yield bench


def hears(bench: Bench, job: Job, *heard: Heard) -> None:
    """What the service will have told of a job, look by look."""
    assert isinstance(bench.provider, Called)
    bench.provider.told[job.id] = deque(heard)


async def test_end_that_was_told_is_taken_in_while_the_service_is_down(bench: Bench) -> None:
    job = make_job(stage=Stage.WAITING)
    hears(bench, job, Heard(progress=make_progress(Stage.PROCESSING, finished=1, over=True), enough=True))
    await bench.store.add(job)
    row = await bench.until(lambda row: row.over, job, step=0.1)
    assert row.result is not None
    assert row.result.outcome is Outcome.FINISHED
    assert bench.tracker.services_down == {"horde"}, "nobody asked it, and it answered nobody"


async def test_file_that_was_told_of_is_shown_while_the_rest_waits_for_the_service(bench: Bench) -> None:
    job = make_job(stage=Stage.WAITING, request=make_request(count=2))
    hears(bench, job, Heard(progress=make_progress(Stage.PROCESSING, finished=1), enough=False))
    bench.provider.harvests.append(harvest_of(job, 1))
    await bench.store.add(job)
    row = await bench.until(lambda row: row.waits_for is WaitsFor.SERVICE, job)
    assert len(row.artifacts) == 1
    assert not row.over
    bench.provider.polls.clear()
    assert (await bench.result(job)).result is not None
    assert not bench.tracker.services_down


async def test_cancel_waits_for_no_answer_where_there_is_nobody_to_stop(bench: Bench) -> None:
    job = make_job(stage=Stage.WAITING)
    await bench.store.add(job)
    await bench.until(lambda row: row.waits_for is WaitsFor.SERVICE, job)
    bench.provider.harvests.append(Harvest(artifacts=(), bytes_of={}))
    await bench.store.request_cancel(job.id, bench.clock.now())
    bench.tracker.wake()
    row = await bench.until(lambda row: row.over, job, step=0.1)
    assert row.result is not None
    assert row.result.outcome is Outcome.CANCELLED
    assert bench.tracker.services_down == {"horde"}
