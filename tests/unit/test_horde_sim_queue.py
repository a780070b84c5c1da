"""The simulated queue on a clock that only tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.serving import served

RICH, POOR, ANON = "robin-rich-key-0000001", "petra-poor-key-0000001", "0000000000"
ORDER: dict[str, Any] = {"prompt": "a lake", "models": ["stable_diffusion"], "nsfw": False}


@dataclass
class Horde:
    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    api: str

    async def post(self, key: str = RICH, **body: Any) -> dict[str, Any]:
        async with self.session.post(
            f"{self.api}/generate/async", json={**ORDER, **body}, headers={"apikey": key}
        ) as answer:
            return {"status": answer.status, **await answer.json()}

    async def check(self, identity: str) -> dict[str, Any]:
        async with self.session.get(f"{self.api}/generate/check/{identity}") as answer:
            return {"status": answer.status, **await answer.json()}

    async def status(self, identity: str) -> dict[str, Any]:
        async with self.session.get(f"{self.api}/generate/status/{identity}") as answer:
            return {"status": answer.status, **await answer.json()}

    async def steps(self, identity: str, seconds: float, times: int = 400) -> list[tuple[int, int, int]]:
        """Advance in steps until done; the different (waiting, processing, finished) seen, in order."""
        seen: list[tuple[int, int, int]] = []
        for _ in range(times):
            request = self.sim.request(identity)
            now = (request.waiting, request.processing, request.finished)
            if not seen or seen[-1] != now:
                seen.append(now)
            if request.done:
                return seen
            await self.clock.advance(seconds)
        raise AssertionError(seen)


@pytest.fixture
async def horde() -> AsyncIterator[Horde]:
    """A simulator without foreign jobs, with one worker, and a client."""
    clock = ManualClock()
    sim = HordeSim(clock, rate_limits=False)
    sim.set_workers(count=1)
    sim.world.background_length = 0
    async with served(sim) as url, aiohttp.ClientSession() as session:
        yield Horde(sim, clock, session, f"{url}/api/v2")


@pytest.mark.parametrize(
    ("speed", "step"), [pytest.param(1.0, 0.5, id="real"), pytest.param(1000.0, 0.0004, id="fast")]
)
async def test_job_passes_through_every_state_whatever_the_speed(horde: Horde, speed: float, step: float) -> None:
    horde.sim.set_workers(speed=speed)

    accepted = await horde.post(params={"n": 2})

    seen = await horde.steps(accepted["id"], step)
    assert seen == [(2, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1), (0, 0, 2)]


async def test_large_image_takes_about_half_a_minute(horde: Horde) -> None:
    accepted = await horde.post(params={"width": 1024, "height": 1024, "steps": 30})

    await horde.steps(accepted["id"], 1.0)

    assert 25 <= horde.clock.monotonic() <= 45


async def test_hour_of_the_clock_runs_at_once(horde: Horde) -> None:
    accepted = [await horde.post() for _ in range(20)]

    await horde.clock.advance(600)

    assert all(horde.sim.request(one["id"]).done for one in accepted)


async def test_position_is_zero_in_the_first_second_and_then_falls(horde: Horde) -> None:
    for _ in range(4):
        await horde.post()
    last = await horde.post()

    positions = []
    for _ in range(60):
        check = await horde.check(last["id"])
        positions.append(check["queue_position"])
        await horde.clock.advance(1)

    assert positions[0] == 0
    assert max(positions) == 4
    assert positions[1:] == sorted(positions[1:], reverse=True)


async def test_position_goes_up_when_richer_people_arrive(horde: Horde) -> None:
    horde.sim.set_workers(paused=True)
    mine = await horde.post(ANON)
    await horde.clock.advance(2)
    before = await horde.check(mine["id"])

    await horde.post(RICH)
    await horde.clock.advance(2)

    after = await horde.check(mine["id"])
    assert (before["queue_position"], after["queue_position"]) == (1, 2)


async def test_anonymous_request_is_served_behind_a_never_ending_queue(horde: Horde) -> None:
    horde.sim.set_workers(count=10)
    horde.sim.set_queue(12)
    mine = await horde.post(ANON)

    await horde.steps(mine["id"], 5.0)

    assert horde.sim.request(mine["id"]).finished == 1


async def test_check_is_cached_for_a_second(horde: Horde) -> None:
    horde.sim.set_workers(paused=True)
    mine = await horde.post()
    before = await horde.check(mine["id"])
    horde.sim.request(mine["id"]).cancel()

    assert await horde.check(mine["id"]) == before
    await horde.clock.advance(1.1)
    assert (await horde.check(mine["id"]))["done"]


async def test_verdict_is_kept_for_a_minute(horde: Horde) -> None:
    horde.sim.set_workers(paused=True)
    mine = await horde.post()
    horde.sim.set_impossible()

    assert (await horde.check(mine["id"]))["is_possible"]
    await horde.clock.advance(61)
    assert not (await horde.check(mine["id"]))["is_possible"]


async def test_request_lives_twenty_minutes_from_the_last_news(horde: Horde) -> None:
    idle = await horde.post(models=["No Such Model"])
    await horde.clock.advance(10 * 60)
    busy = await horde.post()
    await horde.clock.advance(12 * 60)

    assert (await horde.check(idle["id"]))["rc"] == "RequestNotFound"
    assert (await horde.check(busy["id"]))["finished"] == 1
    await horde.clock.advance(11 * 60)
    assert (await horde.check(busy["id"]))["status"] == 404


async def test_single_image_that_faults_twice_ends_done_but_not_faulted(horde: Horde) -> None:
    horde.sim.fault_next(2)
    mine = await horde.post()

    await horde.clock.advance(180)

    check = await horde.check(mine["id"])
    assert (check["done"], check["faulted"], check["finished"], check["restarted"]) == (True, False, 0, 2)


async def test_done_is_told_while_the_retry_still_runs(horde: Horde) -> None:
    horde.sim.fault_next(1)
    mine = await horde.post()
    request = horde.sim.request(mine["id"])
    while not (request.restarted == 1 and request.processing == 1):
        await horde.clock.advance(0.5)

    assert (await horde.check(mine["id"]))["done"]
    await horde.clock.advance(60)
    assert request.finished == 1


async def test_three_faults_are_noticed_by_the_sweep_and_keep_what_was_made(horde: Horde) -> None:
    mine = await horde.post(params={"n": 4})
    request = horde.sim.request(mine["id"])
    while request.finished < 1:
        await horde.clock.advance(0.5)
    horde.sim.fault_next(10)
    await horde.clock.advance(120)

    status = await horde.status(mine["id"])
    assert (status["faulted"], status["done"], len(status["generations"])) == (True, True, 1)


async def test_silent_worker_gives_the_job_back_after_its_deadline(horde: Horde) -> None:
    horde.sim.silence_next(1)
    mine = await horde.post()
    request = horde.sim.request(mine["id"])

    await horde.clock.advance(140)
    assert request.restarted == 0
    await horde.clock.advance(120)

    assert (request.restarted, request.finished) == (1, 1)


async def test_cancel_leaves_the_job_in_flight_to_finish(horde: Horde) -> None:
    mine = await horde.post(params={"n": 3})
    request = horde.sim.request(mine["id"])
    while request.processing < 1:
        await horde.clock.advance(0.5)
    async with horde.session.delete(f"{horde.api}/generate/status/{mine['id']}") as answer:
        before = await answer.json()
    after = await horde.status(mine["id"])
    await horde.clock.advance(60)

    assert (before["waiting"], before["processing"], before["done"]) == (2, 1, False)
    assert (after["waiting"], after["processing"]) == (0, 1)
    assert (request.finished, request.done) == (1, True)


async def test_maintenance_refuses_and_empties_the_queue(horde: Horde) -> None:
    horde.sim.set_workers(paused=True)
    mine = await horde.post()
    horde.sim.set_maintenance()

    refused = await horde.post()

    assert (refused["status"], refused["rc"]) == (400, "MaintenanceMode")
    assert (await horde.check(mine["id"]))["done"]


async def test_corrupt_prompts_time_the_address_out_longer_each_time(horde: Horde) -> None:
    lengths = []
    for _ in range(3):
        refused = await horde.post(prompt="zqbadword", replacement_filter=False)
        assert refused["rc"] == "CorruptPrompt"
        blocked = await horde.post()
        assert (blocked["status"], blocked["rc"]) == (403, "TimeoutIP")
        left = horde.sim.world.timeout_left("127.0.0.1")
        lengths.append(round(left / 60))
        await horde.clock.advance(left + 1)

    assert lengths == [3, 9, 15]
    assert (await horde.post())["status"] == 202


@pytest.mark.parametrize(
    ("params", "seeds"),
    [
        pytest.param({"seed": "42"}, ["42"], id="digits"),
        pytest.param({"seed": "42", "n": 2, "seed_variation": 10}, ["52", "62"], id="variation"),
        pytest.param({"seed": str(2**40 + 5)}, [str((2**40 + 5) >> 32)], id="too-large"),
    ],
)
async def test_seed_is_answered_as_text(horde: Horde, params: dict[str, Any], seeds: list[str]) -> None:
    mine = await horde.post(params=params)
    await horde.steps(mine["id"], 1.0)

    status = await horde.status(mine["id"])
    assert sorted(one["seed"] for one in status["generations"]) == seeds


async def test_batch_comes_at_once_with_following_seeds(horde: Horde) -> None:
    horde.sim.set_workers(batch=3)
    mine = await horde.post(params={"seed": "7", "n": 3})

    assert await horde.steps(mine["id"], 0.5) == [(3, 0, 0), (0, 3, 0), (0, 0, 3)]
    status = await horde.status(mine["id"])
    found = {one["seed"]: one["gen_metadata"][0]["ref"] for one in status["generations"]}
    assert found == {"7": "0", "8": "1", "9": "2"}


async def test_real_defaults_are_used_for_what_is_left_out(horde: Horde) -> None:
    accepted = await horde.session.post(f"{horde.api}/generate/async", json={"prompt": "x"}, headers={"apikey": ANON})
    order = horde.sim.request((await accepted.json())["id"]).order

    assert (order.models, order.nsfw, order.censor_nsfw) == (("stable_diffusion",), True, True)
    assert (order.cfg_scale, order.karras, order.sampler, order.steps) == (5.0, True, "k_euler_a", 30)


async def test_downgrade_shrinks_without_a_word(horde: Horde) -> None:
    accepted = await horde.post(ANON, params={"width": 2048, "height": 1024, "steps": 90}, allow_downgrade=True)

    order = horde.sim.request(accepted["id"]).order
    assert set(accepted) == {"status", "id", "kudos"}
    assert (order.width, order.height, order.steps) == (1408, 704, 30)
