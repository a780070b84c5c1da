"""What delivery may write down, and for whom it may still speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import ManualClock
from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.outgoing import Outgoing
from bot.domain.results import Outcome, Result
from bot.domain.stages import Stage
from bot.errors import StoreError
from bot.services.reply_book import ReplyBook
from bot.services.steps import KEPT, NEVER_COLLECTED
from bot.store.base import Change
from bot.store.jobs import SqlJobStore
from tests.databases import open_fresh_database
from tests.factories import OWNER, make_artifact, make_job, make_reply

OTHER = ProcessId("process-2")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlJobStore]:
    async with open_fresh_database(tmp_path) as database:
        yield SqlJobStore(database)


async def test_process_that_slept_too_long_speaks_for_its_jobs_no_more(store: SqlJobStore) -> None:
    clock = ManualClock()
    book = ReplyBook(store=store, clock=clock, process=OWNER)
    job = make_job(stage=Stage.DELIVERING)
    await store.add(job)
    assert await book.owned(job.id)
    await clock.advance(60)
    now = clock.now()
    [taken] = await store.lease(OTHER, now=now, stale_before=now - timedelta(seconds=45), limit=10)
    assert taken.id == job.id
    assert not await book.owned(job.id)
    assert not await book.owned(JobId("unknown"))
    await book.delivered(job.id, len(job.artifacts))
    assert await book.moved(job.id, make_reply(), told=True) is None
    row = await store.get(job.id)
    assert row == taken, "nothing of it was written"


async def test_lost_reply_that_got_another_one_is_shown_there_and_told_of_once(store: SqlJobStore) -> None:
    book = ReplyBook(store=store, clock=ManualClock(), process=OWNER)
    job = make_job(stage=Stage.DELIVERING, reply=make_reply(detached="message deleted"))
    await store.add(job)
    moved = await book.moved(job.id, make_reply(message_id=77, interaction_id=job.reply.interaction_id), told=True)
    assert moved is not None
    assert (moved.reply.message_id, moved.reply.detached) == (77, "")
    assert moved.notified_at is not None
    assert moved.stage is Stage.DELIVERING


async def test_end_that_lacks_what_came_meanwhile_is_not_noted_as_shown(store: SqlJobStore) -> None:
    clock = ManualClock()
    book = ReplyBook(store=store, clock=clock, process=OWNER)
    made = make_job(stage=Stage.PROCESSING, artifacts=(make_artifact(0), make_artifact(1)))
    job = made.concluded(Result(outcome=Outcome.FINISHED), clock.now())
    await store.add(job)
    for shown, stage in ((1, Stage.DELIVERING), (2, Stage.ENDED)):
        await book.delivered(job.id, shown)
        row = await store.get(job.id)
        assert row is not None
        assert row.stage is stage


async def test_end_is_parked_for_a_day_and_put_away_when_it_cannot_be_shown_even_then(store: SqlJobStore) -> None:
    clock = ManualClock()
    book = ReplyBook(store=store, clock=clock, process=OWNER)
    job = make_job(stage=Stage.PROCESSING).concluded(Result(outcome=Outcome.FAILED), clock.now())
    await store.add(job)
    await book.parked(job.id)
    row = await store.get(job.id)
    assert row is not None
    assert (row.stage, row.due_at) == (Stage.DELIVERING, clock.now() + KEPT)
    await clock.advance(KEPT.total_seconds() + 1)
    await book.parked(job.id)
    row = await store.get(job.id)
    assert row is not None
    assert (row.stage, row.reply.detached) == (Stage.ENDED, NEVER_COLLECTED)


async def test_number_of_a_message_is_written_though_the_database_stumbles(store: SqlJobStore) -> None:
    clock = ManualClock()
    job = make_job(stage=Stage.DELIVERING)
    await store.add(job)
    written, failures = store.change, [StoreError("locked"), StoreError("locked")]

    async def stumbling(job_id: JobId, owner: ProcessId, change: Change) -> Job:
        if failures:
            raise failures.pop()
        return await written(job_id, owner, change)

    store.change = stumbling  # type: ignore[method-assign]
    book = ReplyBook(store=store, clock=clock, process=OWNER)
    arrived = Outgoing(part="f1", channel_id=1, begun_at=clock.now(), message_id=7)
    writing = asyncio.create_task(book.outgoing(job.id, arrived))
    while not writing.done():
        await clock.advance(0.5)
    assert await book.outbox(job.id) == (arrived,)
