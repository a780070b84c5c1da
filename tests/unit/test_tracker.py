"""The tracker on a manual clock, a real database file, and a provider that does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.jobs import Job, JobId, ProcessId, WaitsFor, is_image
from bot.domain.kinds import Request
from bot.domain.progress import Progress
from bot.domain.results import Outcome
from bot.domain.stages import Stage
from bot.errors import (
    Busy,
    ContentRefused,
    Maintenance,
    Paused,
    ProtocolError,
    RemoteGone,
    SubmissionUncertain,
    Unauthorized,
    Unavailable,
)
from bot.providers.base import Harvest, Submission
from bot.services.steps import NEVER_COLLECTED
from bot.services.tracker import LOOKS
from bot.store.base import Change
from tests.factories import OWNER, make_artifact, make_job, make_progress, make_reply, make_request
from tests.scripted import harvest_of
from tests.unit.tracker_bench import Bench, open_bench


class Insists:
    """Composes a second request, once, in place of one that brought nothing usable."""

    async def ready(self, job: Job) -> Request:
        return job.request

    async def given_up(self, job: Job) -> None:
        pass

    def second_try(self, job: Job) -> Request | None:
        first = is_image(job) and job.request.seed == "4242" and not job.usable
        return make_request(seed="4243") if first else None

    def step_down(self, job: Job, now: datetime) -> Request | None:
        return None


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A running tracker."""
    async with open_bench(tmp_path, composes=Insists()) as bench, bench.running():
        yield bench


async def test_job_goes_from_our_queue_to_its_result(bench: Bench) -> None:
    job = make_job(stage=Stage.QUEUED, request=make_request(count=2))
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.FINISHED
    assert row.stage is Stage.DELIVERING
    assert bench.provider.calls == ["submit", "poll", "fetch"]
    assert await bench.artifacts.get(job.id, 1) == f"bytes of {job.id}-1".encode()
    assert next(state.stage for state in bench.wall.states[job.id]) is Stage.WAITING


async def test_row_says_submitting_before_the_request_leaves(bench: Bench) -> None:
    job = make_job()
    seen: list[Stage] = []
    submit = bench.provider.submit

    async def spying(job: Job, *, source: bytes | None = None) -> Submission:
        seen.append((await bench.row(job)).stage)
        return await submit(job)

    bench.provider.submit = spying  # type: ignore[method-assign]
    await bench.store.add(job)
    await bench.result(job)
    assert seen == [Stage.SUBMITTING]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Unavailable("refused"), id="down"),
        pytest.param(Busy("slow down", retry_after=7), id="busy"),
        pytest.param(Paused("timeout", retry_after=90), id="paused"),
        pytest.param(Maintenance("later"), id="maintenance"),
    ],
)
async def test_job_waits_here_and_says_why_while_the_service_does_not_take_it(
    bench: Bench, trouble: Unavailable | Busy | Paused | Maintenance
) -> None:
    job = make_job()
    bench.provider.submits.extend([trouble, trouble])
    await bench.store.add(job)
    await bench.until(lambda _: any(shown.hold for shown in bench.wall.states.get(job.id, ())), job)
    held = next(shown for shown in bench.wall.states[job.id] if shown.hold)
    assert (held.stage, held.hold) == (Stage.QUEUED, trouble.user_message)
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.FINISHED
    assert row.hold == ""


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        pytest.param(ContentRefused("no", code="CorruptPrompt"), Outcome.REJECTED, id="content"),
        pytest.param(Unauthorized("key"), Outcome.REJECTED, id="key"),
        pytest.param(ProtocolError("nonsense"), Outcome.FAILED, id="nonsense"),
    ],
)
async def test_refused_job_ends_with_the_reason(bench: Bench, refusal: Exception, outcome: Outcome) -> None:
    job = make_job()
    bench.provider.submits.append(refusal)
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is outcome
    assert row.result.message == refusal.user_message  # type: ignore[attr-defined]
    assert bench.provider.calls == ["submit"]


