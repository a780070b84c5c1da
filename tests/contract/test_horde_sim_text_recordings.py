"""Every recorded answer of a real AI Horde server about texts, asked again of the simulator."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.serving import served
from bot.sandbox.horde.text.requests import TextRequest
from tests.contract.horde_recordings import (
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

CASES = cases("text")
#: Recordings the simulator does not agree with, each with the reason.
EXCEPTIONS: Mapping[str, str] = {}
#: A shared key that recorded requests carry.
SHARED = "22ed72f2-ab62-48f3-99f9-b29dceea2da6"
MODEL = "koboldcpp/Mistral-7B-Instruct-v0.1"


class Stage(RecordingStage[TextRequest]):
    """The stage of the text recordings."""

    service, step = "generate/text", 0.1

    async def request(self) -> TextRequest:
        return self.sim.text.request(self.id)

    async def post(self, **changes: Any) -> None:
        await self.order({"prompt": "Hi", "models": [MODEL], **changes})


async def given_up(stage: Stage) -> None:
    stage.sim.text.fault_next(100)
    await stage.post()
    await stage.until(lambda request: (request.restarted, request.waiting) == (21, 1))
    stage.sim.sweep()


waiting: Arrange[Stage] = reached(lambda request: request.waiting == 1, models=["nobody/serves-this"])
processing: Arrange[Stage] = reached(lambda request: request.processing == 1)
done: Arrange[Stage] = reached(lambda request: request.done)
restarting: Arrange[Stage] = reached(
    lambda request: (request.restarted, request.processing) == (9, 1), lambda sim: sim.text.fault_next(100)
)

ARRANGEMENTS: Mapping[str, Arrange[Stage]] = {
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


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in CASES if name not in EXCEPTIONS])
async def test_text_recording_is_answered_as_recorded(case: str) -> None:
    recorded = CASES[case]
    async with open_stage() as stage:
        if case in ARRANGEMENTS:
            await ARRANGEMENTS[case](stage)
        status, headers, body = await stage.send(recorded["request"])

    assert status == recorded["response"]["status"], body
    assert_same_headers(headers, recorded["response"]["headers"])
    expected = copy.deepcopy(recorded["response"]["body"])
    if isinstance(body, bytes):
        assert expected == {"_not_json": True, "text": body.decode()}
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
