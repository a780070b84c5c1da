"""Killed at any stage and started again, the bot ends every reply as promised, and does nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from bot.clock import ManualClock
from bot.delivery import Delivery
from bot.domain.jobs import Job, ProcessId
from bot.domain.results import Outcome
from bot.domain.stages import Stage
from bot.providers.base import Harvest, Submission
from bot.sandbox.control import Service
from bot.sandbox.discord import Route
from bot.services.jobs import Actor, JobService
from bot.services.line import Line
from bot.services.steps import Steps
from bot.services.tracker import STALE_AFTER, Tracker
from bot.store.artifacts import SqlArtifactStore
from bot.store.engine import open_database
from bot.store.jobs import SqlJobStore
from bot.store.processes import SqlProcessStore
from tests.factories import ASKER, make_job, make_progress
from tests.flow.lives import CALLBACK, ORIGINAL, SUBMIT, WITH_FILES, Lives, open_lives
from tests.flow.town import GUARD, Reply, Town, eventually, words
from tests.scripted import NoSources, ScriptedProvider, Wall

#: Served by one worker, so its pictures finish one after the other.
ONE_WORKER = "AlbedoBase XL 3.1"
#: Longer than an interaction's token lives, and than the Horde remembers a request nobody takes; in seconds.
TOKEN_DEAD, REQUEST_DEAD = 16 * 60, 22 * 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_lives(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lives]:
    """The world of this module."""
    async with open_lives(tmp_path_factory.mktemp("lives")) as lives:
        yield lives


@pytest_asyncio.fixture(loop_scope="session")
async def lives(shared_lives: Lives, request: pytest.FixtureRequest) -> AsyncIterator[Lives]:
    """A bot that is alive in a fresh guild of this module's world; mishaps are undone afterwards."""
    await shared_lives.use_key_of(None)
    await shared_lives.move_to(request.node.name)
    yield shared_lives
    shared_lives.calm_down()


@pytest_asyncio.fixture(loop_scope="session")
async def rich_lives(shared_lives: Lives, request: pytest.FixtureRequest) -> AsyncIterator[Lives]:
    """The same with the key of somebody who is registered at the Horde."""
    await shared_lives.use_key_of("robin_rich")
    await shared_lives.move_to(request.node.name)
    yield shared_lives
    shared_lives.calm_down()


# -- killed on the way ------------------------------------------------------------------------------------------------


async def test_killed_before_it_is_handed_over_it_is_handed_over_afterwards(lives: Lives) -> None:
    prompt = "a fox that waits for the door to open"
    lives.arm("horde", method="POST", status=429, headers={"Retry-After": "30"}, body={"message": "1 per 1 minute"})
    reply = await lives.imagine(prompt, count=2)
    await lives.until(lambda: bool((lives.row(reply.record) or {})["hold"]))
    await lives.die_and_live()
    await lives.finished(reply, prompt, count=2, submissions=2)


async def test_killed_with_one_picture_attached_it_adds_the_others(lives: Lives) -> None:
    prompt = "three foxes, one after the other"
    reply = await lives.imagine(prompt, count=3, model=ONE_WORKER)
    await reply.until(lambda shown: bool(shown.hashes))
    first = reply.hashes
    assert len(first) < 3
    await lives.die_and_live()
    await lives.finished(reply, prompt, count=3)
    assert reply.hashes[: len(first)] == first, "what was attached stays where it was"


async def test_killed_between_the_fetch_and_the_last_edit_it_shows_what_it_has(lives: Lives) -> None:
    prompt = "a fox in the post"
    last_edit = lives.arm("discord", method="PATCH", body_matches=WITH_FILES, action="hang")
    reply = await lives.imagine(prompt)
    await lives.met(last_edit, step=0.5)
    await lives.die_and_live()
    await lives.finished(reply, prompt, count=1)
    assert len(lives.calls(path="/generate/status")) == 1, "the bytes were kept: nobody asks for them again"


