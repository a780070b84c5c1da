"""What delivery may write down, and for whom it may still speak."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import ManualClock
from bot.domain.jobs import JobId, ProcessId
from bot.domain.results import Outcome, Result
from bot.domain.stages import Stage
from bot.services.reply_book import ReplyBook
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
