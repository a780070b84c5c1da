"""Every recorded answer of a real AI Horde server, asked again of the simulator: same status, shape and words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.requests import Request
from bot.sandbox.horde.serving import served
from tests.contract.horde_recordings import (
    ALICE,
    RECORDED_FILES,
    Arrange,
    RecordingStage,
    add_style,
    assert_same_headers,
    assert_same_shape,
    assert_same_values,
    cases,
    prepared,
    reached,
    then_deleted,
)

CASES = cases()
#: Recordings the simulator does not agree with, each with the reason.
EXCEPTIONS: Mapping[str, str] = {}

SHARED = "22ed72f2-ab62-48f3-99f9-b29dceea2da6"
RECORDED_WORKER = "a01444ce-32d7-4202-b3d6-99a2a8a48939"
RECORDED_MODELS = ("AlbedoBase XL (SDXL)", "Deliberate", "Flux.1-Schnell fp8 (Compact)", "stable_diffusion")
SMALL = {"width": 128, "height": 128, "steps": 10}


class Stage(RecordingStage[Request]):
    """The stage of the image recordings."""

    service = "generate"

    async def request(self) -> Request:
        return self.sim.request(self.id)

    def adapted(self, body: Any) -> Any:
        text = json.dumps(body).replace(RECORDED_WORKER, self.sim.world.park.workers[0].id)
        return json.loads(text.replace(RECORDED_FILES, f"{self.url}/reference"))

    async def post(self, **changes: Any) -> None:
        """Order a small image; `key` is whose."""
        key, params = changes.pop("key", ALICE), SMALL | changes.pop("params", {})
        await self.order({"prompt": "a fox", "models": ["stable_diffusion"], **changes, "params": params}, key=key)

    async def get(self, path: str) -> Any:
        async with self.session.get(f"{self.url}/api/v2{path}") as answer:
            return await answer.json()

    async def finish(self) -> None:
        await self.until(lambda request: request.done)
        await self.sim.settled()


def ordered(*, finish: bool = True, batch: int = 1, **body: Any) -> Arrange[Stage]:
    async def arrange(stage: Stage) -> None:
        stage.sim.set_workers(batch=batch)
        await stage.post(**body)
        if finish:
            await stage.finish()

    return arrange


def waiting(**body: Any) -> Arrange[Stage]:
    async def arrange(stage: Stage) -> None:
        stage.sim.set_workers(paused=True)
        await stage.post(**body)

    return arrange


def repeated(times: int) -> Arrange[Stage]:
    """Send what the case sends, so often that the next one is too much."""

    async def arrange(stage: Stage) -> None:
        for _ in range(times):
            await stage.send(CASES[stage.case]["request"])

    return arrange


def shared_key(**limits: Any) -> Arrange[Stage]:
    return prepared(lambda sim: sim.add_shared_key("tess_trusted", key=SHARED, name="renamed", **limits))


def then_finished(arrange: Arrange[Stage]) -> Arrange[Stage]:
    async def both(stage: Stage) -> None:
        await arrange(stage)
        await stage.finish()

    return both


def busy_queue(sim: HordeSim) -> None:
    sim.set_workers(paused=True)
    sim.set_queue(20)


async def dry_run_by_another(stage: Stage) -> None:
    body = CASES["image-async-dry-run-cached-bad-apikey"]["request"]["body"]
    await stage.post(**{**body, "prompt": "x"})


async def ended_timeout(stage: Stage) -> None:
    stage.sim.timeout_ip(180)
    await stage.clock.advance(181)


async def expired(stage: Stage) -> None:
    await stage.post()
    await stage.finish()
    await stage.clock.advance(22 * 60)


async def modes_before_maintenance(stage: Stage) -> None:
    await stage.get("/status/modes")
    stage.sim.set_maintenance()


async def unanswered(stage: Stage) -> None:
    stage.sim.set_workers(batch=2)
    stage.sim.silence_next()
    await stage.post(params={"n": 2})
    await stage.until(lambda request: request.processing == 2)
    stage.sim.set_workers(paused=True)
    await stage.until(lambda request: request.restarted == 2)


async def answered_after_restart(stage: Stage) -> None:
    await unanswered(stage)
    stage.sim.set_workers(paused=False)
    await stage.until(lambda request: request.finished == 2)


async def finished_picture(stage: Stage) -> None:
    await stage.post(params={"width": 256, "height": 192})
    await stage.finish()
    status = await stage.get(f"/generate/status/{stage.id}")
    stage.link = status["generations"][0]["img"]


async def someone_waits_for_pony(stage: Stage) -> None:
    stage.sim.set_workers(paused=True)
    await stage.post(models=["Pony Diffusion XL"])
    await stage.post()


NOBODY = {"models": ["No Such Model"]}
partly_done: Arrange[Stage] = reached(
    lambda request: request.finished == 1 and request.processing == 1, params={"n": 4}
)
processing: Arrange[Stage] = reached(lambda request: request.processing == 1)
two_faults: Arrange[Stage] = reached(
    lambda request: request.restarted == 2 and request.done, lambda sim: sim.fault_next(2)
)
given_up: Arrange[Stage] = reached(lambda request: request.faulted, lambda sim: sim.fault_next(8), params={"n": 4})

ARRANGEMENTS: Mapping[str, Arrange[Stage]] = {
    "find-user-ok": ordered(finish=False),
    "find-user-shared-key": shared_key(),
    "image-async-429-rate-limit": repeated(2),
    "image-async-dry-run-cached-bad-apikey": dry_run_by_another,
    "image-async-error-dry-run-kudos-upfront-anon": prepared(busy_queue),
    "image-async-error-kudos-upfront-poor": prepared(busy_queue),
    "image-async-error-maintenance": prepared(lambda sim: sim.set_maintenance()),
    "image-async-error-shared-key-empty": shared_key(kudos=0),
    "image-async-error-shared-key-kudos": shared_key(kudos=1),
    "image-async-error-shared-key-limit": shared_key(max_image_pixels=256 * 256),
    "image-async-error-shared-key-steps": shared_key(max_image_steps=20),
    "image-async-error-timeout-ip": prepared(lambda sim: sim.timeout_ip(180)),
    "image-async-error-too-many-prompts": repeated(1),
    "image-async-ok-after-timeout": ended_timeout,
    "image-async-ok-shared-key": shared_key(kudos=100),
    "image-async-ok-style": prepared(add_style),
    "image-async-ok-style-by-name": prepared(add_style),
    "image-check-429-rate-limit": repeated(10),
    "image-check-after-delete": then_deleted(waiting(**NOBODY)),
    "image-check-after-expiry": expired,
    "image-check-done": ordered(),
    "image-check-done-after-two-faults": two_faults,
    "image-check-error-timeout-unknown-agent": prepared(lambda sim: sim.timeout_ip(180)),
    "image-check-faulted": given_up,
    "image-check-impossible": waiting(**NOBODY),
    "image-check-partly-done": partly_done,
    "image-check-processing": processing,
    "image-check-restarted": reached(
        lambda request: request.restarted == 2 and request.processing == 1,
        lambda sim: sim.fault_next(8),
        params={"n": 4},
    ),
    "image-check-restarted-after-timeout": unanswered,
    "image-check-waiting": waiting(),
    "image-delete-done": ordered(),
    "image-delete-partly-done": partly_done,
    "image-delete-processing": processing,
    "image-delete-twice": then_deleted(waiting(**NOBODY)),
    "image-delete-waiting": waiting(**NOBODY),
    "image-download-r2": finished_picture,
    "image-status-429-rate-limit": repeated(10),
    "image-status-after-delete": then_deleted(waiting(**NOBODY)),
    "image-status-after-delete-partly-done": then_finished(then_deleted(partly_done)),
    "image-status-after-delete-processing": then_finished(then_deleted(processing)),
    "image-status-after-expiry": expired,
    "image-status-batch-n3": ordered(batch=3, params={"n": 3}),
    "image-status-censored-csam": reached(
        lambda request: request.done, lambda sim: sim.censor_next(1, "csam"), prompt="x"
    ),
    "image-status-censored-nsfw": reached(
        lambda request: request.done, lambda sim: sim.censor_next(1, "nsfw"), prompt="x"
    ),
    "image-status-done-after-restart": answered_after_restart,
    "image-status-done-after-two-faults": two_faults,
    "image-status-done-b64-n2": ordered(batch=2, r2=False, params={"n": 2, "seed": "7", "seed_variation": 5}),
    "image-status-done-flux-n2": ordered(
        batch=2,
        models=["Flux.1-Schnell fp8 (Compact)"],
        params={"n": 2, "width": 1024, "height": 1024, "steps": 4, "cfg_scale": 1, "sampler_name": "k_euler"},
    ),
    "image-status-done-r2": ordered(params={"seed": "42"}),
    "image-status-done-style": ordered(),
    "image-status-faulted": given_up,
    "image-status-metadata-lora-failed": ordered(params={"loras": [{"name": "missing-lora"}]}),
    "image-status-waiting": waiting(**NOBODY),
    "status-models-default": someone_waits_for_pony,
    "status-models-image": someone_waits_for_pony,
    "status-modes-maintenance": modes_before_maintenance,
}


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    buffer = BytesIO()
    Image.new("RGB", (128, 128), "orange").save(buffer, "PNG")

    async def fox(_: web.Request) -> web.Response:
        return web.Response(body=buffer.getvalue(), content_type="image/png")

    clock = ManualClock()
    sim = HordeSim(clock)
    sim.set_workers(count=1)
    sim.world.background_length = 0
    sim.world.park.workers[0].models[:] = RECORDED_MODELS
    async with served(sim, extra=[web.get("/reference/fox.png", fox)]) as url, aiohttp.ClientSession() as session:
        yield Stage(sim, clock, session, url)


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in CASES if name not in EXCEPTIONS])
async def test_recording_is_answered_as_recorded(case: str) -> None:
    recorded = CASES[case]
    async with open_stage() as stage:
        stage.case = case
        if case in ARRANGEMENTS:
            await ARRANGEMENTS[case](stage)
        status, headers, body = await stage.send(recorded["request"])

    assert status == recorded["response"]["status"], body
    assert_same_headers(headers, recorded["response"]["headers"])
    expected = recorded["response"]["body"]
    if isinstance(body, bytes):
        assert expected["_binary"]
        assert (await asyncio.to_thread(Image.open, BytesIO(body))).size == (256, 192)
        return
    assert_same_shape(body, expected)
    assert_same_values(body, expected)


def test_exceptions_are_few_and_name_recordings() -> None:
    assert len(EXCEPTIONS) <= 15
    assert set(EXCEPTIONS) | set(ARRANGEMENTS) <= set(CASES)
