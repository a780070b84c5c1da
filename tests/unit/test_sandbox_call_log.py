from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import BodyPartReader, FormData, web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.bodies import summarise
from bot.sandbox.call_log import CallLog
from bot.sandbox.control import Service, service_of
from bot.sandbox.marks import mark, mask_path
from bot.sandbox.world import WorldClock

Client = TestClient[web.Request, web.Application]

REQUEST_ID = "12345678-1234-1234-1234-123456789abc"


@pytest.fixture
def log() -> CallLog:
    return CallLog(WorldClock(rate=0.0), capacity=3)


@pytest.fixture
async def client(log: CallLog) -> AsyncIterator[Client]:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/refused"):
            raise web.HTTPForbidden
        if request.content_type.startswith("multipart/"):
            reader = await request.multipart()
            sizes = [len(await part.read()) async for part in reader if isinstance(part, BodyPartReader)]
            return web.json_response({"id": str(sizes)})
        return web.json_response({"id": REQUEST_ID})

    app = web.Application(middlewares=[log.middleware])
    app.add_routes([*log.control_routes(), web.route("*", "/api/{rest:.*}", answer)])
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_a_call_tells_what_was_asked_and_what_came_of_it(client: Client, log: CallLog) -> None:
    await client.post("/api/v2/generate/async", json={"prompt": "ship", "n": 2}, headers={"apikey": "0000000000"})
    [call] = log.find()
    assert (call.service, call.method, call.path, call.status) == (
        Service.HORDE,
        "POST",
        "/api/v2/generate/async",
        200,
    )
    assert call.request == {"prompt": "ship", "n": 2}
    assert (call.remote_id, call.credential, call.fault) == (REQUEST_ID, "anonymous", None)


async def test_secrets_are_marked_everywhere(client: Client, log: CallLog) -> None:
    await client.patch(
        "/api/v10/webhooks/42/s3cret/messages/@original",
        json={"webhook": "https://example.org/s3cret", "nested": [{"token": "s3cret"}]},
        headers={"Authorization": "Bot s3cret"},
    )
    [call] = log.find()
    assert "s3cret" not in str(call.to_dict())
    assert call.path == f"/api/v10/webhooks/42/{mark('s3cret')}/messages/@original"
    assert call.credential == f"Bot {mark('s3cret')}"


async def test_an_upload_shows_its_json_and_reaches_the_service(client: Client, log: CallLog) -> None:
    form = FormData()
    form.add_field("payload_json", '{"content": "done"}')
    form.add_field("files[0]", b"\x00" * 300_000, filename="a.webp")
    answer = await client.patch("/api/v10/webhooks/42/t/messages/@original", data=form)
    assert (await answer.json())["id"] == "[19, 300000]"
    assert log.find()[0].request == {"content": "done"}


async def test_a_refusal_is_a_call_too(client: Client, log: CallLog) -> None:
    await client.get("/api/v10/refused")
    assert [call.status for call in log.find()] == [403]


async def test_a_call_whose_job_becomes_known_is_news_again(client: Client, log: CallLog) -> None:
    await client.post("/api/v2/generate/async", json={"prompt": "ship"})
    await client.get("/api/v10/users/@me")
    log.links.logged(f"action=job.submitted job_id=abc remote_id={REQUEST_ID}")
    assert [(call.number, call.job) for call in log.newest(log.recorded)] == [(1, None), (2, None), (1, "abc")]
    answer = await client.get("/sandbox/calls?job=abc")
    assert [(call["number"], call["about"]) for call in await answer.json()] == [(1, [f"remote:{REQUEST_ID}"])]


async def test_only_the_last_calls_are_kept(client: Client, log: CallLog) -> None:
    for number in range(5):
        await client.get(f"/api/v2/{number}")
    assert [call.path for call in log.find()] == ["/api/v2/2", "/api/v2/3", "/api/v2/4"]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        pytest.param("", ["/api/v2/a", "/api/v10/b", "/api/v2/c"], id="all"),
        pytest.param("?service=horde", ["/api/v2/a", "/api/v2/c"], id="service"),
        pytest.param("?since=2", ["/api/v2/c"], id="since"),
        pytest.param("?path=/b$", ["/api/v10/b"], id="path"),
        pytest.param("?method=post", ["/api/v2/c"], id="method"),
    ],
)
async def test_calls_are_filtered(client: Client, query: str, paths: list[str]) -> None:
    await client.get("/api/v2/a")
    await client.get("/api/v10/b")
    await client.post("/api/v2/c")
    answer = await client.get(f"/sandbox/calls{query}")
    assert [call["path"] for call in await answer.json()] == paths


@pytest.mark.parametrize("query", ["?since=x", "?service=post", "?path=("])
async def test_a_bad_filter_is_refused_with_a_sentence(client: Client, query: str) -> None:
    answer = await client.get(f"/sandbox/calls{query}")
    assert answer.status == 400
    assert (await answer.json())["error"]


def test_signatures_of_links_are_marked() -> None:
    masked = mask_path("/attachments/1/2/a.webp?ex=65&hm=s3cret&X-Amz-Signature=s3cret")
    assert masked == f"/attachments/1/2/a.webp?ex=65&hm={mark('s3cret')}&X-Amz-Signature={mark('s3cret')}"


def test_a_summary_shortens_what_is_long() -> None:
    summary = summarise({"source_image": "A" * 9000, "names": ["x"] * 50, "n": 4})
    assert isinstance(summary, dict)
    assert len(summary["source_image"]) < 500
    assert summary["names"][-1] == "… (50 items)"
    assert summary["n"] == 4


@pytest.mark.parametrize(
    ("path", "service"),
    [
        pytest.param("/api/v10/users/@me", Service.DISCORD, id="discord"),
        pytest.param("/api/v2/generate/async", Service.HORDE, id="horde"),
        pytest.param("/attachments/1/2/a.png", Service.MEDIA, id="cdn"),
        pytest.param("/gateway", Service.GATEWAY, id="gateway"),
        pytest.param("/api/v20", None, id="lookalike"),
        pytest.param("/sandbox/calls", None, id="control"),
        pytest.param("/", None, id="page"),
    ],
)
def test_services_are_told_apart_by_path(path: str, service: Service | None) -> None:
    assert service_of(path) is service
