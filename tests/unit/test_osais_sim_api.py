from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import wave
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from bot.sandbox.osais import Verdict
from bot.sandbox.osais.engines import KINDS, Kind, load_engine
from bot.sandbox.osais.making import make
from tests.unit.osais_listener import NOTIFY, PUBLIC, UPLOAD, Stage, open_stage


def png(size: tuple[int, int] = (48, 32), colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


async def source(_: web.Request) -> web.Response:
    return web.Response(body=png(), content_type="image/png")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage(extra=[web.get("/source.png", source)]) as stage:
        yield stage


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        pytest.param({"token": None}, 400, {"statusText": "Token required"}, id="no token"),
        pytest.param({"secret": ""}, 400, {"statusText": "Secret required"}, id="no secret"),
        pytest.param({"secret": "x"}, 401, {"message": "Invalid secret"}, id="wrong secret"),
        pytest.param({"token": "x"}, 404, {"message": "Could not find client"}, id="unknown token"),
    ],
)
async def test_a_login_is_refused_as_documented(
    stage: Stage, change: dict[str, object], status: int, said: dict[str, str]
) -> None:
    pair = {"token": stage.sim.token, "secret": stage.sim.secret}
    got = await stage.call("POST", "public/client/login", {**pair, **change})
    assert got == (status, {"data": None, "status": status, **said})


async def test_a_bearer_dies_after_three_days(stage: Stage) -> None:
    assert (await stage.call("PATCH", "private/client/notify", {}))[0] == 200
    await stage.clock.advance(72 * 3600)
    assert (await stage.call("PATCH", "private/client/notify", {}))[0] == 401


@pytest.mark.parametrize(
    ("bearer", "name"), [pytest.param("", "no-bearer", id="none"), pytest.param("x", "bad-bearer", id="forged")]
)
async def test_private_routes_want_a_bearer_and_the_assumed_status_can_be_changed(
    stage: Stage, bearer: str, name: str
) -> None:
    for method, path in (("PATCH", "notify"), ("POST", "ai/ping"), ("GET", "request/1")):
        assert (await stage.call(method, f"private/client/{path}", {}, bearer=bearer))[0] == 401
    stage.sim.set_status(name, 403)
    assert (await stage.call("GET", "private/client/request/1", bearer=bearer))[0] == 403


async def test_a_patch_keeps_what_it_does_not_name(stage: Stage) -> None:
    _, body = await stage.call("PATCH", "private/client/notify", {"domain": "test.com"})
    assert body["data"]["domain"] == "http://test.com"
    assert (body["data"]["uriNotify"], body["data"]["uriUpload"]) == (NOTIFY, UPLOAD)


async def test_the_first_acknowledged_notification_validates_a_client(stage: Stage) -> None:
    stage.sim.play_next("silence-after-start")
    await stage.submit()
    _, before = await stage.call("PATCH", "private/client/notify", {})
    await stage.pass_time(3)
    _, after = await stage.call("PATCH", "private/client/notify", {})
    assert (before["data"]["validated_at"], bool(after["data"]["validated_at"])) == (None, True)


async def test_nothing_is_sent_to_a_client_without_an_address(stage: Stage) -> None:
    stage.sim.client.domain = ""
    uid = await stage.submit()
    await stage.pass_time(10)
    assert {one.verdict for one in stage.sim.deliveries} == {Verdict.LOST}
    assert len((await stage.check(uid))["response"]) == 4


@pytest.mark.parametrize("name", sorted(KINDS))
async def test_an_engine_shows_its_config_to_anybody_and_wants_it_cached(stage: Stage, name: str) -> None:
    async with stage.session.get(f"{stage.url}/api/v1/public/config/{name}") as answer:
        config = (await answer.json())["data"]
        assert "max-age=31557600" in answer.headers["Cache-Control"]
    assert config["engine"] == name
    assert {"version", "name", "description", "isFree", "requiresGPU", "aParam"} <= set(config)


async def test_an_engine_can_show_the_older_generation_of_its_config(stage: Stage) -> None:
    stage.sim.set_config("ping", "v1.2.0")
    _, body = await stage.call("GET", "public/config/ping")
    assert body["data"]["version"] == "1.2.0"
    with pytest.raises(ValueError, match="no config"):
        stage.sim.set_config("ping", "v9")


