"""A silent service is asked by one look at a time, and its return is noticed by all."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import ManualClock
from bot.domain.jobs import JobId, WaitsFor
from bot.domain.stages import Stage
from bot.errors import (
    Busy,
    Paused,
    ProtocolError,
    ProviderError,
    Rejected,
    RemoteGone,
    SubmissionUncertain,
    Unauthorized,
    Unavailable,
)
from bot.services.breakers import UNKNOWN, Breaker, Breakers
from bot.store.jobs import SqlJobStore
from tests.databases import open_fresh_database
from tests.factories import OWNER, make_job
from tests.scripted import ScriptedProvider

ONE, OTHER, THIRD = JobId("one"), JobId("other"), JobId("third")
DOWN = Unavailable("connection refused")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker("horde", clock, random.Random(1))


def fail(breaker: Breaker, job_id: JobId) -> None:
    """One look that finds silence."""
    assert breaker.admit(job_id)
    breaker.silent(job_id, DOWN)
    breaker.leave(job_id)


async def test_first_silent_look_makes_all_others_wait_and_one_of_them_tries(
    breaker: Breaker, clock: ManualClock
) -> None:
    fail(breaker, ONE)
    assert not breaker.admit(OTHER)
    assert not breaker.down, "one silence is a hiccup"
    await clock.advance(breaker.retry_in())
    assert breaker.admit(OTHER)
    assert not breaker.admit(THIRD), "one probe at a time"
    assert breaker.is_probe(OTHER)


def test_looks_under_way_when_it_broke_count_as_one(breaker: Breaker) -> None:
    assert breaker.admit(ONE)
    assert breaker.admit(OTHER)
    breaker.silent(ONE, DOWN)
    breaker.silent(OTHER, DOWN)
    assert not breaker.down


async def test_probes_get_rarer(breaker: Breaker, clock: ManualClock) -> None:
    waits = []
    for _ in range(6):
        fail(breaker, ONE)
        waits.append(breaker.retry_in())
        await clock.advance(waits[-1])
    assert waits[0] < 3
    assert waits == sorted(waits[:4]) + waits[4:]
    assert all(wait > 25 for wait in waits[4:])


async def test_outage_is_logged_once_when_it_begins_and_once_when_it_ends(
    breaker: Breaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(4):
        fail(breaker, ONE)
        await clock.advance(breaker.retry_in())
    assert breaker.down
    assert breaker.answered()
    assert not breaker.answered()
    assert breaker.admit(THIRD)
    assert [getattr(record, "action", "") for record in caplog.records] == ["provider.down", "provider.up"]


async def test_probe_that_came_to_nothing_lets_the_next_one_try(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, ONE)
    await clock.advance(breaker.retry_in())
    assert breaker.admit(ONE)
    breaker.leave(ONE)
    assert breaker.admit(OTHER)


async def test_service_that_nobody_asks_any_more_is_not_said_to_be_down(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, ONE)
    await clock.advance(breaker.retry_in())
    fail(breaker, ONE)
    assert breaker.down
    await clock.advance(UNKNOWN + 60)
    assert not breaker.down


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlJobStore]:
    async with open_fresh_database(tmp_path) as database:
        yield SqlJobStore(database)


async def test_jobs_that_wait_for_a_service_are_due_when_any_of_its_providers_answers(
    store: SqlJobStore, clock: ManualClock
) -> None:
    providers = {name: ScriptedProvider() for name in ("horde", "horde-text", "osais")}
    breakers = Breakers(store=store, providers=providers, clock=clock, process=OWNER, rng=random.Random(1))
    later = clock.now() + timedelta(seconds=90)
    waiting = {name: make_job(stage=Stage.WAITING, provider=name) for name in providers}
    for job in waiting.values():
        await store.add(job.held("down", until=later, now=clock.now(), waits_for=WaitsFor.SERVICE))
    breaker = breakers.of("horde-text")
    for _ in range(2):
        fail(breaker, ONE)
        await clock.advance(breaker.retry_in())
    assert breakers.down == {"horde"}
    await breakers.answered("horde")
    rows = {name: await store.get(job.id) for name, job in waiting.items()}
    due = {name: row.due_at for name, row in rows.items() if row is not None}
    assert due == {"horde": clock.now(), "horde-text": clock.now(), "osais": later}


@pytest.mark.parametrize(
    ("error", "down"),
    [
        pytest.param(Busy("429"), False, id="slow-down"),
        pytest.param(Paused("shut out"), False, id="shut-out"),
        pytest.param(Rejected("no"), False, id="refusal"),
        pytest.param(Unauthorized("401"), False, id="key-refused"),
        pytest.param(RemoteGone("404"), False, id="gone"),
        pytest.param(Busy("our pace", asked=False), True, id="not-asked"),
        pytest.param(Paused("our gate", asked=False), True, id="known-to-be-shut-out"),
        pytest.param(ProtocolError("HTML"), True, id="nonsense"),
    ],
)
async def test_service_is_there_again_with_any_answer_that_it_gave_itself(
    store: SqlJobStore, clock: ManualClock, error: ProviderError, down: bool
) -> None:
    providers, job = {"horde": ScriptedProvider()}, make_job(stage=Stage.WAITING)
    breakers = Breakers(store=store, providers=providers, clock=clock, process=OWNER, rng=random.Random(1))
    breaker = breakers.of("horde")
    for _ in range(2):
        fail(breaker, ONE)
        await clock.advance(breaker.retry_in())
    assert breaker.admit(job.id)
    await breakers.learn(job, error)
    assert breaker.down is down


def test_what_a_lost_submission_is_told_is_not_told_to_all(breaker: Breaker) -> None:
    assert breaker.admit(ONE)
    breaker.silent(ONE, SubmissionUncertain("timeout"))
    assert breaker.why == Unavailable.default_user_message