async def test_slow_service_keeps_neither_a_new_request_nor_a_cancel_waiting(bench: Bench) -> None:
    asked: list[JobId] = []

    async def never(job: Job) -> Progress:
        asked.append(job.id)
        await asyncio.Event().wait()
        raise AssertionError("it never answers")

    bench.provider.poll = never  # type: ignore[method-assign]
    waiting = [make_job(stage=Stage.WAITING, cadence=2.0) for _ in range(2 * LOOKS)]
    for job in waiting:
        await bench.store.add(job)
    await bench.until(lambda _: len(asked) == LOOKS, waiting[0])
    unasked = next(job for job in waiting if job.id not in asked)
    new = make_job(asker_id=4242)  # somebody whose share is not used up
    await bench.store.add(new)
    await bench.store.request_cancel(unasked.id, bench.clock.now())
    await bench.until(lambda row: row.stage is Stage.WAITING, new)
    await bench.until(lambda row: row.over, unasked)
    assert len(asked) == len(set(asked)) == LOOKS, "nothing is asked about twice at once, and no crowd builds up"


async def test_job_in_line_is_leased_once_and_then_only_for_news(bench: Bench) -> None:
    async def turn() -> None:
        await asyncio.Event().wait()

    leases: list[JobId] = []
    lease = bench.store.lease

    async def noted(*args: Any, **kwargs: Any) -> Sequence[Job]:
        leased = await lease(*args, **kwargs)
        leases.extend(job.id for job in leased)
        return leased

    bench.provider.turn = turn  # type: ignore[method-assign]
    bench.store.lease = noted  # type: ignore[method-assign]
    job = make_job()
    await bench.store.add(job)
    await bench.until(lambda row: row.waits_for is WaitsFor.TURN, job)
    await bench.clock.advance(300)
    other = make_job(stage=Stage.WAITING)
    await bench.store.add(other)
    await bench.result(other)
    assert leases.count(job.id) == 1
    await bench.store.request_cancel(job.id, bench.clock.now())
    assert (await bench.result(job)).result is not None


async def test_pictures_are_fetched_as_they_finish(bench: Bench) -> None:
    job = make_job(stage=Stage.WAITING, request=make_request(count=2))
    bench.provider.polls.append(make_progress(Stage.PROCESSING, finished=1))
    bench.provider.harvests.append(harvest_of(job, 1))
    await bench.store.add(job)
    first = await bench.until(lambda row: len(row.artifacts) == 1, job)
    assert not first.over
    row = await bench.result(job)
    assert [artifact.index for artifact in row.artifacts] == [0, 1]
    assert bench.provider.calls == ["poll", "fetch", "poll", "fetch"]


async def test_unchanged_news_is_not_written(bench: Bench) -> None:
    """Leases write too, and how many there are depends on the machine: so the changes themselves are looked at."""
    job = make_job(stage=Stage.WAITING)
    same = make_progress(queue_position=3, ends_at=None)
    bench.provider.polls.extend([same] * 50)
    altered: list[Job] = []
    write = bench.store.change

    async def noting(job_id: JobId, owner: ProcessId, change: Change) -> Job:
        def noted(row: Job) -> Job:
            after = change(row)
            if replace(after, due_at=row.due_at, cadence=row.cadence) != row:
                altered.append(after)
            return after

        return await write(job_id, owner, noted)

    bench.store.change = noting  # type: ignore[method-assign]
    await bench.store.add(replace(job, progress=same, cadence=2.0))
    await bench.until(lambda _: bench.provider.calls.count("poll") >= 4, job)
    assert altered == [], "only when to look next may have been written"


async def test_look_in_time_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    same = make_progress(queue_position=3, ends_at=None)
    job = replace(make_job(stage=Stage.WAITING), progress=same, cadence=2.0)
    async with open_bench(tmp_path) as bench:
        await bench.store.add(job)
        now = bench.clock.now()
        [leased] = await bench.store.lease(OWNER, now=now, stale_before=now, limit=1)
        bench.provider.polls.append(same)
        await bench.steps.take(leased)
        assert bench.provider.calls == ["poll"]
        assert await bench.row(job) == leased


async def test_silent_service_holds_the_job_and_the_job_goes_on_afterwards(bench: Bench) -> None:
    job = make_job(stage=Stage.PROCESSING)
    down: list[frozenset[str]] = []
    bench.wall.on_show = lambda shown: down.append(bench.tracker.services_down)
    bench.provider.polls.extend([Unavailable("down")] * 3)
    await bench.store.add(job)
    held = await bench.until(lambda row: bool(row.hold), job)
    assert (held.stage, held.waits_for) == (Stage.PROCESSING, WaitsFor.SERVICE)
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.FINISHED
    assert {"horde"} in down
    assert not bench.tracker.services_down


