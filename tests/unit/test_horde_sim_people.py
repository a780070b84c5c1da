"""Kudos, holds, accounts and what the simulated horde tells about itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.control import PREFIX
from bot.sandbox.horde.serving import served

RICH, POOR, ANON = "robin-rich-key-0000001", "petra-poor-key-0000001", "0000000000"


@dataclass
class Town:
    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, key: str | None = None) -> Any:
        headers = {"apikey": key} if key else {}
        async with self.session.get(f"{self.url}{path}", headers=headers) as answer:
            return await answer.json()

    async def post(self, key: str, **body: Any) -> dict[str, Any]:
        order = {"prompt": "x", "nsfw": False, **body}
        async with self.session.post(
            f"{self.url}/api/v2/generate/async", json=order, headers={"apikey": key}
        ) as answer:
            return {"status": answer.status, **await answer.json()}

    async def control(self, route: str, /, **body: Any) -> tuple[int, Any]:
        async with self.session.post(f"{self.url}{PREFIX}/{route}", json=body) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """The default park without foreign jobs."""
    clock = ManualClock()
    sim = HordeSim(clock, rate_limits=False)
    sim.world.background_length = 0
    async with served(sim) as url, aiohttp.ClientSession() as session:
        yield Town(sim, clock, session, url)


async def test_upfront_price_is_held_until_the_images_are_there(town: Town) -> None:
    accepted = await town.post(RICH, params={"width": 1536, "height": 1536})
    robin = town.sim.user("robin_rich")

    held, before = robin.held, robin.kudos
    await town.clock.advance(300)

    assert accepted["status"] == 202
    assert held > 50
    assert robin.held == 0
    assert robin.kudos < before


@pytest.mark.parametrize("key", [pytest.param(ANON, id="anonymous"), pytest.param(POOR, id="poor")])
async def test_ordinary_pictures_need_no_kudos(town: Town, key: str) -> None:
    assert (await town.post(key, params={"width": 1024, "height": 1024}))["status"] == 202
    assert (await town.post(key, params={"width": 1024, "height": 1088}))["rc"] == "KudosUpfront"


async def test_balance_stops_at_the_floor(town: Town) -> None:
    await town.post(POOR, params={"n": 4})
    await town.clock.advance(120)

    petra = town.sim.user("petra_poor")
    assert petra.kudos == 25
    assert petra.accumulated < -10


async def test_active_generations_list_finished_requests_until_they_expire(town: Town) -> None:
    mine = await town.post(RICH)
    await town.clock.advance(60)
    listed = await town.get("/api/v2/find_user", RICH)
    await town.clock.advance(23 * 60)
    later = await town.get("/api/v2/find_user", RICH)

    assert listed["active_generations"]["image"] == [mine["id"]]
    assert later["active_generations"]["image"] == []


async def test_anonymous_generations_are_not_told(town: Town) -> None:
    await town.post(ANON)

    assert (await town.get("/api/v2/find_user", ANON))["active_generations"] == {"image": []}


async def test_balance_is_stale_for_half_a_minute(town: Town) -> None:
    before = await town.get("/api/v2/find_user", RICH)
    town.sim.set_user("robin_rich", kudos=1.0)

    assert await town.get("/api/v2/find_user", RICH) == before
    await town.clock.advance(31)
    assert (await town.get("/api/v2/find_user", RICH))["kudos"] == 1.0


async def test_private_part_is_for_the_owner(town: Town) -> None:
    robin = town.sim.user("robin_rich").id

    assert "active_generations" in await town.get(f"/api/v2/users/{robin}", RICH)
    assert "active_generations" not in await town.get(f"/api/v2/users/{robin}", POOR)
    assert (await town.get("/api/v2/users/bob"))["rc"] == "UserNotFound"


async def test_models_follow_the_park(town: Town) -> None:
    counts = {one["name"]: one["count"] for one in await town.get("/api/v2/status/models")}
    town.sim.set_model("Pony Diffusion XL", 12)
    town.sim.set_model("Deliberate", 0)
    after = {one["name"]: one["count"] for one in await town.get("/api/v2/status/models?min_count=1")}

    assert max(counts, key=lambda name: counts[name]) == "AlbedoBase XL (SDXL)"
    assert "Pony Diffusion XL" not in counts
    assert after["Pony Diffusion XL"] == 12
    assert "Deliberate" not in after


async def test_model_somebody_waits_for_in_vain_is_listed_without_workers(town: Town) -> None:
    answer = await town.post(RICH, models=["Pony Diffusion XL"])
    [pony] = await town.get("/api/v2/status/models/Pony%20Diffusion%20XL")

    assert {one["code"] for one in answer["warnings"]} == {"NoAvailableWorker", "ClipSkipMismatch"}
    assert (pony["count"], pony["eta"], pony["jobs"]) == (0, 10_000, 1.0)


async def test_references_name_every_served_model(town: Town) -> None:
    reference = await town.get("/reference/stable_diffusion.json")

    served_models = {model for worker in town.sim.world.park.workers for model in worker.models}
    assert served_models <= set(reference)
    assert reference["Flux.1-Schnell fp8 (Compact)"]["requirements"]["max_steps"] == 8
    assert "koboldcpp/Mistral-7B-Instruct-v0.1" in await town.get("/reference/db.json")


CONTROLS: dict[str, dict[str, Any]] = {
    "workers": {"count": 3, "speed": 2.0, "online": True, "paused": False, "batch": 2},
    "model": {"name": "Deliberate", "count": 1},
    "queue": {"length": 3},
    "impossible": {"on": True},
    "fault": {"next": 2},
    "silence": {"next": 1},
    "censor": {"next": 1, "kind": "csam"},
    "dead-links": {"next": 1, "kind": "missing"},
    "maintenance": {"on": True},
    "timeout-ip": {"seconds": 30},
    "rate-limits": {"on": True},
    "sweep": {},
    "forget-caches": {},
    "user": {"name": "nina", "kudos": 99.0},
    "shared-key": {"owner": "robin_rich", "kudos": 10},
    "style": {"name": "oil", "params": {"steps": 8}},
}


@pytest.mark.parametrize("name", list(CONTROLS))
async def test_control_route_answers(town: Town, name: str) -> None:
    status, body = await town.control(name, **CONTROLS[name])

    assert status == 200, body


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param("model", {}, id="missing"),
        pytest.param("workers", {"colour": "red"}, id="unknown"),
        pytest.param("censor", {"kind": "rude"}, id="wrong"),
        pytest.param("expire", {"id": "x"}, id="gone"),
    ],
)
async def test_control_route_refuses_nonsense(town: Town, name: str, body: dict[str, Any]) -> None:
    status, answer = await town.control(name, **body)

    assert status == 400
    assert answer["error"]


async def test_control_state_shows_what_was_received(town: Town) -> None:
    mine = await town.post(RICH, params={"seed": "7"}, webhook="https://example.org/x")
    await town.clock.advance(60)
    await town.sim.settled()
    state = await town.get(f"{PREFIX}/state")
    status, _ = await town.control("expire", id=mine["id"])

    [request] = state["requests"]
    assert request["payload"]["params"] == {"seed": "7"}
    assert request["webhook"] == "https://example.org/x"
    assert request["jobs"][0]["sha256"] == next(iter(town.sim.painted.values()))
    assert status == 200
    assert (await town.get(f"{PREFIX}/state"))["requests"] == []


async def test_control_lists_keys_that_work(town: Town) -> None:
    users = (await town.get(f"{PREFIX}/users"))["users"]

    for user in users:
        found = await town.get("/api/v2/find_user", user["key"])
        assert found["username"] == user["username"]


def test_every_control_route_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sandbox-horde.md").read_text(encoding="utf-8")
    routes = [route.path for route in HordeSim(ManualClock()).control_routes()]

    assert [path for path in routes if f"`{path}`" not in page] == []