async def test_killed_before_the_last_edit_is_noted_it_attaches_nothing_twice(lives: Lives) -> None:
    prompt = "two foxes that arrived unnoticed"
    lives.arm("discord", method="PATCH", body_matches=WITH_FILES, action="reset_after")
    afterwards = lives.arm("discord", method="GET", path="/webhooks/", action="hang", times=None)
    reply = await lives.imagine(prompt, count=2)
    await lives.met(afterwards, step=0.5)
    shown = reply.hashes
    assert shown
    await lives.die_and_live()
    await lives.finished(reply, prompt, count=2)
    assert reply.hashes[: len(shown)] == shown


async def test_killed_while_waiting_it_goes_on_even_before_the_gateway_is_back(lives: Lives) -> None:
    prompt = "a fox that needs no gateway"
    lives.sandbox.horde.set_workers(paused=True)
    reply = await lives.imagine(prompt, count=2)
    await lives.until(lambda: bool(lives.calls(path="/generate/check")))
    await lives.die()
    lives.sandbox.horde.set_workers(paused=False)
    lives.arm("gateway", status=503, times=None)
    await lives.bot.start()
    await lives.finished(reply, prompt, count=2)
    assert lives.sandbox.discord.gateway.connected == []
    await lives.die()


async def test_killed_with_a_job_in_our_own_line_it_still_waits_for_its_turn(lives: Lives) -> None:
    lives.sandbox.horde.set_workers(paused=True)
    replies = [await lives.imagine(f"fox {number} in line") for number in range(3)]
    await replies[2].until(lambda shown: "this one is next" in shown.text)
    assert len(lives.submissions()) == 2
    await lives.die_and_live()
    looks = len(lives.calls(path="/generate/check"))
    await lives.until(lambda: len(lives.calls(path="/generate/check")) >= looks + 4)
    assert len(lives.submissions()) == 2, "the rows say who is in work"
    lives.sandbox.horde.set_workers(paused=False)
    for number, reply in enumerate(replies):
        await reply.end()
        assert sorted(reply.hashes) == lives.painted_for(f"fox {number} in line")
    assert len(lives.submissions()) == 3


# -- a submission without an answer -----------------------------------------------------------------------------------


async def test_killed_while_handing_over_with_everybodys_key_it_says_so_and_never_repeats_it(lives: Lives) -> None:
    submission = lives.arm("horde", method="POST", path=SUBMIT, action="hang")
    reply = await lives.imagine("a fox nobody knows about")
    await lives.met(submission)
    await lives.die_and_live()
    await reply.end()
    assert "can't tell whether it arrived" in reply.text
    assert len(lives.submissions()) == 1
    again = Reply(lives, await reply.press("Try again"))
    await lives.finished(again, "a fox nobody knows about", count=1, submissions=2)


async def test_killed_while_handing_over_with_a_registered_key_it_finds_what_arrived_and_repeats_the_rest(
    rich_lives: Lives,
) -> None:
    lives, found, lost = rich_lives, "a fox found by its seed", "a fox that never arrived"
    lives.arm("horde", method="POST", body_matches=found, action="reset_after")
    search = lives.arm("horde", path="/find_user", action="hang", times=None)
    submission = lives.arm("horde", method="POST", body_matches=lost, action="hang")
    first, second = await lives.imagine(found), await lives.imagine(lost)
    await lives.met(search, step=0.5)
    await lives.met(submission, step=0.5)
    await lives.die_and_live()
    await first.end()
    await lives.finished(second, lost, count=1, submissions=3)
    await lives.finished(first, found, count=1, submissions=3)


# -- a long time down -------------------------------------------------------------------------------------------------


async def test_down_for_longer_than_the_token_lives_it_delivers_by_the_channel(lives: Lives) -> None:
    prompt = "a fox with patience"
    lives.sandbox.horde.set_workers(paused=True)
    reply = await lives.imagine(prompt, count=2)
    await lives.until(lambda: bool(lives.calls(path="/generate/check")))
    await lives.die()
    lives.sandbox.horde.set_workers(paused=False)
    await lives.until(lambda: len(lives.painted_for(prompt)) == 2)
    await lives.pass_time(TOKEN_DEAD, step=30)
    await lives.live()
    await lives.finished(reply, prompt, count=2)
    assert reply.now["route"] == Route.BOT


