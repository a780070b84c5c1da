"""Requests whose answer was lost: looked for, ever more seldom, and never without an end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.clock import ManualClock
from bot.domain.jobs import Job
from bot.domain.results import Outcome
from bot.domain.stages import Stage
from bot.errors import ProtocolError, SubmissionUncertain, Unavailable
from bot.providers.base import Submission
from bot.providers.horde.searches import GIVEN_UP, Searches
from bot.services.handing_over import SEARCH
from tests.factories import make_job
from tests.unit.tracker_bench import Bench, open_bench

_NOT_YET = Unavailable("not yet", user_message="I'm finding out whether it arrived.")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A running tracker."""
    async with open_bench(tmp_path) as bench, bench.running():
        yield bench


def never_told(bench: Bench) -> list[datetime]:
    """Have the search bring nothing for ever; returns the moments of its looks."""
    looks: list[datetime] = []

    async def recover(job: Job) -> Submission | None:
        looks.append(bench.clock.now())
        raise _NOT_YET

    bench.provider.recover = recover  # type: ignore[method-assign]
    return looks


async def test_lost_submission_is_looked_for_and_adopted(bench: Bench) -> None:
    job = make_job()
    bench.provider.submits.append(SubmissionUncertain("reset"))
    bench.provider.recoveries.extend([Unavailable("not yet"), Submission(remote_id="found")])
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.remote_id == "found"
    assert bench.provider.calls[:3] == ["submit", "recover", "recover"]
    assert bench.provider.calls.count("submit") == 1


async def test_lost_submission_that_surely_never_arrived_is_sent_again(bench: Bench) -> None:
    job = make_job()
    bench.provider.submits.append(SubmissionUncertain("reset"))
    await bench.store.add(job)
    await bench.result(job)
    assert bench.provider.calls[:3] == ["submit", "recover", "submit"]


async def test_lost_submission_that_cannot_be_looked_for_is_told_honestly(bench: Bench) -> None:
    job = make_job(stage=Stage.SUBMITTING)
    bench.provider.recoveries.append(SubmissionUncertain("anonymous"))
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.result is not None
    assert (row.result.outcome, row.result.code) == (Outcome.FAILED, "lost-submission")
    assert "haven't sent it a second time" in row.result.message
    assert "submit" not in bench.provider.calls


async def test_search_that_meets_nonsense_goes_on(bench: Bench) -> None:
    job = make_job(stage=Stage.SUBMITTING)
    bench.provider.recoveries.extend([ProtocolError("a proxy's page"), Submission(remote_id="found")])
    await bench.store.add(job)
    assert (await bench.result(job)).remote_id == "found"


async def test_search_gets_rarer_and_ends_with_an_honest_sentence(bench: Bench) -> None:
    looks = never_told(bench)
    job = make_job(stage=Stage.SUBMITTING)
    await bench.store.add(job)
    row = await bench.until(lambda row: row.over, job, step=2.0)
    assert row.result is not None
    assert (row.result.outcome, row.result.code) == (Outcome.FAILED, "lost-submission")
    assert "haven't sent it a second time" in row.result.message
    assert row.ended_at is not None
    assert row.attempted_at is not None
    assert row.ended_at - row.attempted_at >= SEARCH
    assert len(looks) <= 40, "a look every five seconds would make 240"
    assert "submit" not in bench.provider.calls


@pytest.mark.parametrize("down", [False, True], ids=["not-found-yet", "service-down"])
async def test_cancel_ends_a_search_at_once(bench: Bench, *, down: bool) -> None:
    looks = never_told(bench)
    job = make_job(stage=Stage.SUBMITTING)
    await bench.store.add(job)
    if down:
        bench.provider.polls.extend([Unavailable("down")] * 99)
        other = make_job(stage=Stage.WAITING)
        await bench.store.add(other)
        await bench.until(lambda _: "horde" in bench.tracker.services_down, other)
    await bench.until(lambda row: bool(row.hold), job)
    before = len(looks)
    await bench.store.request_cancel(job.id, bench.clock.now())
    bench.tracker.wake()
    row = await bench.until(lambda row: row.over, job, step=0.1)
    assert row.result is not None
    assert (row.result.outcome, row.result.code) == (Outcome.CANCELLED, "lost-submission")
    assert "couldn't tell yet" in row.result.message
    assert len(looks) - before <= (0 if down else 1)
    assert "submit" not in bench.provider.calls


async def test_cancel_of_what_surely_never_arrived_sends_nothing(bench: Bench) -> None:
    job = make_job(stage=Stage.SUBMITTING, cancel_requested=True)
    bench.provider.recoveries.append(None)
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.result is not None
    assert (row.result.outcome, row.result.code) == (Outcome.CANCELLED, "")
    assert bench.provider.calls == ["recover"]


async def test_search_that_the_tracker_gave_up_is_forgotten() -> None:
    clock, job = ManualClock(), make_job()
    searches = Searches(clock)
    search = searches.of(job)
    await clock.advance(GIVEN_UP.total_seconds())
    assert searches.of(job) is search
    await clock.advance(1)
    searches.begin(make_job().id)
    assert searches.of(job) is not search


async def test_cancel_of_what_is_found_stops_it_there(bench: Bench) -> None:
    job = make_job(stage=Stage.SUBMITTING, cancel_requested=True)
    bench.provider.recoveries.append(Submission(remote_id="found"))
    await bench.store.add(job)
    await bench.result(job)
    assert bench.provider.calls[:2] == ["recover", "cancel"]
