"""What becomes of what Discord, the library and the network say, and of a message that may not be sent twice."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import ManualClock
from bot.delivery.once import at_most_once, tracer
from bot.delivery.routes import LOGIN_WAIT, Routes
from bot.delivery.translate import NotSent, Refused, TooOften, discord_errors
from bot.errors import DeliveryError, ReplyClosed, ReplyLost
from tests.factories import make_reply

JSON = "application/json"


def refusal(status: int, told: dict[str, Any] | str, kind: str) -> discord.HTTPException:
    answer = SimpleNamespace(status=status, reason="", headers={"Content-Type": kind})
    return discord.HTTPException(cast("aiohttp.ClientResponse", answer), told)


@pytest.mark.parametrize(
    ("status", "told", "kind", "meant"),
    [
        pytest.param(404, "<html>", "text/html", DeliveryError, id="page-404"),
        pytest.param(403, "<html>", "text/html; charset=utf-8", DeliveryError, id="page-403"),
        pytest.param(401, "<html>", "text/html", DeliveryError, id="page-401"),
        pytest.param(404, {"message": "404: Not Found", "code": 0}, JSON, ReplyLost, id="json-404"),
        pytest.param(401, {"message": "401: Unauthorized", "code": 0}, JSON, ReplyClosed, id="json-401"),
        pytest.param(403, {"message": "Missing Permissions", "code": 50013}, JSON, Refused, id="json-403"),
        pytest.param(429, {"message": "too many edits", "code": 30046}, JSON, TooOften, id="old-message"),
    ],
)
def test_only_what_discord_itself_says_is_final(
    status: int, told: dict[str, Any] | str, kind: str, meant: type[DeliveryError]
) -> None:
    with pytest.raises(DeliveryError) as caught, discord_errors():
        raise refusal(status, told, kind)
    assert type(caught.value) is meant


async def test_library_cannot_repeat_a_message_that_may_have_arrived() -> None:
    statuses = [429, 500, 200]

    async def take(_: web.Request) -> web.Response:
        return web.Response(status=statuses.pop(0))

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server, aiohttp.ClientSession(trace_configs=[tracer()]) as session:
        with at_most_once():
            for status in (429, 500):
                async with session.post(server.make_url("/")) as answer:
                    assert answer.status == status, "what came too fast was not taken"
            with pytest.raises(aiohttp.ClientError, match="may have arrived"):
                await session.post(server.make_url("/"))
        async with session.post(server.make_url("/")) as answer:
            assert answer.status == 200, "all others may be repeated"


class Client:
    """Next to nothing is cached; Discord takes no reference."""

    def __init__(self, channel: object) -> None:
        self._channel = channel
        self.sent: list[dict[str, Any]] = []

    def get_channel(self, _: int) -> object:
        return self._channel

    def get_partial_messageable(self, _id: int, **_: object) -> Client:
        return self

    async def send(self, **fields: Any) -> str:
        self.sent.append(fields)
        if "reference" in fields:
            raise refusal(403, {"message": "no history", "code": 160002}, JSON)
        return "sent"


def channel_without_me() -> discord.TextChannel:
    channel = object.__new__(discord.TextChannel)
    channel.guild = cast("discord.Guild", SimpleNamespace(me=None))
    return channel


def thread_without_parent() -> discord.Thread:
    thread = object.__new__(discord.Thread)
    thread.guild = cast("discord.Guild", SimpleNamespace(me=SimpleNamespace(), get_channel=lambda _: None))
    thread.parent_id = 1
    return thread


@pytest.mark.parametrize("cached", [channel_without_me, thread_without_parent])
async def test_where_nothing_is_cached_a_reference_is_tried_and_left_out_if_refused(cached: Any) -> None:
    client, logged_in = Client(cached()), asyncio.Event()
    logged_in.set()
    routes = Routes(
        cast("discord.Client", client), cast("aiohttp.ClientSession", None), ManualClock(), logged_in=logged_in
    )
    for _ in range(2):
        assert await routes.send(make_reply(), nonce="n", refers_to=5, fields={"content": "x"}) == "sent"
    assert [("reference" in fields) for fields in client.sent] == [True, False, False]


async def test_who_reads_a_message_before_the_login_does_not_wait_for_ever() -> None:
    clock = ManualClock()
    nobody = cast("aiohttp.ClientSession", None)
    routes = Routes(cast("discord.Client", None), nobody, clock, logged_in=asyncio.Event())
    reading = asyncio.create_task(routes.fetch(1, 2))
    await clock.advance(LOGIN_WAIT + 1)
    with pytest.raises(NotSent):
        await reading
