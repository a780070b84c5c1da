"""What delivery sends, on a manual clock and to a road that only notes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import discord
import pytest

from bot.clock import ManualClock
from bot.delivery import Delivery, Notices, Outbox
from bot.delivery.delivery import SURPRISES, SWEEP
from bot.delivery.pace import OLD_BACKOFF
from bot.delivery.routes import Fields, Routes
from bot.delivery.translate import TooOften
from bot.domain.jobs import Job, JobId, WaitsFor
from bot.domain.outgoing import Outgoing
from bot.domain.replies import ReplyAddress
from bot.domain.stages import Stage
from bot.errors import StoreError
from bot.store.base import ArtifactStore
from tests.factories import make_job, make_progress


@dataclass
class Road:
    """Takes every edit, or raises what was put there."""

    edits: list[tuple[str, bool]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def choose(self, address: ReplyAddress, dead_tokens: set[str]) -> Road:
        return self

    async def read(self) -> list[discord.Attachment]:
        return []

    async def edit(self, fields: Fields, *, first: bool = False) -> list[discord.Attachment]:
        if self.errors:
            raise self.errors.pop()
        self.edits.append((fields["embed"].description, first))
        return []


@dataclass
class Notes:
    """Delivery's book, in memory."""

    lost: bool = False
    done: list[JobId] = field(default_factory=list)
    waiting: list[JobId] = field(default_factory=list)

    async def owned(self, job_id: JobId) -> bool:
        return not self.lost

    async def delivered(self, job_id: JobId, artifacts: int) -> None:
        self.done.append(job_id)

    async def parked(self, job_id: JobId) -> None:
        self.waiting.append(job_id)

    async def posted(self, job_id: JobId, message_id: int) -> None: ...
    async def detached(self, job_id: JobId, why: str) -> None: ...
    async def notified(self, job_id: JobId) -> None: ...
    async def moved(self, job_id: JobId, reply: ReplyAddress, *, told: bool) -> Job | None:
        raise AssertionError

    async def outbox(self, job_id: JobId) -> tuple[Outgoing, ...]:
        return ()

    async def outgoing(self, job_id: JobId, message: Outgoing) -> None: ...
    async def not_sent(self, job_id: JobId, part: str) -> None: ...


class Quiet:
    """Nobody wants to be told; nothing was handed in; every file is kept."""

    async def tell(self, job: Job, *, collect: bool = False) -> bool:
        return False

    async def about(self, job_id: JobId) -> None:
        return None

    async def get(self, job_id: JobId, index: int) -> bytes | None:
        return b"a picture"


