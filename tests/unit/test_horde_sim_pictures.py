"""What the simulated workers paint, and the links it is fetched with."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from PIL import Image

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.painting import paint
from bot.sandbox.horde.serving import served

KEY = "robin-rich-key-0000001"


@dataclass
class Shop:
    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    api: str

    async def buy(self, **body: Any) -> list[dict[str, Any]]:
        """Order a picture of 320x192, have it made, and return the generations."""
        order = {"prompt": "a lake", "models": ["stable_diffusion"], **body}
        order["params"] = {"width": 320, "height": 192, "steps": 10} | body.get("params", {})
        async with self.session.post(f"{self.api}/generate/async", json=order, headers={"apikey": KEY}) as answer:
            self.id = (await answer.json())["id"]
        await self.clock.advance(60)
        await self.sim.settled()
        return await self.generations()

    async def generations(self) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.api}/generate/status/{self.id}") as answer:
            found: list[dict[str, Any]] = (await answer.json())["generations"]
            return found

    async def fetch(self, url: str) -> tuple[int, bytes]:
        async with self.session.get(url) as answer:
            return answer.status, await answer.read()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A simulator with one idle worker and a client."""
    clock = ManualClock()
    sim = HordeSim(clock, rate_limits=False)
    sim.set_workers(count=1)
    sim.world.background_length = 0
    async with served(sim) as url, aiohttp.ClientSession() as session:
        yield Shop(sim, clock, session, f"{url}/api/v2")


async def test_downloaded_bytes_are_those_that_were_painted(shop: Shop) -> None:
    [one] = await shop.buy()

    status, data = await shop.fetch(one["img"])

    assert status == 200
    assert shop.sim.painted == {one["id"]: hashlib.sha256(data).hexdigest()}
    image = Image.open(BytesIO(data))
    assert (image.format, image.size) == ("WEBP", (320, 192))


async def test_base64_is_the_same_picture(shop: Shop) -> None:
    [one] = await shop.buy(r2=False)

    data = base64.b64decode(one["img"], validate=True)
    assert hashlib.sha256(data).hexdigest() == shop.sim.painted[one["id"]]


async def test_link_dies_after_half_an_hour(shop: Shop) -> None:
    [one] = await shop.buy()

    await shop.clock.advance(29 * 60)
    assert (await shop.fetch(one["img"]))[0] == 200
    await shop.clock.advance(2 * 60)
    assert (await shop.fetch(one["img"]))[0] == 403


async def test_forged_link_is_refused(shop: Shop) -> None:
    [one] = await shop.buy()

    assert (await shop.fetch(one["img"].replace("Expires=", "Expires=9")))[0] == 403


async def test_object_is_gone_after_two_hours_though_links_are_still_made(shop: Shop) -> None:
    [one] = await shop.buy()
    picture = shop.sim.request(shop.id).jobs[0].picture
    await shop.clock.advance(2 * 3600)

    status, _ = await shop.fetch(shop.sim.world.pictures.link(picture))

    assert status == 404
    assert picture.data == b""
    assert one["id"] in shop.sim.painted


async def test_dead_link_is_replaced_by_the_next_status(shop: Shop) -> None:
    [one] = await shop.buy()
    shop.sim.dead_links(1, "expired")

    first = (await shop.fetch(one["img"]))[0]
    again = (await shop.fetch(one["img"]))[0]
    [fresh] = await shop.generations()

    assert (first, again) == (403, 403)
    assert (await shop.fetch(fresh["img"]))[0] == 200


async def test_lost_upload_is_a_404_whatever_the_link(shop: Shop) -> None:
    shop.sim.dead_links(1, "missing")
    [one] = await shop.buy()

    assert one["state"] == "ok"
    assert (await shop.fetch(one["img"]))[0] == 404


@pytest.mark.parametrize("kind", ["nsfw", "csam"])
async def test_censored_picture_is_a_black_placeholder(shop: Shop, kind: str) -> None:
    shop.sim.censor_next(1, kind)
    [one] = await shop.buy()

    _, data = await shop.fetch(one["img"])

    assert (one["censored"], one["state"]) == (True, "ok")
    assert one["gen_metadata"] == [{"type": "censorship", "value": kind}]
    assert Image.open(BytesIO(data)).convert("RGB").getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("width", "height"),
    [pytest.param(64, 64, id="least"), pytest.param(64, 1024, id="tall"), pytest.param(1216, 832, id="wide")],
)
def test_painting_has_the_size_asked_for(width: int, height: int) -> None:
    data = paint(prompt="hills", seed=1, model="m", width=width, height=height)

    assert Image.open(BytesIO(data)).size == (width, height)


def test_painting_depends_on_prompt_seed_and_model_only() -> None:
    def hashed(**changes: Any) -> str:
        values: dict[str, Any] = {"prompt": "hills", "seed": 1, "model": "m", "width": 128, "height": 128}
        return hashlib.sha256(paint(**(values | changes))).hexdigest()

    assert hashed() == hashed()
    assert len({hashed(), hashed(prompt="sea"), hashed(seed=2), hashed(model="n")}) == 4
