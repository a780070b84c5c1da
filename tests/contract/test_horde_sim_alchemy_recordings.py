"""Every recorded alchemy answer of a real AI Horde server, asked of the simulator: same status, shape and words."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.alchemy.requests import AlchemyRequest, FormState
from bot.sandbox.horde.serving import served
from tests.contract.horde_recordings import (
    RECORDED_FILES,
    UUID,
    Arrange,
    RecordingStage,
    cases,
    kind_of,
    prepared,
    then_deleted,
)

CASES = cases("alchemy")
#: Recordings the simulator does not agree with, each with the reason.
EXCEPTIONS: Mapping[str, str] = {}

SHARED = "886e5109-7573-4bab-ac4c-4586e2b82062"


@dataclass
class Stage(RecordingStage[AlchemyRequest]):
    """The stage of the alchemy recordings."""

    service = "interrogate"
    #: What is sent beside, or instead of, what was recorded.
    body: dict[str, Any] = field(default_factory=dict)

    async def request(self) -> AlchemyRequest:
        request = self.sim.alchemy_request(self.id)
        await request.caught_up()
        return request

    def adapted(self, body: Any) -> Any:
        text = json.dumps(body and {**body, **self.body})
        return json.loads(text.replace(RECORDED_FILES, f"{self.url}/files"))

    async def post_again(self, case: str) -> None:
        """Post what another case posted, and remember the id."""
        _, _, body = await self.send(CASES[case]["request"])
        self.id = body["id"]


def posted(case: str, wanted: Callable[[AlchemyRequest], bool] | None = None) -> Arrange[Stage]:
    """Have the request of `case` posted and wait until it looks as wanted; by default nobody works."""

    async def arrange(stage: Stage) -> None:
        stage.sim.set_alchemists(paused=wanted is None)
        await stage.post_again(case)
        if wanted is not None:
            await stage.until(wanted)

    return arrange


def counted(**states: int) -> Callable[[AlchemyRequest], bool]:
    return lambda request: Counter(form.state.value for form in request.forms) == states


def ended(request: AlchemyRequest) -> bool:
    return request.ended


def two_forms(wanted: Callable[[AlchemyRequest], bool] | None) -> Arrange[Stage]:
    async def arrange(stage: Stage) -> None:
        stage.body = {"forms": [{"name": "caption"}, {"name": "nsfw"}]}
        await posted("alchemy-async-ok-caption-anon", wanted)(stage)

    return arrange


async def given_up(stage: Stage) -> None:
    stage.sim.fault_alchemy(4)
    await posted("alchemy-async-ok-caption-anon", ended)(stage)


async def upscaled(stage: Stage) -> None:
    await posted("alchemy-async-ok-upscale", ended)(stage)
    result = (await stage.request()).forms[0].result
    assert result is not None
    stage.link = str(result["RealESRGAN_x4plus"])


async def giant(stage: Stage) -> None:
    """The recording shortens the picture's text, so an equal one is made."""
    data = await asyncio.to_thread(png, 8300, 8300)
    stage.body = {"source_image": base64.b64encode(data).decode()}