@pytest.mark.parametrize("stage", [Stage.QUEUED, Stage.PROCESSING])
async def test_job_of_a_service_that_was_taken_away_ends_and_says_so(bench: Bench, stage: Stage) -> None:
    job = make_job(stage=stage, provider="gone-for-good")
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.result is not None
    assert (row.result.outcome, row.result.code) == (Outcome.FAILED, "unserved")


async def test_service_that_only_says_slow_down_is_not_said_to_be_silent(bench: Bench) -> None:
    job = make_job(stage=Stage.PROCESSING)
    bench.provider.polls.extend([Unavailable("down")] * 3 + [Busy("429", retry_after=2.0)] * 99)
    await bench.store.add(job)
    held = await bench.until(lambda _: bool(bench.tracker.services_down), job)
    held = await bench.until(lambda row: row.waits_for is WaitsFor.TIME, job)
    assert held.hold == ""
    assert not bench.tracker.services_down


async def test_request_whose_number_was_taken_away_ends_unasked(bench: Bench) -> None:
    job = replace(make_job(stage=Stage.WAITING), remote_id=None)
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.EXPIRED
    assert bench.provider.calls == []


async def test_forgotten_request_has_expired(bench: Bench) -> None:
    job = make_job(stage=Stage.WAITING)
    bench.provider.polls.append(RemoteGone("404"))
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.EXPIRED


async def test_request_that_never_ends_is_given_up_after_its_longest_life(bench: Bench) -> None:
    job = make_job(stage=Stage.WAITING)
    job = replace(job, submitted_at=bench.clock.now() - timedelta(minutes=116))
    await bench.store.add(job)
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.EXPIRED


async def test_second_try_goes_the_whole_way_and_a_lost_one_is_looked_for(bench: Bench) -> None:
    job = make_job(stage=Stage.QUEUED)
    nothing = Harvest(artifacts=(make_artifact(0, unreadable=True),), bytes_of={})
    bench.provider.submits.extend([Submission(remote_id="first"), SubmissionUncertain("reset")])
    bench.provider.recoveries.append(Submission(remote_id="second"))
    bench.provider.harvests.append(nothing)
    seen: dict[str, tuple[Stage, str | None]] = {}
    recover = bench.provider.recover

    async def spying(job: Job) -> Submission | None:
        seen["lost"] = (job.stage, job.remote_id)
        return await recover(job)

    bench.provider.recover = spying  # type: ignore[method-assign]
    await bench.store.add(job)
    row = await bench.result(job)
    assert bench.provider.calls == ["submit", "poll", "fetch", "submit", "recover", "poll", "fetch"]
    assert seen["lost"] == (Stage.SUBMITTING, "first"), "whoever looks has to know which one is not the lost one"
    assert (row.remote_id, row.attempts) == ("second", 2)
    assert row.result is not None
    assert row.result.outcome is Outcome.FINISHED


async def test_submission_into_silence_waits_for_a_sign_of_life(bench: Bench) -> None:
    signs: list[Exception] = [ProtocolError("nonsense"), Unavailable("still down")]

    async def probe() -> None:
        bench.provider.calls.append("probe")
        if signs:
            raise signs.pop()

    bench.provider.probe = probe  # type: ignore[attr-defined]
    bench.provider.submits.append(Unavailable("down"))
    job = make_job(stage=Stage.QUEUED)
    await bench.store.add(job)
    await bench.result(job)
    assert bench.provider.calls[:5] == ["submit", "probe", "probe", "probe", "submit"]


async def test_files_out_of_reach_are_tried_for_a_quarter_of_an_hour_and_then_given_up(bench: Bench) -> None:
    job = make_job(stage=Stage.PROCESSING)
    bench.provider.harvests.extend([Harvest(artifacts=(), bytes_of={}, missing=1)] * 400)
    await bench.store.add(job)
    await bench.until(lambda row: bool(row.hold), job)
    started = bench.clock.now()
    row = await bench.until(lambda row: row.over, job, step=4.0)
    assert row.result is not None
    assert row.result.outcome is Outcome.FAILED
    assert (bench.clock.now() - started).total_seconds() >= 880