@pytest.mark.parametrize(
    ("engine", "params", "status"),
    [
        pytest.param("midjourney", {}, 404, id="unknown engine"),
        pytest.param("diffusion", {}, 400, id="no word"),
        pytest.param("diffusion", {"word": ""}, 400, id="empty word"),
        pytest.param("diffusion", {"word": "x", "steps": "many"}, 400, id="steps that are no number"),
        pytest.param("diffusion", {"word": "x", "steps": True}, 400, id="steps that are a boolean"),
        pytest.param("cnet", {"word": "x"}, 400, id="mandatory without default"),
        pytest.param("diffusion", [], 400, id="no object"),
    ],
)
async def test_a_call_an_engine_cannot_take_is_refused(stage: Stage, engine: str, params: object, status: int) -> None:
    got, body = await stage.call("POST", f"private/client/ai/{engine}", params)
    assert (got, body["data"], body["status"]) == (status, None, status)
    assert stage.sim.requests == {}


async def test_a_submit_without_a_client_token_is_refused_as_documented(stage: Stage) -> None:
    stage.sim.remove_client()
    got = await stage.call("POST", "private/client/ai/ping", {})
    assert got == (400, {"data": None, "status": 400, "statusText": "A client token is required"})


async def test_defaults_are_filled_in_and_oddities_noted(stage: Stage) -> None:
    uid = await stage.submit(width=500, uid=7, colour="red", steps=900)
    request = stage.sim.requests[uid]
    assert request.params["guidance"] == 7.5
    assert isinstance(request.params["seed"], int)
    assert "uid" not in request.params
    assert len(request.oddities) == 5  # the height of the tests is odd as well


@pytest.mark.parametrize("name", ["diffusion", "gfpgan"])
def test_a_tidy_call_has_no_oddities(name: str) -> None:
    given = {"diffusion": {"word": "x", "seed": 5, "cimg": 4, "steps": 20}, "gfpgan": {"url_upload": "u", "res": 2}}
    assert list(load_engine(name).oddities(given[name])) == []


async def test_uids_are_whole_seconds_and_never_the_same(stage: Stage) -> None:
    uids = [await stage.submit() for _ in range(3)]
    assert [uid % 1000 for uid in uids] == [0, 0, 0]
    assert len(set(uids)) == 3
    frozen = await asyncio.gather(
        *(stage.call("POST", "private/client/ai/coquitts", {"word": "hello"}) for _ in range(2))
    )
    first, second = sorted(body["data"]["uid"] for _, body in frozen)
    assert second == first + 1000


async def test_a_check_grows_with_the_files_and_ends(stage: Stage) -> None:
    uid = await stage.submit(cimg=2)
    running = await stage.check(uid)
    assert (running["response"], "ended_at" in running) == ([], False)
    await stage.pass_time(4.5)
    assert (len((await stage.check(uid))["response"]), "ended_at" in await stage.check(uid)) == (1, False)
    await stage.pass_time(5)
    ended = await stage.check(uid)
    assert ended["ended_at"].endswith("Z")
    for shown, sha in zip(ended["response"], stage.sim.made[uid], strict=True):
        async with stage.session.get(shown["filename"]) as answer:
            assert answer.content_type == "image/png"
            assert hashlib.sha256(await answer.read()).hexdigest() == sha


async def test_somebody_elses_request_is_nobodys_business(stage: Stage) -> None:
    got = await stage.call("GET", f"private/client/request/{stage.sim.foreign_request()}")
    assert got == (403, {"data": None, "status": 403, "statusText": "Not your request, access denied"})


async def test_a_check_can_have_peculiarities(stage: Stage) -> None:
    stage.sim.play_next("poll-nulls")
    assert (await stage.check(await stage.submit()))["ended_at"] is None
    stage.sim.play_next("poll-unknown-first")
    uid = await stage.submit()
    path = f"private/client/request/{uid}"
    assert [(await stage.call("GET", path))[0] for _ in range(3)] == [404, 404, 200]
    stage.sim.play_next("poll-s3-names")
    uid = await stage.submit()
    await stage.pass_time(10)
    assert (await stage.check(uid))["response"][0]["filename"] == f"s3://osais/output/{uid}_0334.png"


async def test_a_source_is_loaded_through_the_map_and_copied(stage: Stage) -> None:
    uid = await stage.submit("ping", url_upload=f"{PUBLIC}/source.png", width=64, height=64)
    await stage.pass_time(6)
    params = (await stage.check(uid))["params"]
    async with stage.session.get(params["url"]) as answer:
        assert await answer.read() == png()
    returned = Image.open(io.BytesIO(stage.sim.requests[uid].files[0].data))
    assert (returned.size, returned.getpixel((3, 3))) == ((64, 64), (255, 0, 0))


