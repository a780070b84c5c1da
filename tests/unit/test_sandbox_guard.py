from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.guard import guard_control


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        pytest.param("/sandbox/clock", {}, 200, id="a script"),
        pytest.param("/sandbox/clock", {"Host": "localhost:1", "Origin": "http://localhost:1"}, 200, id="our page"),
        pytest.param("/sandbox/clock", {"Origin": "https://example.org"}, 403, id="a strange page"),
        pytest.param("/sandbox/clock", {"Origin": "null"}, 403, id="a page of no origin"),
        pytest.param("/sandbox/clock", {"Host": "rebound.example.org"}, 403, id="a name pointed at us"),
        pytest.param("/api/v2/status/heartbeat", {"Origin": "https://example.org"}, 200, id="a service"),
    ],
)
async def test_control_is_for_scripts_and_our_own_page(path: str, headers: dict[str, str], status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(middlewares=[guard_control])
    app.add_routes([web.get("/{rest:.*}", answer)])
    async with TestClient(TestServer(app)) as client:
        assert (await client.get(path, headers=headers)).status == status