async def test_cancel_before_submission_costs_nothing(bench: Bench) -> None:
    job = make_job()
    bench.provider.submits.append(Unavailable("down"))
    await bench.store.add(job)
    await bench.until(lambda row: bool(row.hold), job)
    await bench.store.request_cancel(job.id, bench.clock.now())
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.CANCELLED
    assert bench.provider.calls == ["submit"]


async def test_cancel_keeps_the_pictures_that_exist(bench: Bench) -> None:
    job = make_job(stage=Stage.PROCESSING, request=make_request(count=3))
    await bench.store.add(replace(job, cancel_requested=True))
    bench.provider.harvests.append(harvest_of(job, 1))
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.CANCELLED
    assert len(row.artifacts) == 1
    assert bench.provider.calls == ["cancel", "fetch"]


async def test_cancel_is_tried_again_while_the_service_is_silent(bench: Bench) -> None:
    job = make_job(stage=Stage.PROCESSING)
    bench.provider.cancels.extend([Unavailable("down")] * 2)
    bench.provider.harvests.append(Harvest(artifacts=(), bytes_of={}))
    await bench.store.add(replace(job, cancel_requested=True))
    row = await bench.result(job)
    assert row.result is not None
    assert row.result.outcome is Outcome.CANCELLED
    assert bench.provider.calls == ["cancel", "cancel", "cancel", "fetch"]
    assert not bench.tracker.services_down, "it answered"


async def test_unexpected_error_fails_one_job_with_a_reference_and_the_others_go_on(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    broken, fine = make_job(stage=Stage.WAITING), make_job(stage=Stage.QUEUED)
    bench.provider.polls.append(ValueError("a bug"))
    await bench.store.add(broken)
    row = await bench.result(broken)
    await bench.store.add(fine)
    assert row.result is not None
    assert row.result.outcome is Outcome.FAILED
    assert row.result.reference
    assert (await bench.result(fine)).result is not None
    told = next(record.__dict__ for record in caplog.records if getattr(record, "action", "") == "job.unexpected")
    named = (told["job_id"], told["stage"], told["cause"], told["reference"])
    assert named == (broken.id, Stage.WAITING, "ValueError: a bug", row.result.reference)


async def test_result_that_is_not_shown_yet_is_shown_again_after_a_restart(bench: Bench) -> None:
    job = make_job(stage=Stage.DELIVERING)
    await bench.store.add(job)
    await bench.until(lambda _: job.id in bench.wall.states, job)
    assert bench.wall.last(job.id).over


async def test_tracker_cancelled_in_a_look_lets_the_cancellation_travel(tmp_path: Path) -> None:
    entered = asyncio.Event()

    async def forever(job: Job, *, source: bytes | None = None) -> Submission:
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with open_bench(tmp_path) as bench:
        bench.provider.submit = forever  # type: ignore[method-assign]
        job = make_job()
        await bench.store.add(job)
        running = asyncio.create_task(bench.tracker.run())
        await entered.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await bench.row(job)).stage is Stage.SUBMITTING, "what is written is what a restart finds"


async def test_number_that_another_job_has_ends_the_second_one_loudly(bench: Bench) -> None:
    first, second = make_job(stage=Stage.WAITING, remote_id="the-same", due_at=None), make_job()
    await bench.store.add(first)
    bench.provider.submits.append(Submission(remote_id="the-same"))
    await bench.store.add(second)
    row = await bench.result(second)
    assert row.result is not None
    assert (row.result.outcome, row.result.code) == (Outcome.FAILED, "same-number")
    assert "can't be told apart" in row.result.message
    assert bench.provider.calls == ["submit"]


async def test_end_that_is_two_days_old_is_shown_unless_only_a_press_could_show_it(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        ended = bench.clock.now() - timedelta(hours=48)
        public, private = (make_reply(ephemeral=ephemeral, token_until=ended) for ephemeral in (False, True))
        jobs = [make_job(stage=Stage.DELIVERING, reply=reply, due_at=ended) for reply in (public, private)]
        for job in jobs:
            await bench.store.add(replace(job, ended_at=ended))
        async with bench.running():
            dropped = await bench.until(lambda row: row.terminal, jobs[1])
            await bench.until(lambda row: row.id in bench.wall.states, jobs[0])
        assert dropped.reply.detached == NEVER_COLLECTED
        assert (await bench.row(jobs[0])).reply.detached == ""
        assert dropped.id not in bench.wall.states
