from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.clock_link import FollowingClock
from bot.sandbox.world import ClockControl, PacedClock, Reading, WorldClock

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class RealTime:
    """The machine's monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def serve(clock: WorldClock) -> AsyncIterator[str]:
    control = ClockControl(clock)

    async def close(_: web.Application) -> None:
        await control.close()

    app = web.Application()
    app.add_routes(control.control_routes())
    app.on_shutdown.append(close)
    async with TestServer(app) as server:
        yield str(server.make_url("/sandbox"))


async def post(url: str, body: object) -> tuple[int, dict[str, object]]:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/clock", json=body) as answer:
        return answer.status, await answer.json()


def test_world_clock_runs_at_its_rate() -> None:
    real = RealTime()
    clock = WorldClock(start=START, rate=3.0, real=real)
    real.seconds += 10
    assert clock.monotonic() == pytest.approx(30)
    assert clock.now() == START + timedelta(seconds=30)


def test_world_clock_keeps_its_place_when_the_rate_changes() -> None:
    real = RealTime()
    clock = WorldClock(start=START, real=real)
    real.seconds += 5
    clock.set_rate(10)
    real.seconds += 1
    assert clock.monotonic() == pytest.approx(15)


def test_advancing_moves_both_times() -> None:
    clock = WorldClock(start=START, rate=0.0)
    clock.advance(900)
    assert clock.monotonic() == 900
    assert clock.now() == START + timedelta(minutes=15)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_advancing_by_nonsense_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="only moves on"):
        WorldClock().advance(seconds)


async def test_sleepers_wake_when_the_clock_is_advanced_past_them() -> None:
    clock = WorldClock(rate=0.0)
    sleeping = asyncio.create_task(clock.sleep(60))
    await asyncio.sleep(0)
    clock.advance(59)
    await asyncio.sleep(0)
    assert not sleeping.done()
    clock.advance(1)
    await asyncio.wait_for(sleeping, 10)


async def test_sleepers_wake_when_a_clock_that_stood_still_is_quickened() -> None:
    clock = WorldClock(rate=0.0)
    sleeping = asyncio.create_task(clock.sleep(60))
    await asyncio.sleep(0)
    clock.set_rate(100_000)
    await asyncio.wait_for(sleeping, 10)
    assert clock.monotonic() >= 60


async def test_a_cancelled_sleep_stays_cancelled() -> None:
    sleeping = asyncio.create_task(WorldClock(rate=0.0).sleep(60))
    await asyncio.sleep(0)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping


def test_a_reading_from_the_past_never_sets_the_clock_back() -> None:
    real = RealTime()
    clock = PacedClock(Reading(now=START, monotonic=0, rate=50), real=real)
    real.seconds += 1
    assert clock.monotonic() == 50
    clock._count_from(Reading(now=START + timedelta(seconds=48), monotonic=48, rate=1))
    assert clock.monotonic() == 50
    real.seconds += 3
    assert clock.monotonic() == pytest.approx(51)
    assert clock.now() == START + timedelta(seconds=51)


async def test_following_clock_has_moved_when_the_advance_is_answered() -> None:
    world = WorldClock(start=START, rate=0.0)
    async with serve(world) as url, FollowingClock.follow(url) as clock:
        sleeping = asyncio.create_task(clock.sleep(3600))
        status, reading = await post(url, {"advance": 3600})
        assert status == 200
        assert reading["monotonic"] == 3600
        assert clock.now() == world.now() == START + timedelta(hours=1)
        await asyncio.wait_for(sleeping, 10)


async def test_following_clock_takes_over_the_rate() -> None:
    async with serve(WorldClock(rate=0.0)) as url, FollowingClock.follow(url) as clock:
        await post(url, {"rate": 25})
        assert clock.rate == 25


async def test_following_clock_catches_up_after_a_lost_connection() -> None:
    world = WorldClock(rate=0.0)
    app_control = ClockControl(world)
    app = web.Application()
    app.add_routes(app_control.control_routes())
    async with TestServer(app) as server, FollowingClock.follow(str(server.make_url("/sandbox"))) as clock:
        await app_control.close()
        world.advance(120)
        async with asyncio.timeout(10):
            await clock.sleep(120)
        assert clock.monotonic() == 120
        await app_control.close()


async def test_advancing_waits_no_longer_than_the_guard_for_a_follower_that_is_stuck() -> None:
    world = WorldClock(rate=0.0)
    control = ClockControl(world)
    app = web.Application()
    app.add_routes(control.control_routes())
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        async with session.ws_connect(server.make_url("/sandbox/clock/follow")) as socket:
            await socket.receive_json()
            world.advance(5)
            await control.settle(guard=0.01)
        await control.settle(guard=10)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"advance": -5}, id="backwards"),
        pytest.param({"rate": -1}, id="negative rate"),
        pytest.param({"advance": "soon"}, id="not a number"),
        pytest.param({"advance": 1e300}, id="beyond the calendar"),
        pytest.param([1], id="not an object"),
    ],
)
async def test_clock_control_refuses_nonsense_with_a_sentence(body: object) -> None:
    async with serve(WorldClock()) as url:
        status, answer = await post(url, body)
    assert status == 400
    assert answer["error"]
