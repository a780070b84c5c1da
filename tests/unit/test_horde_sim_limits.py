"""Rate limits of the simulated horde on the injected clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.limits import ASYNC_RULES, STATUS_RULES, Limiter
from bot.sandbox.horde.serving import served

TRUSTED = "-tess_trusted_key-0001"


@dataclass
class Door:
    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    url: str

    async def post(self, key: str = "0000000000") -> aiohttp.ClientResponse:
        body = {"prompt": "x", "params": {"width": 64, "height": 64}}
        return await self.session.post(f"{self.url}/api/v2/generate/async", json=body, headers={"apikey": key})


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A simulator that enforces its limits."""
    clock = ManualClock()
    sim = HordeSim(clock)
    async with served(sim) as url, aiohttp.ClientSession() as session:
        yield Door(sim, clock, session, url)


async def test_third_post_in_a_second_is_told_when_to_return(door: Door) -> None:
    statuses = [(await door.post()).status for _ in range(2)]
    refused = await door.post()

    assert statuses == [202, 202]
    assert refused.status == 429
    assert await refused.json() == {"message": "2 per 1 second"}
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    await door.clock.advance(1)
    assert (await door.post()).status == 202


async def test_ninety_in_a_minute_block_as_well(door: Door) -> None:
    for _ in range(45):
        await door.post()
        await door.post()
        await door.clock.advance(1)

    refused = await door.post()

    assert await refused.json() == {"message": "90 per 1 minute"}
    assert 10 <= int(refused.headers["Retry-After"]) <= 16


async def test_trusted_post_eases_the_address(door: Door) -> None:
    await door.post(TRUSTED)

    answers = [await door.post() for _ in range(5)]

    assert {answer.status for answer in answers} == {202}
    assert answers[0].headers["X-RateLimit-Limit"] == "10"


async def test_headers_stay_when_limits_are_off(door: Door) -> None:
    door.sim.set_rate_limits(False)

    answers = [await door.post() for _ in range(4)]

    assert [answer.status for answer in answers] == [202] * 4
    assert answers[-1].headers["X-RateLimit-Remaining"] == "0"
    assert "Retry-After" in answers[-1].headers


def test_windows_are_counted_apart_by_path_and_address() -> None:
    limiter = Limiter(ManualClock(), enforced=True)

    def hit(scope: str, address: str) -> bool:
        return limiter.hit(STATUS_RULES, scope=scope, address=address, key="", anonymous=True).allowed

    assert [hit("GET /a", "1") for _ in range(11)] == [True] * 10 + [False]
    assert hit("GET /b", "1")
    assert hit("GET /a", "2")


def test_registered_key_is_counted_from_all_addresses() -> None:
    limiter = Limiter(ManualClock(), enforced=True)

    allowed = [
        limiter.hit(ASYNC_RULES, scope="POST /x", address=str(number), key="k", anonymous=False).allowed
        for number in range(3)
    ]

    assert allowed == [True, True, False]


async def test_unknown_path_is_an_html_404_without_limits(door: Door) -> None:
    async with door.session.get(f"{door.url}/api/v2/no/such/path") as answer:
        assert answer.status == 404
        assert answer.content_type == "text/html"
        assert answer.headers["Horde-Node"]
        assert "X-RateLimit-Limit" not in answer.headers