@pytest.mark.parametrize("address", [f"{PUBLIC}/gone.png", "https://example.com/picture.png"])
async def test_a_source_that_cannot_be_loaded_ends_in_an_error(stage: Stage, address: str) -> None:
    uid = await stage.submit("ping", url_upload=address)
    await stage.pass_time(6)
    assert [number for _, number in stage.listener.stages] == [1, -1]
    assert "ended_at" in await stage.check(uid)


@pytest.mark.parametrize("engine", sorted(KINDS))
async def test_every_engine_makes_a_file_of_its_kind(engine: str) -> None:
    kind = KINDS[engine]
    for given in (None, png((300, 280))):
        data = await make(engine, kind, {"word": "two words", "res": 1}, given, index=0, title="t")
        again = await make(engine, kind, {"word": "two words", "res": 1}, given, index=1, title="u")
        match kind:
            case Kind.PNG:
                Image.open(io.BytesIO(data)).load()
                assert data != again
            case Kind.WAV:
                with wave.open(io.BytesIO(data)) as sound:
                    assert sound.getnframes() > sound.getframerate() / 4
            case Kind.MP4:
                assert (data[4:12], b"moov" in data, b"av01" in data, b"vide" in data) == (
                    b"ftypisom", True, True, True,
                )  # fmt: skip
                assert b"avif" not in data


async def test_rembg_cuts_out_and_gfpgan_enlarges() -> None:
    image = Image.new("RGB", (40, 40), "white")
    image.paste((200, 0, 0), (10, 10, 30, 30))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    cut = Image.open(io.BytesIO(await make("rembg", Kind.PNG, {}, buffer.getvalue(), index=0, title="")))
    assert (cut.mode, cut.getpixel((1, 1))[3], cut.getpixel((20, 20))[3]) == ("RGBA", 0, 255)  # type: ignore[index]
    large = Image.open(io.BytesIO(await make("gfpgan", Kind.PNG, {"res": 2}, buffer.getvalue(), index=0, title="")))
    assert large.size == (80, 80)


async def test_the_same_seed_gives_the_same_client() -> None:
    async with open_stage() as one, open_stage() as other:
        assert (one.sim.token, one.sim.secret) == (other.sim.token, other.sim.secret)
        assert len(one.sim.token) == 64
        assert one.sim.token != one.sim.stranger.token


async def control(stage: Stage, method: str, path: str, body: object = None) -> tuple[int, Any]:
    async with stage.session.request(method, f"{stage.url}/sandbox/osais/{path}", json=body) as answer:
        return answer.status, await answer.json()


async def test_the_control_api_pulls_every_lever(stage: Stage) -> None:
    _, scenarios = await control(stage, "GET", "scenarios")
    assert "urlencoded" in scenarios
    for path, body in {
        "scenario": {"names": ["one-file", "urlencoded"]},
        "speed": {"speed": 4},
        "hold": {"stage": 5},
        "status": {"name": "patched", "status": 201},
        "config": {"engine": "gfpgan", "version": "v1.0.3"},
    }.items():
        assert await control(stage, "POST", path, body) == (200, {"ok": True})
    uid = await stage.submit()
    await stage.pass_time(3)
    assert (await control(stage, "GET", "made"))[1] == {str(uid): stage.sim.made[uid]}
    assert (await control(stage, "GET", "state"))[1]["requests"][0]["engine"] == "diffusion"
    assert (await control(stage, "POST", "notify", {"uid": uid, "stage": 2}))[1]["verdict"] == "acknowledged"
    upload = {"uid": uid, "base64": base64.b64encode(png()).decode()}
    assert (await control(stage, "POST", "upload", upload))[1]["verdict"] == "acknowledged"
    assert len((await control(stage, "GET", "deliveries"))[1]) == 7
    assert (await control(stage, "GET", "invalid"))[1] == []
    for path in ("release", "expire-bearers", "foreign-request", "remove-client"):
        assert (await control(stage, "POST", path, {}))[0] == 200
    assert await control(stage, "POST", "secret", {"secret": "new"}) == (200, {"ok": True})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("scenario", {"names": ["nonsense"]}, id="unknown scenario"),
        pytest.param("scenario", {"names": "nominal"}, id="names that are no list"),
        pytest.param("scenario", {}, id="nothing said"),
        pytest.param("status", {"name": "x", "status": 200}, id="unknown status"),
        pytest.param("speed", {"speed": 0}, id="standing still"),
        pytest.param("upload", {"uid": 1, "base64": "?"}, id="no base64"),
    ],
)
async def test_the_control_api_refuses_nonsense(stage: Stage, path: str, body: object) -> None:
    status, answer = await control(stage, "POST", path, body)
    assert status == 400
    assert answer["error"]
