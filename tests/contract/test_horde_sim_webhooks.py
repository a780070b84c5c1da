"""The simulator's webhooks and the ones that a real server sent: same fields, same types, same tries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.serving import served
from bot.sandbox.outgoing import AddressMap

DATA = Path(__file__).parent.parent / "data" / "horde" / "webhooks"
RECORDED = {path.stem.removeprefix("webhook-received-"): json.loads(path.read_text()) for path in DATA.glob("*.json")}
KEY, ADDRESS = "robin-rich-key-0000001", "https://client.test/hook"
IMAGE = {"prompt": "a fox", "models": ["stable_diffusion"], "params": {"width": 64, "height": 64, "steps": 1}}
#: A picture of 64 by 64 pixels, transparent.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAACqaXHeAAAANUlEQVR42u3BAQEAAACCIP+vbkhAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAPBkQEAAAW1n3lMAAAAASUVORK5CYII="
)


@dataclass
class Stage:
    """A simulator, and somebody who is called."""

    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    url: str
    status: int = 200
    heard: list[tuple[Mapping[str, str], dict[str, Any]]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.heard.append((request.headers.copy(), await request.json()))
        return web.Response(status=self.status)

    async def order(self, path: str, body: Mapping[str, Any]) -> str:
        headers = {"apikey": KEY}
        payload = {**body, "webhook": ADDRESS}
        async with self.session.post(f"{self.url}/api/v2/{path}", json=payload, headers=headers) as answer:
            told = await answer.json()
            assert answer.status == 202, told
            return str(told["id"])

    async def until_heard(self, count: int) -> None:
        """Let time pass until so many calls came."""
        for _ in range(400):
            if len(self.heard) >= count:
                return
            await self.clock.advance(1)
            await self.sim.settled()
            await asyncio.sleep(0.002)
        pytest.fail(f"only {len(self.heard)} calls came")


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    clock, mapping = ManualClock(), AddressMap()
    sim = HordeSim(clock, rate_limits=False, mapping=mapping)
    sim.set_queue(0)
    async with served(sim) as url, aiohttp.ClientSession() as session:
        stage = Stage(sim, clock, session, url)
        app = web.Application()
        app.router.add_post("/hook", stage.take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        mapping.add("https://client.test", f"http://127.0.0.1:{runner.addresses[0][1]}")
        try:
            yield stage
        finally:
            await runner.cleanup()


def shape(body: Mapping[str, Any]) -> dict[str, object]:
    """Names and types; seeds are numbers here, unlike in a status."""
    return {name: type(value) for name, value in body.items()}


@pytest.mark.parametrize(
    ("case", "path", "body"),
    [
        pytest.param("image", "generate/async", IMAGE, id="image"),
        pytest.param("image-b64", "generate/async", {**IMAGE, "r2": False}, id="image-in-base64"),
        pytest.param("image-censored", "generate/async", IMAGE, id="image-censored"),
        pytest.param("image-n2", "generate/async", {**IMAGE, "params": {**IMAGE["params"], "n": 2}}, id="two-images"),  # type: ignore[dict-item]
        pytest.param("text", "generate/text/async", {"prompt": "Once", "params": {"max_length": 16}}, id="text"),
        pytest.param(
            "alchemy",
            "interrogate/async",
            {"forms": [{"name": "RealESRGAN_x2plus"}, {"name": "caption"}], "source_image": PIXEL},
            id="alchemy",
        ),
    ],
)
async def test_calls_are_those_of_a_real_server(case: str, path: str, body: Mapping[str, Any]) -> None:
    recorded = [one["body"] for one in RECORDED[case]["received"]]
    async with open_stage() as stage:
        if case == "image-censored":
            stage.sim.censor_next(1)
        identity = await stage.order(path, body)
        await stage.until_heard(len(recorded))
        bodies = [found for _, found in stage.heard]
        ordered = sorted(bodies, key=lambda found: str(found.get("form", "")))
        assert [shape(found) for found in ordered] == [
            shape(found) for found in sorted(recorded, key=lambda found: str(found.get("form", "")))
        ]
        assert {found["request"] for found in bodies} == {identity}
        assert len({found["id"] for found in bodies}) == len(recorded)
        headers = stage.heard[0][0]
        assert headers["Content-Type"] == "application/json"
        assert headers["User-Agent"].startswith("python-requests/")
        assert headers["Host"] == "client.test"


async def test_a_call_that_fails_is_made_three_times_and_then_dropped() -> None:
    async with open_stage() as stage:
        stage.status = 500
        await stage.order("generate/async", IMAGE)
        await stage.until_heard(len(RECORDED["image-fail-retry"]["received"]))
        stage.status = 200
        second = await stage.order("generate/async", IMAGE)
        await stage.until_heard(4)
        assert len({found["id"] for _, found in stage.heard[:3]}) == 1
        assert [found["request"] for _, found in stage.heard[3:]] == [second]


async def test_nothing_is_told_of_faults() -> None:
    async with open_stage() as stage:
        stage.sim.fault_next(1)
        await stage.order("generate/async", IMAGE)
        await stage.until_heard(1)  # of the second worker's
        assert len(stage.heard) == 1
        assert RECORDED["image-faulted"]["received"] == []
