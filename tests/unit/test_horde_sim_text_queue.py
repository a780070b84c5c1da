"""The text side of the simulated horde over HTTP, on a clock that only tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim
from bot.sandbox.horde.serving import served
from bot.sandbox.horde.text.generator import GARBLED

RICH, POOR, ANON = "robin-rich-key-0000001", "petra-poor-key-0000001", "0000000000"
MODEL = "koboldcpp/Qwen2.5-7B-Instruct"
PROMPT = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
STOPS = ["<|im_end|>", "<|im_start|>"]


@dataclass
class Horde:
    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    url: str

    async def post(self, prompt: str = "Hello.", key: str = RICH, **body: Any) -> dict[str, Any]:
        params = {"max_length": 120, "stop_sequence": STOPS} | body.pop("params", {})
        payload = {"prompt": PROMPT.format(prompt), "models": [MODEL], **body, "params": params}
        url = f"{self.url}/api/v2/generate/text/async"
        async with self.session.post(url, json=payload, headers={"apikey": key}) as answer:
            return {"status": answer.status, **await answer.json()}

    async def call(self, method: str, path: str, **values: Any) -> Any:
        async with self.session.request(method, f"{self.url}{path}", **values) as answer:
            return await answer.json()

    async def status(self, identity: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.call("GET", f"/api/v2/generate/text/status/{identity}")
        return found

    async def delete(self, identity: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.call("DELETE", f"/api/v2/generate/text/status/{identity}")
        return found

    async def until_over(self, identity: str) -> dict[str, Any]:
        for _ in range(600):
            if self.sim.text.request(identity).over:
                return await self.status(identity)
            await self.clock.advance(0.5)
        raise AssertionError(await self.status(identity))


@pytest.fixture
async def horde() -> AsyncIterator[Horde]:
    """A simulator with one text worker, no foreign texts and no quirks, and a client."""
    clock = ManualClock()
    sim = HordeSim(clock, rate_limits=False)
    sim.set_workers(count=0)
    sim.world.background_length = 0
    sim.text.keep_only()
    sim.text.add_worker([MODEL], name="scribe", max_length=512, max_context_length=8192)
    sim.text.set_queue(0)
    sim.text.set_quirks(False)
    async with served(sim) as url, aiohttp.ClientSession() as session:
        yield Horde(sim, clock, session, url)


async def test_conversation_is_answered(horde: Horde) -> None:
    accepted = await horde.post("My name is Li.<|im_end|>\n<|im_start|>user\nWhat is my name?")

    status = await horde.until_over(accepted["id"])

    assert accepted["kudos"] == 0.0
    assert [one["text"] for one in status["generations"]] == ["Your name is Li. You told me so earlier."]
    assert {"seed", "model", "state", "worker_name"} <= set(status["generations"][0])
    assert "id" not in status["generations"][0]


async def test_state_has_the_prompt_as_sent_and_tells_wrong_formats(horde: Horde) -> None:
    accepted = await horde.post(prompt="ignored", models=[])
    await horde.until_over(accepted["id"])
    payload = {"prompt": "### Instruction:\nHi\n\n### Response:\n"}
    await horde.call("POST", "/api/v2/generate/text/async", json=payload, headers={"apikey": RICH})
    await horde.clock.advance(30)

    state = await horde.call("GET", "/sandbox/horde/text")

    good, bad = state["requests"]
    assert good["payload"]["prompt"] == good["prompt"] == PROMPT.format("ignored")
    assert good["jobs"][0]["understood"]
    assert (bad["jobs"][0]["understood"], bad["jobs"][0]["looks_like"]) == (False, "alpaca")
    assert GARBLED in bad["jobs"][0]["text"]
    whole = await horde.call("GET", "/sandbox/horde/state")
    assert whole["text"]["requests"] == state["requests"]


async def test_done_flaps_while_jobs_fault_and_only_the_sweep_ends_it(horde: Horde) -> None:
    horde.sim.text.fault_next(100)
    accepted = await horde.post()

    seen = []
    for _ in range(200):
        status = await horde.status(accepted["id"])
        seen.append((status["waiting"], status["processing"], status["done"], status["faulted"]))
        await horde.clock.advance(0.2)
        if status["restarted"] >= 3:
            break
    horde.sim.sweep()
    for _ in range(20):
        await horde.clock.advance(0.2)
    status = await horde.status(accepted["id"])

    assert {(1, 0, False, False), (0, 1, True, False)} <= set(seen)
    assert (status["done"], status["faulted"], status["waiting"]) == (True, True, 1)


async def test_fault_once_is_made_good(horde: Horde) -> None:
    horde.sim.text.fault_next(1)

    status = await horde.until_over((await horde.post())["id"])

    assert (status["finished"], status["restarted"], status["faulted"]) == (1, 1, False)


async def test_delete_of_waiting_jobs_leaves_done_false_for_ever(horde: Horde) -> None:
    horde.sim.text.set_workers(paused=True)
    accepted = await horde.post(params={"n": 2})

    before = await horde.delete(accepted["id"])
    await horde.clock.advance(600)
    after = await horde.status(accepted["id"])

    assert (before["waiting"], before["done"]) == (2, False)
    assert (after["waiting"], after["processing"], after["finished"], after["done"]) == (0, 0, 0, False)


async def test_delete_of_a_job_in_work_still_delivers_and_charges_it(horde: Horde) -> None:
    accepted = await horde.post(key=POOR)
    while not horde.sim.text.request(accepted["id"]).processing:
        await horde.clock.advance(0.2)

    await horde.delete(accepted["id"])
    status = await horde.until_over(accepted["id"])

    assert (status["finished"], status["done"]) == (1, True)
    assert status["kudos"] > 1


async def test_wait_time_of_a_new_worker_is_a_wild_guess(horde: Horde) -> None:
    guesses = []
    for _ in range(2):
        accepted = await horde.post(params={"max_length": 80})
        while not horde.sim.text.request(accepted["id"]).processing:
            await horde.clock.advance(0.1)
        guesses.append((await horde.status(accepted["id"]))["wait_time"])
        await horde.until_over(accepted["id"])

    assert guesses[0] > 70
    assert guesses[1] < 5


async def test_finished_text_is_forgotten_after_twenty_minutes(horde: Horde) -> None:
    accepted = await horde.post()
    await horde.until_over(accepted["id"])

    await horde.clock.advance(19 * 60)
    assert (await horde.status(accepted["id"]))["done"]
    await horde.clock.advance(3 * 60)
    assert (await horde.status(accepted["id"]))["rc"] == "RequestNotFound"


async def test_silent_worker_gives_its_job_back_after_the_deadline(horde: Horde) -> None:
    horde.sim.text.silence_next(1)
    accepted = await horde.post()

    await horde.clock.advance(100)
    assert (await horde.status(accepted["id"]))["processing"] == 1
    await horde.clock.advance(120)
    status = await horde.status(accepted["id"])

    assert (status["restarted"], status["finished"]) == (1, 1)


@pytest.mark.parametrize(
    ("params", "possible"),
    [
        pytest.param({"max_length": 512, "max_context_length": 8192}, True, id="fits"),
        pytest.param({"max_length": 1024, "max_context_length": 8192}, False, id="too-long"),
        pytest.param({"max_length": 512, "max_context_length": 16_384}, False, id="context-too-large"),
    ],
)
async def test_only_workers_with_large_enough_limits_take_a_job(
    horde: Horde, params: dict[str, int], possible: bool
) -> None:
    accepted = await horde.post(params=params)

    assert ("message" not in accepted) is possible
    assert "warnings" not in accepted
    assert (await horde.status(accepted["id"]))["is_possible"] is possible


@pytest.mark.parametrize(
    ("key", "body", "outcome"),
    [
        pytest.param(ANON, {"params": {"max_length": 513}}, "KudosUpfront", id="anonymous-too-long"),
        pytest.param(ANON, {"slow_workers": False}, "KudosUpfront", id="fast-workers-only"),
        pytest.param(RICH, {"params": {"max_length": 1024}}, 202, id="paid"),
        pytest.param(ANON, {"params": {"max_length": 1024}, "allow_downgrade": True}, 202, id="cut"),
    ],
)
async def test_upfront_kudos(horde: Horde, key: str, body: dict[str, Any], outcome: str | int) -> None:
    answer = await horde.post(key=key, **body)

    assert outcome in {answer["status"], answer.get("rc")}


async def test_downgrade_cuts_without_a_word_and_further_under_load(horde: Horde) -> None:
    horde.sim.text.set_workers(paused=True)
    lengths = []
    for queue in (0, 100, 1000):
        horde.sim.text.set_queue(queue)
        accepted = await horde.post(key=ANON, params={"max_length": 1024}, allow_downgrade=True)
        assert set(accepted) == {"status", "id", "kudos"}
        lengths.append(horde.sim.text.request(accepted["id"]).order.max_length)

    assert lengths[0] == 512
    assert 256 < lengths[1] < 512
    assert lengths[2] == 256


async def test_more_waiting_jobs_than_allowed_are_refused(horde: Horde) -> None:
    horde.sim.text.set_workers(paused=True)
    await horde.post(params={"n": 20})

    refused = await horde.post(params={"n": 11})

    assert (refused["status"], refused["rc"]) == (429, "TooManyPrompts")


async def test_who_waited_long_comes_before_the_rich_in_the_tempo_of_the_world(horde: Horde) -> None:
    horde.sim.set_workers(speed=10_000)
    horde.sim.text.set_workers(paused=True)
    patient = await horde.post(key=ANON)
    await horde.clock.advance(20)
    rich = await horde.post()
    await horde.clock.advance(2)

    assert [(await horde.status(one["id"]))["queue_position"] for one in (patient, rich)] == [1, 2]


async def test_maintenance_ends_what_waits(horde: Horde) -> None:
    horde.sim.text.set_workers(paused=True)
    accepted = await horde.post()

    horde.sim.set_maintenance()

    assert (await horde.status(accepted["id"]))["done"]
    assert (await horde.post())["rc"] == "MaintenanceMode"


async def test_status_is_limited_by_id_and_method(horde: Horde) -> None:
    first, second = (await horde.post())["id"], (await horde.post())["id"]
    horde.sim.set_rate_limits(True)

    answers = [await horde.status(first) for _ in range(61)]

    assert "done" in answers[59]
    assert answers[60] == {"message": "60 per 1 minute"}
    assert "done" in await horde.status(second)
    assert "done" in await horde.delete(first)


async def test_account_lists_its_texts(horde: Horde) -> None:
    accepted = await horde.post()

    user = await horde.call("GET", "/api/v2/find_user", headers={"apikey": RICH})

    assert user["active_generations"]["text"] == [accepted["id"]]


async def test_lists_tell_limits_and_load(horde: Horde) -> None:
    horde.sim.text.set_workers(paused=True)
    await horde.post()
    await horde.post(models=["nobody/serves-this"])
    horde.sim.forget_caches()

    models = {one["name"]: one for one in await horde.call("GET", "/api/v2/status/models?type=text")}
    workers = await horde.call("GET", "/api/v2/workers?type=text")
    performance = await horde.call("GET", "/api/v2/status/performance")

    assert (models[MODEL]["count"], models[MODEL]["jobs"], models[MODEL]["queued"]) == (1, 1.0, 120.0)
    assert (models["nobody/serves-this"]["count"], models["nobody/serves-this"]["eta"]) == (0, 10_000)
    assert [(one["max_length"], one["max_context_length"]) for one in workers] == [(512, 8192)]
    assert (performance["queued_text_requests"], performance["queued_tokens"]) == (2, 240.0)
    assert (performance["text_worker_count"], performance["text_thread_count"]) == (1, 1)


async def test_crowd_makes_the_list_of_workers_megabytes_large(horde: Horde) -> None:
    await horde.call("POST", "/sandbox/horde/text", json={"crowd": 3000})

    async with horde.session.get(f"{horde.url}/api/v2/workers?type=text") as answer:
        size = len(await answer.read())
    models = await horde.call("GET", "/api/v2/status/models?type=text")

    assert size > 2_000_000
    assert [one["name"] for one in models] == [MODEL]


async def test_control_route_pulls_every_lever(horde: Horde) -> None:
    levers = {
        "workers": {"max_length": 256, "names": ["scribe"]},
        "worker": {"models": ["koboldcpp/New"], "family": "zephyr", "max_length": 300},
        "model": {"name": "koboldcpp/New", "count": 2},
        "queue": 3,
        "fault": 1,
        "silence": 1,
        "censor": 1,
        "kind": "csam",
        "quirks": True,
        "loop": 2,
        "empty": 1,
        "impossible": False,
        "paused": True,
    }

    state = await horde.call("POST", "/sandbox/horde/text", json=levers)

    assert [(one["max_length"], one["paused"]) for one in state["workers"]] == [(256, True), (300, True), (512, True)]
    assert state["background_length"] == state["waiting"] == 3
    plans = horde.sim.world.text.plans
    assert (plans.faults, plans.silences, len(plans.quirks), list(plans.censorships)) == (1, 1, 3, ["csam"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"nonsense": 1}, id="lever"),
        pytest.param({"workers": {"colour": 1}}, id="feature"),
        pytest.param({"worker": {"models": ["x"], "family": "klingon"}}, id="family"),
        pytest.param({"expire": "nobody"}, id="request"),
    ],
)
async def test_control_route_refuses_nonsense(horde: Horde, body: dict[str, Any]) -> None:
    assert "error" in await horde.call("POST", "/sandbox/horde/text", json=body)


async def test_answers_are_untidy_now_and_then(horde: Horde) -> None:
    horde.sim.text.set_quirks(True)
    texts = []
    for _ in range(6):
        status = await horde.until_over((await horde.post("Repeat after me: Moo."))["id"])
        texts.append(status["generations"][0]["text"])

    assert set(texts) == {"Moo.", "  Moo.", "Moo.<|im_end|>", "Assistant: Moo."}


async def test_model_a_test_made_up_understands_its_family(horde: Horde) -> None:
    horde.sim.text.add_worker(["koboldcpp/New"], family="vicuna")
    payload = {"prompt": "USER: Repeat after me: Moo. ASSISTANT:", "models": ["koboldcpp/New"]}
    accepted = await horde.call("POST", "/api/v2/generate/text/async", json=payload, headers={"apikey": RICH})

    status = await horde.until_over(accepted["id"])

    assert [one["text"] for one in status["generations"]] == ["Moo."]


async def test_every_default_worker_serves_a_model_with_a_known_family() -> None:
    text = HordeSim(ManualClock()).world.text

    assert len(text.hall.models) > 20
    assert {scribe.max_length for scribe in text.hall.scribes} > {256, 512, 1024}
