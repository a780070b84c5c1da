from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.call_log import CallLog
from bot.sandbox.control import Service, service_of
from bot.sandbox.marks import mark, mask_callback
from bot.sandbox.outgoing import AddressMap, Outgoing, locate
from bot.sandbox.serve import HORDE, OSAIS, Sandbox
from bot.sandbox.world import WorldClock

MAP = AddressMap({"https://muster.test": "http://127.0.0.1:8080"})
LONG = "a-long-and-unguessable-segment"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        pytest.param("https://muster.test/cb/x?y=1", "http://127.0.0.1:8080/cb/x?y=1", id="below"),
        pytest.param("https://muster.test//cb", "http://127.0.0.1:8080//cb", id="slash too many"),
        pytest.param("https://muster.test", "http://127.0.0.1:8080", id="itself"),
        pytest.param("http://127.0.0.1:5/x", "http://127.0.0.1:5/x", id="loopback"),
        pytest.param("http://localhost:5/x", "http://localhost:5/x", id="localhost"),
        pytest.param("https://muster.test.evil.example/x", None, id="another host"),
        pytest.param("https://example.org/x", None, id="the internet"),
        pytest.param("/x", None, id="no host"),
    ],
)
def test_an_address_is_found_where_it_is_mapped(url: str, place: str | None) -> None:
    assert locate(MAP, url) == place


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        pytest.param("https://muster.test", "PUBLIC=LOCAL", id="one address"),
        pytest.param("muster.test=http://127.0.0.1:1", "muster.test", id="no scheme"),
        pytest.param("https://muster.test=http://example.org", "not on this machine", id="far away"),
    ],
)
def test_a_bad_map_is_explained(item: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        AddressMap.parse([item])


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async def answer(request: web.Request) -> web.Response:
        if "slow" in request.path:
            await request.read()
            raise web.HTTPFound("https://example.org")
        return web.json_response({"data": {"token": "t0ken", "uid": 7}, "host": request.host})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


async def test_a_call_is_logged_with_its_answer_and_without_secrets(server: TestServer) -> None:
    log = CallLog(WorldClock(rate=0.0))
    mapping = AddressMap({"https://muster.test": str(server.make_url("")).rstrip("/")})
    async with Outgoing(service=Service.OSAIS, mapping=mapping, heard=log.note) as outgoing:
        answered = await outgoing.post(
            f"https://muster.test/cb/{LONG}/notify", b"{}", headers={}, said={"uid": 7, "token": "t0ken"}
        )
    assert answered.json() == {"data": {"token": "t0ken", "uid": 7}, "host": "muster.test"}
    [call] = log.find(service=Service.OSAIS)
    assert call.path == f"https://muster.test/cb/{mark(LONG)}/notify"
    assert (call.outgoing, call.status, call.remote_id) == (True, 200, "7")
    assert "t0ken" not in str(call.to_dict())
    assert isinstance(call.answer, dict)
    assert call.answer["data"]["uid"] == 7


async def test_no_redirect_is_followed_and_no_call_leaves_the_machine(server: TestServer) -> None:
    async with Outgoing(service=Service.HORDE) as outgoing:
        assert (await outgoing.post(str(server.make_url("/slow")), b"", headers={})).status == 302
        away = await outgoing.post("https://example.org/", b"", headers={})
        file = await outgoing.get(str(server.make_url("/file")), largest=10)
    assert (away.status, "neither mapped" in away.error) == (None, True)
    assert len(file.body) == 10


def test_what_looks_like_a_secret_in_an_address_is_marked() -> None:
    url = f"https://muster.test/horde/{LONG}?x=1"
    assert mask_callback(url) == f"https://muster.test/horde/{mark(LONG)}?x=1"
    assert mask_callback("https://muster.test/cb/notify") == "https://muster.test/cb/notify"


def test_paths_of_osais_are_known() -> None:
    assert service_of("/api/v1/private/client/notify") is Service.OSAIS
    assert service_of("/api/v10/users/@me") is Service.DISCORD
    assert service_of("/uploads/ai/x.png") is Service.MEDIA


async def test_a_sandbox_tells_where_osais_lies_and_what_is_mapped() -> None:
    mapping = AddressMap.parse(["https://muster.test=http://127.0.0.1:8080"])
    async with Sandbox(only={OSAIS}, address_map=mapping) as sandbox:
        told = sandbox.addresses()
        assert told["osais_url"] == sandbox.url
        assert (told["osais_token"], told["osais_secret"]) == (sandbox.osais.token, sandbox.osais.secret)
        assert told["public_url"] == "https://muster.test"
        assert "horde_url" not in told


async def test_a_sandbox_without_osais_tells_nothing_of_it() -> None:
    async with Sandbox(only={HORDE}) as sandbox:
        assert not {"osais_url", "public_url"} & set(sandbox.addresses())


async def test_a_place_can_be_mapped_while_the_world_runs() -> None:
    async with Sandbox(only={OSAIS}) as sandbox, Outgoing(service=Service.OSAIS) as client:
        body = b'{"https://muster.test": "http://127.0.0.1:9"}'
        assert (await client.post(f"{sandbox.control_url}/map", body, headers={})).json() == sandbox.address_map
        bad = await client.post(f"{sandbox.control_url}/map", b'{"https://muster.test": "http://x.org"}', headers={})
        assert bad.status == 400
        shown = await client.get(f"{sandbox.control_url}/map", largest=1000)
        assert shown.json() == {"https://muster.test": "http://127.0.0.1:9"}


async def test_calls_of_osais_are_logged_with_the_uid_they_were_about() -> None:
    async with Sandbox(only={OSAIS}) as sandbox, Outgoing(service=Service.OSAIS) as client:
        login = f'{{"token": "{sandbox.osais.token}", "secret": "{sandbox.osais.secret}"}}'.encode()
        answered = await client.post(f"{sandbox.url}/api/v1/public/client/login", login, headers={})
        bearer = answered.json()["data"]["authToken"]  # type: ignore[index]
        headers = {"Authorization": f"Bearer {bearer}"}
        asked = b'{"word": "hello"}'
        await client.post(f"{sandbox.url}/api/v1/private/client/ai/coquitts", asked, headers=headers)
        calls = sandbox.calls.find(service=Service.OSAIS, path="^/api")
        assert [call.status for call in calls] == [201, 201]
        assert calls[1].remote_id == str(*sandbox.osais.requests)
        assert sandbox.osais.secret not in str([call.to_dict() for call in calls])