async def test_down_until_the_horde_forgot_the_request_it_says_that_it_expired(lives: Lives) -> None:
    lives.sandbox.horde.set_workers(paused=True)
    reply = await lives.imagine("a fox too late")
    await lives.until(lambda: bool(lives.calls(path="/generate/check")))
    await lives.die()
    await lives.pass_time(REQUEST_DEAD, step=30)
    await lives.live()
    await reply.end()
    assert "let go of this request" in reply.text
    assert len(lives.submissions()) == 1
    await lives.settled(reply.record)


async def test_private_result_that_waits_to_be_collected_still_does_after_a_restart(lives: Lives) -> None:
    prompt = "a shy fox"
    lives.sandbox.horde.set_workers(paused=True)
    reply = await lives.imagine(prompt, private=True)
    await reply.until(lambda shown: "Collect" in shown.buttons)
    await lives.pass_time(TOKEN_DEAD, step=30)
    lives.sandbox.horde.set_workers(paused=False)
    await lives.until(lambda: lives.waits_to_be_collected(reply.record))
    assert reply.hashes == [], "nobody can edit it"
    await lives.die_and_live()
    await reply.press("Collect")
    await lives.finished(reply, prompt, count=1)


# -- around the acknowledgement ---------------------------------------------------------------------------------------


async def test_killed_before_the_acknowledgement_nothing_is_painted_and_nothing_said(lives: Lives) -> None:
    callback = lives.arm("discord", path=CALLBACK, action="hang")
    record = await lives.sandbox.discord.invoke(lives.ada, lives.channel, "imagine", {"prompt": "an unheard fox"})
    await lives.met(callback)
    assert lives.row(record) is not None, "the row is written before the acknowledgement"
    await lives.die_and_live()
    row = await lives.settled(record)
    assert row["accepted_at"] is None
    assert lives.messages() == []
    assert lives.submissions() == []


async def test_killed_before_the_acknowledgement_is_noted_it_asks_until_it_knows_and_goes_on(lives: Lives) -> None:
    prompt = "a fox that was heard"
    lives.arm("discord", path=CALLBACK, action="reset_after")
    question = lives.arm("discord", method="GET", path=ORIGINAL, action="hang")
    record = await lives.sandbox.discord.invoke(lives.ada, lives.channel, "imagine", {"prompt": prompt})
    await lives.met(question)
    assert lives.submissions() == []
    await lives.die()
    lives.arm("discord", method="GET", path=ORIGINAL, action="reset", times=2)
    await lives.live()
    await lives.finished(Reply(lives, record), prompt, count=1)


async def test_killed_before_the_acknowledgement_is_noted_and_down_until_every_token_is_dead(lives: Lives) -> None:
    shared, private = "a fox for all to see", "a fox for one"
    lives.arm("discord", path=CALLBACK, action="reset_after", times=3)
    questions = [lives.arm("discord", method="GET", path=ORIGINAL, action="hang") for _ in range(3)]
    discord = lives.sandbox.discord
    seen = await discord.invoke(lives.ada, lives.channel, "imagine", {"prompt": shared})
    hidden = await discord.invoke(lives.grace, lives.channel, "imagine", {"prompt": private, "private": True})
    unwanted = await discord.invoke(lives.grace, lives.channel, "imagine", {"prompt": "no fox", "private": True})
    for question in questions:
        await lives.met(question)
    await lives.die()
    await lives.pass_time(TOKEN_DEAD, step=30)
    await lives.live()
    await lives.finished(Reply(lives, seen), shared, count=1)
    closed = await lives.settled(hidden)
    assert closed["accepted_at"] is None, "nobody can see whether it is there"
    await Reply(lives, hidden).press("Collect", by=lives.grace)
    await lives.finished(Reply(lives, hidden), private, count=1, submissions=2)
    await Reply(lives, unwanted).press("Cancel", by=lives.grace)
    ended = await Reply(lives, unwanted).end()
    assert "cancelled" in ended.text.lower()


# -- asked to stop ----------------------------------------------------------------------------------------------------


