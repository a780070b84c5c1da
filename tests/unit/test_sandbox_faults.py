from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.call_log import CallLog
from bot.sandbox.control import Service
from bot.sandbox.faults import Faults
from bot.sandbox.world import WorldClock

Client = TestClient[web.Request, web.Application]

HORDE_PATH = "/api/v2/generate/async"
DISCORD_PATH = "/api/v10/webhooks/1/secret-token/messages/@original"


class Services:
    """A Horde and a Discord of one route each that count what reaches them."""

    def __init__(self) -> None:
        self.clock = WorldClock(rate=0.0)
        self.faults = Faults(self.clock)
        self.calls = CallLog(self.clock)
        self.handled: list[str] = []

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.calls.middleware, self.faults.middleware])
        app.add_routes([*self.faults.control_routes(), *self.calls.control_routes()])
        app.add_routes([web.route("*", "/api/{rest:.*}", self._answer), web.get("/sandbox/other", self._answer)])
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.handled.append(request.method)
        return web.json_response({"id": "12345678-1234-1234-1234-123456789abc", "handled": request.method})


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Client]:
    async with TestClient(TestServer(services.app())) as client:
        yield client
        services.faults.clear()


async def arm(client: Client, **fault: object) -> None:
    async with client.post("/sandbox/faults", json=fault) as answer:
        assert answer.status == 201, await answer.text()


async def test_respond_answers_instead_of_the_service_and_only_as_often_as_told(
    client: Client, services: Services
) -> None:
    await arm(client, service="horde", method="post", times=2, status=503)
    statuses = [(await client.post(HORDE_PATH)).status for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert services.handled == ["POST"]


@pytest.mark.parametrize(
    ("fault", "met"),
    [
        pytest.param({"service": "horde"}, True, id="service"),
        pytest.param({"service": "discord"}, False, id="other service"),
        pytest.param({"service": "horde", "method": "GET"}, False, id="other method"),
        pytest.param({"service": "horde", "path": "generate/async$"}, True, id="path"),
        pytest.param({"service": "horde", "path": "^/generate"}, False, id="other path"),
        pytest.param({"service": "horde", "body_matches": '"n":4'}, True, id="body"),
        pytest.param({"service": "horde", "body_matches": "ünlike"}, False, id="other body"),
    ],
)
async def test_a_fault_meets_only_what_matches(client: Client, fault: dict[str, object], met: bool) -> None:
    await arm(client, **fault)
    answer = await client.post(HORDE_PATH, json={"n": 4, "prompt": "ship"})
    assert (answer.status == 503) is met


async def test_a_multipart_upload_is_matched_by_its_json(client: Client) -> None:
    await arm(client, service="discord", body_matches="▰", status=500)
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "▰▱"}), content_type="application/json")
    form.add_field("files[0]", b"\x00\xe2\x96\xb0", filename="a.webp", content_type="image/webp")
    assert (await client.patch(DISCORD_PATH, data=form)).status == 500


@pytest.mark.parametrize(
    ("service", "path", "content_type"),
    [
        pytest.param("discord", DISCORD_PATH, "application/json", id="discord"),
        pytest.param("horde", HORDE_PATH, "application/json; charset=utf-8", id="horde"),
    ],
)
async def test_scripted_answers_have_the_exact_content_type(
    client: Client, service: str, path: str, content_type: str
) -> None:
    await arm(client, service=service, status=400, body={"message": "no"})
    answer = await client.post(path)
    assert answer.headers["Content-Type"] == content_type
    assert json.loads(await answer.text()) == {"message": "no"}


async def test_a_429_of_discord_is_one_that_clients_honour(client: Client) -> None:
    await arm(client, service="discord", status=429, headers={"Retry-After": "2"})
    answer = await client.get(DISCORD_PATH)
    assert answer.headers["Via"]
    assert (await answer.json())["retry_after"] == 2.0


async def test_bytes_can_be_scripted(client: Client) -> None:
    encoded = base64.b64encode(b"RIFF\xff").decode()
    await arm(client, service="media", status=200, body_base64=encoded)
    answer = await client.get("/horde-transient/a.webp")
    assert answer.content_type == "image/webp"
    assert await answer.read() == b"RIFF\xff"


