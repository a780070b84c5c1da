"""Every payload of OSAIS that is known, replayed against the simulator: same status, keys, types and words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.osais import Verdict
from bot.sandbox.osais.engines import load_engine
from bot.sandbox.osais.plays import Notify, nominal
from bot.sandbox.osais.runner import notify_message
from bot.sandbox.outgoing import AddressMap
from tests.unit.osais_listener import Stage, open_stage

DATA = Path(__file__).parent.parent / "data" / "osais"
CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))}
#: Recordings of a leg that the simulator does not play: an AI talks to OSAIS there.
OTHER_LEG = {"ai_side_notifications", "ai_side_upload"}
PLACEHOLDER = "0123456789abcdef" * 4


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async def picture(_: web.Request) -> web.Response:
        return web.Response(status=404)

    async with open_stage(extra=[web.get("/picture.png", picture)]) as stage:
        mapping = stage.sim.outgoing.mapping
        assert isinstance(mapping, AddressMap)
        mapping.add("https://example.com", stage.url)
        yield stage


def shape(value: Any) -> Any:
    """Keys and types, with all numbers alike and a list by its first member."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def path_of(case: Mapping[str, Any]) -> str:
    return str(case["url"]).partition("/api/v1/")[2]


async def test_login_is_answered_as_recorded(stage: Stage) -> None:
    request = CASES["login_request"]
    assert path_of(request) == "public/client/login"
    pair = dict(zip(request["body"], (stage.sim.token, stage.sim.secret), strict=True))
    recorded = CASES["login_201"]
    status, body = await stage.call("POST", path_of(request), pair, bearer="")
    assert (status, shape(body)) == (recorded["status"], shape(recorded["body"]))
    assert (body["data"]["token"], body["data"]["duration"]) == (stage.sim.token, recorded["body"]["data"]["duration"])


@pytest.mark.parametrize(
    ("case", "pair"),
    [
        pytest.param("login_400_missing_fields", {}, id="400"),
        pytest.param("login_401_bad_secret", {"token": "OWN", "secret": "x"}, id="401"),
        pytest.param("login_404_unknown_token", CASES["login_request"]["body"], id="404"),
    ],
)
async def test_login_is_refused_as_recorded(stage: Stage, case: str, pair: dict[str, str]) -> None:
    if pair.get("token") == "OWN":
        pair = {**pair, "token": stage.sim.token}
    status, body = await stage.call("POST", "public/client/login", pair, bearer="")
    assert (status, body) == (CASES[case]["status"], CASES[case]["body"])


async def test_a_patch_is_answered_as_recorded(stage: Stage) -> None:
    request, recorded = CASES["notify_params_patch_request"], CASES["notify_params_patch_ok"]
    await stage.sim.notify(1, 2)
    _, body = await stage.call(request["method"], path_of(request), request["body"])
    assert shape(body) == shape(recorded["body"])
    assert body["data"]["domain"] == "http://test.com"


@pytest.mark.parametrize("case", ["ai_ping_request", "ai_diffusion_request"])
async def test_a_call_of_an_ai_is_accepted_as_recorded(stage: Stage, case: str) -> None:
    request, recorded = CASES[case], CASES["ai_accepted"]
    status, body = await stage.call(request["method"], path_of(request), request["body"])
    assert (status, shape(body)) == (201, shape(recorded["body"]))
    assert recorded["body"]["data"]["uid"] % 1000 == body["data"]["uid"] % 1000 == 0
    assert stage.sim.requests[body["data"]["uid"]].oddities == ()


async def test_a_call_without_a_client_token_is_refused_as_recorded(stage: Stage) -> None:
    stage.sim.remove_client()
    recorded = CASES["ai_400_no_client_token"]
    assert await stage.call("POST", "private/client/ai/ping", {}) == (recorded["status"], recorded["body"])


async def test_a_finished_request_is_shown_as_recorded(stage: Stage) -> None:
    recorded = CASES["request_check_completed"]["body"]["data"]
    asked = {key: value for key, value in recorded["params"].items() if key in load_engine("diffusion").parameters}
    uid = await stage.submit(**asked)
    await stage.pass_time(10)
    shown = await stage.check(uid)
    # The recorded request had a source picture, whose copy is `url`.
    theirs = {key: value for key, value in recorded["params"].items() if key != "url"}
    assert shape({**shown, "params": shape(theirs)}) == shape({**recorded, "params": shape(theirs)})
    assert theirs.keys() <= shown["params"].keys()
    assert shown["response"][0]["filename"].startswith(f"{stage.url}/uploads/ai/{uid}")


async def test_a_foreign_request_is_refused_as_recorded(stage: Stage) -> None:
    recorded = CASES["request_check_403"]
    got = await stage.call("GET", f"private/client/request/{stage.sim.foreign_request()}")
    assert got == (recorded["status"], recorded["body"])


async def test_a_notification_is_written_as_recorded(stage: Stage) -> None:
    recorded = CASES["callback_notify_doc_stage2"]["body"]
    uid = await stage.submit("coquitts", word="hello")
    message = notify_message(stage.sim.requests[uid], Notify(stage=2, descr="AI started"))
    ours = {**message.fields, "token": PLACEHOLDER, "uid": recorded["uid"], "engine": recorded["engine"]}
    assert {key: ours[key] for key in recorded} == recorded
    assert ours.keys() - recorded.keys() == {"username"}


async def test_the_recorded_acknowledgement_is_one(stage: Stage) -> None:
    recorded = CASES["callback_ack"]["body"]["data"]

    def as_recorded(_: web.Response) -> web.Response:
        return web.json_response({"data": dict(zip(recorded, (stage.sim.token, recorded["uid"]), strict=True))})

    stage.listener.bend = as_recorded
    assert (await stage.sim.notify(recorded["uid"], 2)).verdict is Verdict.ACKNOWLEDGED


def test_stages_and_texts_are_those_an_ai_sends() -> None:
    sent = [one["response"] for one in CASES["ai_side_notifications"]["sequence"]]
    ours = [step for step in nominal(1, cost_ms=4210, seed=0).steps if isinstance(step, Notify) and step.stage]
    assert [(step.stage, step.descr) for step in ours] == [(int(one["stage"]), one["descr"]) for one in sent]


@pytest.mark.parametrize(
    ("case", "version"),
    [
        pytest.param("public_config_gfpgan_doc_partial", "v1.0.3", id="gfpgan"),
        pytest.param("public_config_diffusion_doc_partial", "", id="diffusion"),
    ],
)
async def test_a_config_is_shown_as_recorded(stage: Stage, case: str, version: str) -> None:
    recorded = CASES[case]["body"]["data"]
    name = recorded["engine"]
    stage.sim.set_config(name, version)
    status, body = await stage.call("GET", f"public/config/{name}", bearer="")
    ours = body["data"]
    assert status == CASES[case]["status"]
    assert list(ours) == list(recorded)
    if name == "gfpgan":
        assert {**ours, "aParam": ours["aParam"][:2]} == recorded
        return
    # The documented version is newer than the published file; what both have is of the same type and duty.
    known = {one["in"]: one for one in ours["aParam"]}
    for parameter in recorded["aParam"]:
        assert {key: known[parameter["in"]][key] for key in ("type", "isMandatory", "default")} == {
            key: parameter[key] for key in ("type", "isMandatory", "default")
        }


def test_every_recording_is_replayed_or_of_another_leg() -> None:
    assert len(CASES) == 19
    mine = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in CASES if name not in mine] == []
    assert set(CASES) >= OTHER_LEG