async def test_stopped_it_lets_an_edit_in_flight_finish_and_leaves_the_rest_to_its_next_life(
    lives: Lives,
) -> None:
    done, begun = "a fox on the doorstep", "three foxes over two lives"
    lives.arm(
        "discord", method="PATCH", body_matches=f"^(?=.*{done})(?=.*{WITH_FILES})", status=429,
        headers={"Retry-After": "0.3"}, body={"message": "slow down", "retry_after": 0.3, "global": False},
    )  # fmt: skip
    first = await lives.imagine(done)
    second = await lives.imagine(begun, count=3, model=ONE_WORKER)
    await lives.until(lambda: any(call.status == 429 for call in lives.calls(service=Service.DISCORD)))
    assert await lives.bot.terminate() == 0
    assert (len(first.hashes), first.over, second.over) == (1, True, False)
    versions = len(first.versions)
    await lives.live()
    await lives.finished(second, begun, count=3, submissions=2)
    await lives.finished(first, done, count=1, submissions=2)
    assert len(first.versions) == versions, "it was noted that the end is shown"


async def test_stopped_while_discord_is_away_it_leaves_with_zero(lives: Lives) -> None:
    lives.arm("gateway", status=503, times=None)
    await lives.sandbox.discord.drop_gateway(resumable=False)
    await eventually(lambda: bool(lives.calls(service=Service.GATEWAY)))
    assert await lives.bot.terminate() == 0, "while it tries to get back"
    login = lives.arm("discord", action="reset", times=None)
    await lives.bot.start()
    await lives.met(login)
    assert await lives.bot.terminate() == 0, "before it could log in"


async def test_login_that_fails_is_tried_again_until_it_works(lives: Lives) -> None:
    await lives.die()
    lives.arm("discord", path="/users/@me$", action="reset", times=2)
    gateway = lives.arm("discord", path="/gateway/bot$", action="reset")
    await lives.bot.start()
    await lives.met(gateway, step=1.0)
    await lives.until(lambda: bool(lives.sandbox.discord.gateway.connected), step=1.0)
    prompt = "a fox at the third attempt"
    await lives.finished(await lives.imagine(prompt), prompt, count=1)


# -- buttons of an earlier life ---------------------------------------------------------------------------------------


async def test_buttons_and_an_open_form_work_after_a_restart(lives: Lives) -> None:
    first = await (await lives.imagine("a fox of the old days", seed="7")).end()
    form = await first.press("Edit")
    await lives.die_and_live()
    details = await first.press("Details")
    told = next(message for message in lives.messages() if message["id"] == str(details.original_id))
    assert "7" in words(told)
    again = Reply(lives, await first.press("Again"))
    sent = await lives.sandbox.discord.submit_modal(lives.ada, form.id, {"prompt": "a hare of the new days"})
    await lives.sandbox.discord.wait_answer(sent)
    edited = Reply(lives, sent)
    await again.end()
    assert len(again.hashes) == 1, again
    assert again.hashes != first.hashes
    await lives.finished(edited, "a hare of the new days", count=1, submissions=3)


async def test_cancel_works_after_a_restart(lives: Lives) -> None:
    lives.sandbox.horde.set_workers(paused=True)
    reply = await lives.imagine("a fox that is called back")
    await lives.until(lambda: bool(lives.calls(path="/generate/check")))
    await lives.die_and_live()
    await reply.press("Cancel")
    await reply.end()
    assert "cancelled" in reply.text.lower()
    assert len(lives.calls(method="DELETE", path="/generate/status")) == 1
    await lives.settled(reply.record)


async def test_nothing_is_kept_of_a_reply_that_is_done(town: Town) -> None:
    delivery = next(thing for thing in gc.get_objects() if isinstance(thing, Delivery))
    before = delivery.replies
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a fox that leaves no trace")
    await town.until(lambda: delivery.replies > before)
    town.sandbox.horde.set_workers(paused=False)
    await reply.end()
    await town.until(lambda: delivery.replies <= before)


# -- two processes on one database ------------------------------------------------------------------------------------