async def test_reset_cuts_the_connection_before_anything_is_done(client: Client, services: Services) -> None:
    await arm(client, service="discord", action="reset")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await client.patch(DISCORD_PATH, json={})
    assert services.handled == []


async def test_reset_after_does_it_and_cuts_the_connection(client: Client, services: Services) -> None:
    await arm(client, service="discord", action="reset_after")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await client.patch(DISCORD_PATH, json={})
    assert services.handled == ["PATCH"]


async def test_truncate_cuts_the_connection_in_the_middle_of_the_answer(client: Client, services: Services) -> None:
    await arm(client, service="horde", action="truncate")
    answer = await client.post(HORDE_PATH)
    with pytest.raises(aiohttp.ClientPayloadError):
        await answer.read()
    assert services.handled == ["POST"]


async def test_garbage_is_answered_as_if_it_were_json(client: Client) -> None:
    await arm(client, service="discord", action="garbage")
    answer = await client.get(DISCORD_PATH)
    assert (answer.status, answer.content_type) == (200, "application/json")
    with pytest.raises(ValueError):  # noqa: PT011 - whatever a parser says to garbage
        json.loads(await answer.read())


async def test_hang_never_answers_until_the_faults_are_cleared(client: Client, services: Services) -> None:
    await arm(client, service="horde", action="hang")
    hanging = asyncio.create_task(client.get(HORDE_PATH))
    await until(lambda: bool(services.faults._armed[1].met))
    assert not hanging.done()
    assert (await client.delete("/sandbox/faults")).status == 204
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await hanging


async def test_swallow_answers_as_if_it_had_been_done(client: Client, services: Services) -> None:
    await arm(client, service="discord", method="PATCH", action="swallow")
    answer = await client.patch(DISCORD_PATH, json={"content": "the end"})
    assert (await answer.json())["handled"] == "GET"
    assert services.handled == ["GET"]
    assert [call.method for call in services.calls.find()] == ["PATCH"]


async def test_a_delay_is_in_world_time(client: Client, services: Services) -> None:
    await arm(client, service="horde", status=200, body={}, delay=3600)
    delayed = asyncio.create_task(client.get(HORDE_PATH))
    await until(lambda: bool(services.faults._armed[1].met))
    services.clock.advance(3600)
    assert (await delayed).status == 200


async def test_the_control_api_is_never_disturbed(client: Client) -> None:
    await arm(client, service="horde", times=None)
    await arm(client, service="discord", times=None)
    assert (await client.get("/sandbox/other")).status == 200


async def test_faults_are_listed_and_removed(client: Client) -> None:
    await arm(client, service="horde", times=None, path="check")
    [listed] = await (await client.get("/sandbox/faults")).json()
    assert (listed["id"], listed["met"], listed["times"], listed["path"]) == (1, 0, None, "check")
    assert (await client.delete("/sandbox/faults/1")).status == 204
    assert (await client.delete("/sandbox/faults/1")).status == 404
    assert await (await client.get("/sandbox/faults")).json() == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({}, id="no service"),
        pytest.param({"service": "post office"}, id="unknown service"),
        pytest.param({"service": "horde", "action": "explode"}, id="unknown action"),
        pytest.param({"service": "horde", "path": "("}, id="bad pattern"),
        pytest.param({"service": "horde", "times": 0}, id="no times"),
        pytest.param({"service": "horde", "status": 99}, id="bad status"),
        pytest.param({"service": "horde", "stauts": 500}, id="misspelt"),
        pytest.param({"service": "horde", "body_base64": "§"}, id="not base64"),
        pytest.param({"service": "horde", "headers": "x"}, id="headers not an object"),
    ],
)
async def test_a_bad_fault_is_refused_with_a_sentence(client: Client, fault: dict[str, object]) -> None:
    answer = await client.post("/sandbox/faults", json=fault)
    assert answer.status == 400
    assert (await answer.json())["error"]


async def test_a_fault_shows_in_the_call_log(client: Client, services: Services) -> None:
    await arm(client, service="horde", action="reset")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await client.post(HORDE_PATH)
    [call] = services.calls.find(service=Service.HORDE)
    assert (call.fault, call.status) == ("reset", None)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.005)