@dataclass
class Desk:
    clock: ManualClock
    road: Road
    notes: Notes
    delivery: Delivery


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A delivery that runs."""
    clock, road, notes, quiet = ManualClock(), Road(), Notes(), Quiet()
    delivery = Delivery(
        routes=cast("Routes", road),
        artifacts=cast("ArtifactStore", quiet),
        sources=quiet,
        book=notes,
        outbox=cast("Outbox", quiet),
        notices=cast("Notices", quiet),
        clock=clock,
    )
    running = asyncio.create_task(delivery.run())
    await asyncio.sleep(0)
    yield Desk(clock, road, notes, delivery)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def moved_on(job: Job, **progress: Any) -> Job:
    """The job with other news, a version later."""
    return replace(job, progress=make_progress(Stage.PROCESSING, **progress), version=job.version + 1)


async def test_end_is_told_first_and_by_its_owner_only(desk: Desk) -> None:
    mine, lost = make_job(stage=Stage.DELIVERING), make_job(stage=Stage.DELIVERING)
    desk.delivery.show(mine)
    await desk.clock.advance(1)
    assert [first for _, first in desk.road.edits] == [True]
    desk.notes.lost = True
    desk.delivery.show(lost)
    await desk.clock.advance(60)
    assert len(desk.road.edits) == 1, "whoever took the job over tells its end"
    assert desk.notes.done == [mine.id]
    assert desk.delivery.replies == 0, "nothing is kept of either"


async def test_message_older_than_an_hour_is_edited_once_more_at_the_end(desk: Desk) -> None:
    job = make_job(stage=Stage.PROCESSING)
    desk.delivery.show(job)
    await desk.clock.advance(1)
    assert [first for _, first in desk.road.edits] == [False]
    await desk.clock.advance(3700)
    for finished in range(1, 4):
        job = moved_on(job, finished=finished, ends_at=desk.clock.now() + timedelta(minutes=5))
        desk.delivery.show(job)
        await desk.clock.advance(60)
    assert len(desk.road.edits) == 1
    over = make_job(stage=Stage.DELIVERING)
    desk.delivery.show(replace(over, id=job.id, version=job.version + 1))
    await desk.clock.advance(1)
    assert len(desk.road.edits) == 2


async def test_job_of_one_minute_takes_few_edits(desk: Desk) -> None:
    job, end = make_job(stage=Stage.WAITING), desk.clock.now() + timedelta(seconds=60)
    while (left := (end - desk.clock.now()).total_seconds()) > 0:
        wavering = end + timedelta(seconds=left % 7)  # as the Horde's estimates do
        news = make_progress(Stage.PROCESSING if left < 35 else Stage.WAITING, ends_at=wavering)
        news = replace(news, queue_position=max(0, int(left) - 35))
        job = replace(job.advance(news, desk.clock.now()), version=job.version + 1)
        desk.delivery.show(job)
        await desk.clock.advance(min(max(left / 2, 2.0), 20.0))
    pictures = make_job(stage=Stage.DELIVERING)
    desk.delivery.show(replace(pictures, id=job.id, version=job.version + 1))
    await desk.clock.advance(1)
    assert desk.road.edits[-1][1], "the end was told"
    assert len(desk.road.edits) <= 8


async def test_service_that_does_not_answer_is_told_once_and_not_as_an_error(desk: Desk) -> None:
    job, since = make_job(stage=Stage.WAITING), desk.clock.now()
    for _ in range(10):
        now = desk.clock.now()
        later = now + timedelta(seconds=30)
        job = job.held("The AI Horde isn't answering.", until=later, now=now, waits_for=WaitsFor.SERVICE, since=since)
        job = replace(job, version=job.version + 1)
        desk.delivery.show(job)
        await desk.clock.advance(30)
    [(words, _)] = desk.road.edits
    assert words.count("isn't answering") == 1
    assert f"since <t:{int(since.timestamp())}:R>" in words
    assert job.result is None


async def test_process_that_lost_a_job_edits_its_progress_no_more_and_keeps_nothing_of_it(desk: Desk) -> None:
    job, quiet = make_job(stage=Stage.PROCESSING), make_job(stage=Stage.PROCESSING)
    for one in (job, quiet):
        desk.delivery.show(one)
    await desk.clock.advance(1)
    desk.delivery.show(moved_on(job, finished=1))
    desk.notes.lost = True  # while the edit waits out its gap
    await desk.clock.advance(60)
    assert len(desk.road.edits) == 2
    await desk.clock.advance(SWEEP)
    assert desk.delivery.replies == 0


async def test_what_nobody_thought_of_is_tried_a_few_times_and_parked(desk: Desk) -> None:
    job = make_job(stage=Stage.DELIVERING)
    desk.road.errors = [AttributeError("me")] * SURPRISES
    desk.delivery.show(job)
    await desk.clock.advance(60)
    assert desk.notes.waiting == [job.id]
    assert desk.delivery.replies == 0
    desk.delivery.show(job)
    await desk.clock.advance(1)
    assert desk.notes.done == [job.id], "the next look tries it anew"


async def test_database_that_stumbles_and_edits_that_come_too_often_are_waited_out(desk: Desk) -> None:
    job = make_job(stage=Stage.DELIVERING)
    desk.road.errors = [TooOften("30046"), StoreError("locked")]
    desk.delivery.show(job)
    await desk.clock.advance(OLD_BACKOFF)
    assert desk.road.edits == []
    await desk.clock.advance(OLD_BACKOFF * 2)
    assert desk.notes.done == [job.id]