class Half:
    """One of two processes: everything of a bot that knows nothing of Discord."""

    def __init__(self, name: str, file: Path, clock: ManualClock) -> None:
        self.process = ProcessId(name)
        self.provider, self.wall = ScriptedProvider(), Wall()
        self.clock = clock
        self._file = file
        self.store: SqlJobStore
        self.tracker: Tracker
        self.jobs: JobService

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Half]:
        """Run its tracker; its heart beats once, at the beginning, and its row is never taken back."""
        async with open_database(f"sqlite+aiosqlite:///{self._file}") as database:
            self.store = SqlJobStore(database)
            processes = SqlProcessStore(database)
            await processes.enter(self.process, host=f"host of {self.process}", pid=1, now=self.clock.now())
            providers = {"horde": self.provider}
            steps = Steps(
                store=self.store,
                artifacts=SqlArtifactStore(database),
                providers=providers,
                sources=NoSources(),
                shows=self.wall,
                clock=self.clock,
                process=self.process,
            )
            line = Line(store=self.store, providers=providers, clock=self.clock)
            self.tracker = Tracker(store=self.store, steps=steps, line=line, clock=self.clock, process=self.process)
            self.jobs = JobService(
                store=self.store, tracker=self.tracker, shows=self.wall, clock=self.clock, process=self.process
            )
            tracking = asyncio.create_task(self.tracker.run())
            try:
                yield self
            finally:
                tracking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await tracking

    async def until(self, condition: Callable[[Job], bool], job: Job) -> Job:
        """Let time pass until the row fulfils the condition."""
        async with asyncio.timeout(GUARD):
            while not condition(row := await self.jobs.get(job.id)):
                await self.clock.advance(0.25)
        return row


async def test_cancel_pressed_at_a_process_that_does_not_own_the_job_ends_it(tmp_path: Path) -> None:
    clock = ManualClock()
    one, other = (Half(name, tmp_path / "muster.db", clock) for name in ("one", "other"))
    async with one.running(), other.running():
        one.provider.polls.extend([make_progress()] * 1000)
        job = make_job(stage=Stage.WAITING, owner=one.process)
        await one.store.add(job)
        await one.until(lambda _: "poll" in one.provider.calls, job)
        one.provider.harvests.append(Harvest(artifacts=(), bytes_of={}))
        await other.jobs.cancel(job.id, Actor(user_id=ASKER))
        row = await one.until(lambda row: row.over, job)
    assert row.result is not None
    assert row.result.outcome is Outcome.CANCELLED
    assert other.provider.calls == []
    assert other.wall.states == {}, "only its owner edits the reply"
    assert one.wall.last(job.id).over


async def test_jobs_of_a_process_that_fell_silent_are_taken_over(tmp_path: Path) -> None:
    clock = ManualClock()
    one, other = (Half(name, tmp_path / "muster.db", clock) for name in ("one", "other"))
    entered = clock.now()
    async with one.running():
        one.provider.polls.extend([make_progress()] * 1000)
        job = make_job(stage=Stage.WAITING, owner=one.process)
        await one.store.add(job)
        await one.until(lambda _: "poll" in one.provider.calls, job)
    async with other.running():
        row = await other.until(lambda row: row.over, job)
    assert clock.now() - entered >= STALE_AFTER, "until then it may be alive"
    assert row.owner == other.process
    assert other.provider.calls == ["poll", "fetch"]


async def test_request_on_its_way_may_arrive_before_the_tracker_stops(tmp_path: Path) -> None:
    one = Half("one", tmp_path / "muster.db", ManualClock())
    leaving, arrived = asyncio.Event(), asyncio.Event()
    submit = one.provider.submit

    async def slowly(job: Job, *, source: bytes | None = None) -> Submission:
        leaving.set()
        await arrived.wait()
        return await submit(job)

    one.provider.submit = slowly  # type: ignore[method-assign]
    async with one.running():
        job = make_job(owner=one.process)
        await one.store.add(job)
        one.tracker.wake()
        await leaving.wait()
        closing = asyncio.create_task(one.tracker.close(GUARD))
        await asyncio.sleep(0)
        assert not closing.done()
        arrived.set()
        await closing
        row = await one.jobs.get(job.id)
    assert row.stage is Stage.WAITING
    assert row.remote_id is not None
    assert one.provider.calls == ["submit"]
