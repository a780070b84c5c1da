"""Every recorded answer of a real AI Horde server about texts, asked again of the simulator."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.serving import served
from bot.sandbox.horde.text.requests import TextRequest
from tests.contract.test_horde_sim_recordings import (
    KEYS,
    SHARED,
    UUID,
    add_style,
    assert_same_headers,
    assert_same_shape,
    assert_same_values,
)

DATA = Path(__file__).parent.parent / "data" / "horde" / "text"
CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))}
#: Recordings the simulator does not agree with, each with the reason.
EXCEPTIONS: Mapping[str, str] = {}
MODEL = "koboldcpp/Mistral-7B-Instruct-v0.1"


@dataclass
class Stage:
    """A simulator with one text worker like the recorded one, its clock, and a client."""

    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    url: str
    id: str = ""

    async def post(self, **body: Any) -> None:
        """Order a text and remember its id."""
        payload = {"prompt": "Hi", "models": [MODEL], **body}
        headers = {"apikey": KEYS["<apikey of alice>"]}
        async with self.session.post(f"{self.url}/api/v2/generate/text/async", json=payload, headers=headers) as answer:
            self.id = (await answer.json())["id"]

    async def delete(self) -> None:
        async with self.session.delete(f"{self.url}/api/v2/generate/text/status/{self.id}"):
            pass

    async def until(self, wanted: Callable[[TextRequest], bool]) -> None:
        """Step the clock until the remembered request looks as wanted."""
        for _ in range(2000):
            if wanted(self.sim.text.request(self.id)):
                return
            await self.clock.advance(0.1)
        raise AssertionError("the request never looked as wanted")


Arrange = Callable[[Stage], Awaitable[None]]
Wanted = Callable[[TextRequest], bool]


def prepared(prepare: Callable[[HordeSim], object]) -> Arrange:
    async def arrange(stage: Stage) -> None:
        prepare(stage.sim)

    return arrange


def reached(wanted: Wanted, prepare: Callable[[HordeSim], object] | None = None, **body: Any) -> Arrange:
    async def arrange(stage: Stage) -> None:
        if prepare is not None:
            prepare(stage.sim)
        await stage.post(**body)
        await stage.until(wanted)

    return arrange


def then_deleted(arrange: Arrange) -> Arrange:
    async def both(stage: Stage) -> None:
        await arrange(stage)
        await stage.delete()

    return both


async def given_up(stage: Stage) -> None:
    stage.sim.text.fault_next(100)
    await stage.post()
    await stage.until(lambda request: (request.restarted, request.waiting) == (21, 1))
    stage.sim.sweep()


waiting = reached(lambda request: request.waiting == 1, models=["nobody/serves-this"])
processing = reached(lambda request: request.processing == 1)
done = reached(lambda request: request.done)
restarting = reached(
    lambda request: (request.restarted, request.processing) == (9, 1), lambda sim: sim.text.fault_next(100)
)

ARRANGEMENTS: Mapping[str, Arrange] = {
    "text-async-error-image-style": prepared(add_style),
    "text-async-error-maintenance": prepared(lambda sim: sim.set_maintenance()),
    "text-async-error-shared-key-tokens": prepared(
        lambda sim: sim.add_shared_key("tess_trusted", key=SHARED, max_text_tokens=100)
    ),
    "text-async-error-timeout-ip": prepared(lambda sim: sim.timeout_ip(180)),
    "text-delete-done": done,
    "text-delete-processing": processing,
    "text-delete-waiting": waiting,
    "text-status-after-delete": then_deleted(waiting),
    "text-status-after-delete-processing": then_deleted(processing),
    "text-status-censored-csam": reached(lambda request: request.done, lambda sim: sim.text.censor_next(1, "csam")),
    "text-status-censored-nsfw": reached(lambda request: request.done, lambda sim: sim.text.censor_next(1, "nsfw")),
    "text-status-done": done,
    "text-status-done-n2": reached(lambda request: request.done, params={"n": 2, "max_length": 16}),
    "text-status-faulted": given_up,
    "text-status-processing": processing,
    "text-status-restarting": restarting,
    "text-status-waiting": waiting,
}


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    clock = ManualClock()
    sim = HordeSim(clock)
    sim.set_workers(count=0)
    sim.world.background_length = 0
    sim.text.keep_only("scribe-01")
    sim.text.set_queue(0)
    sim.text.set_quirks(False)
    async with served(sim) as url, aiohttp.ClientSession() as session:
        yield Stage(sim, clock, session, url)


async def send(stage: Stage, recorded: Mapping[str, Any]) -> tuple[int, Mapping[str, str], Any]:
    """Send a recorded request; returns status, headers and body."""
    path = UUID.sub(stage.id, recorded["path"]) if stage.id else recorded["path"]
    headers = {name: KEYS.get(value, value) for name, value in recorded["headers"].items()}
    sent = {"json": recorded["body"]} if recorded["body"] is not None else {}
    url = f"{stage.url}/api/v2{path}"
    async with stage.session.request(recorded["method"], url, headers=headers, **sent) as answer:
        got = await answer.json() if answer.content_type == "application/json" else await answer.text()
        return answer.status, answer.headers, got


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in CASES if name not in EXCEPTIONS])
async def test_text_recording_is_answered_as_recorded(case: str) -> None:
    recorded = CASES[case]
    async with open_stage() as stage:
        if case in ARRANGEMENTS:
            await ARRANGEMENTS[case](stage)
        status, headers, body = await send(stage, recorded["request"])

    assert status == recorded["response"]["status"], body
    assert_same_headers(headers, recorded["response"]["headers"])
    expected = copy.deepcopy(recorded["response"]["body"])
    if isinstance(body, str):
        assert expected == {"_not_json": True, "text": body}
        return
    assert_same_shape(body, expected)
    if isinstance(expected, dict):
        texts, recorded_texts = body.pop("generations", []), expected.pop("generations", [])
        assert_same_values(body, expected)
        assert [told(one) for one in texts] == [told(one) for one in recorded_texts]


def told(generation: Mapping[str, Any]) -> tuple[object, ...]:
    """What has to be as recorded of one text: all but its words and its worker's id."""
    return (*(generation[name] for name in ("seed", "model", "state", "gen_metadata")), bool(generation["text"]))


def test_text_exceptions_are_few_and_name_recordings() -> None:
    assert not EXCEPTIONS
    assert set(ARRANGEMENTS) <= set(CASES)