caption_done = posted("alchemy-async-ok-caption-anon", ended)
ARRANGEMENTS: Mapping[str, Arrange[Stage]] = {
    "alchemy-async-error-maintenance": prepared(lambda sim: sim.set_maintenance()),
    "alchemy-async-error-shared-key": prepared(lambda sim: sim.add_shared_key("tess_trusted", key=SHARED)),
    "alchemy-async-error-source-too-big": giant,
    "alchemy-async-in-timeout-ip": prepared(lambda sim: sim.timeout_ip(180)),
    "alchemy-delete-done": caption_done,
    "alchemy-delete-processing": two_forms(counted(processing=2)),
    "alchemy-delete-waiting": two_forms(None),
    "alchemy-download-upscale": upscaled,
    "alchemy-status-after-delete-done": then_deleted(caption_done),
    "alchemy-status-cancelled": then_deleted(two_forms(None)),
    "alchemy-status-done-caption": caption_done,
    "alchemy-status-done-duplicate-forms": posted("alchemy-async-ok-url", ended),
    "alchemy-status-done-many": posted("alchemy-async-ok-many", ended),
    "alchemy-status-done-upscale": posted("alchemy-async-ok-upscale", ended),
    "alchemy-status-faulted": given_up,
    "alchemy-status-no-forms": posted("alchemy-async-ok-no-forms"),
    "alchemy-status-partly-done": posted("alchemy-async-ok-many", counted(done=4, processing=4, waiting=1)),
    "alchemy-status-processing": posted("alchemy-async-ok-caption-anon", counted(processing=1)),
    "alchemy-status-url-again": posted("alchemy-async-ok-url-again"),
    "alchemy-status-waiting": posted("alchemy-async-ok-caption-anon"),
}


def png(width: int, height: int) -> bytes:
    buffer = BytesIO()
    Image.new("1", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


async def file(request: web.Request) -> web.Response:
    """The files that recorded requests name by URL."""
    match request.match_info["name"]:
        case "fox.png":
            return web.Response(body=png(200, 150), content_type="image/png")
        case "huge.png":
            return web.Response(body=await asyncio.to_thread(png, 8192, 8192), content_type="image/png")
        case "big.bin":
            return web.Response(body=bytes(6 * 1024 * 1024))
        case _:
            return web.json_response({"not": "a picture"})


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    clock = ManualClock()
    sim = HordeSim(clock)
    sim.world.background_length = 0
    sim.set_alchemists(count=1, batch=4)
    extra = [web.get("/files/{name}", file)]
    async with served(sim, extra=extra) as url, aiohttp.ClientSession() as session:
        yield Stage(sim, clock, session, url)


def shape(value: Any) -> Any:
    """Keys and types, with all numbers alike and lists by what kinds of members they have."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return sorted({repr(shape(member)) for member in value})
    return kind_of(value)


def comparable(body: Any) -> Any:
    """An answer with ids and results reduced to their shapes, and the forms as a set with counts."""
    if not isinstance(body, dict):
        return body
    if "forms" in body:
        forms = Counter((one["form"], one["state"], repr(shape(one.get("result")))) for one in body["forms"])
        return {**body, "forms": forms}
    if set(body) == {"id"}:
        return {"id": UUID.sub("<id>", body["id"])}
    return {**body, "message": UUID.sub("<id>", body["message"])}


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in CASES if name not in EXCEPTIONS])
async def test_alchemy_recording_is_answered_as_recorded(case: str) -> None:
    recorded = CASES[case]["response"]
    async with open_stage() as stage:
        if case in ARRANGEMENTS:
            await ARRANGEMENTS[case](stage)
        if "async" not in case:
            stage.body = {}
        status, headers, body = await stage.send(CASES[case]["request"])

    assert status == recorded["status"], body
    assert {name for name in recorded["headers"] if name not in headers} == set()
    assert headers["Content-Type"] == recorded["headers"]["content-type"]
    assert headers.get("X-RateLimit-Limit") == recorded["headers"].get("x-ratelimit-limit")
    if isinstance(body, bytes):
        mine, theirs = (Image.open(BytesIO(data)) for data in (body, base64.b64decode(recorded["body"]["base64"])))
        assert (mine.format, mine.size) == (theirs.format, theirs.size)
        return
    assert comparable(body) == comparable(recorded["body"])


def test_arrangements_and_exceptions_name_recordings() -> None:
    assert set(EXCEPTIONS) | set(ARRANGEMENTS) <= set(CASES)
    assert len(CASES) == 38
    assert {state.value for state in FormState} >= {
        form["state"] for case in CASES.values() for form in _forms(case["response"]["body"])
    }


def _forms(body: Any) -> list[dict[str, Any]]:
    return body.get("forms", []) if isinstance(body, dict) else []
