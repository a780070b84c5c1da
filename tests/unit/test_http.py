from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.clock import ManualClock
from bot.errors import Busy, ProtocolError, ProviderError, SubmissionUncertain, Unavailable
from bot.http import READ_TRIES, Answer, HttpClient, retry_after_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class World:
    """A server that answers as its list of handlers says, the last one for ever."""

    clock: ManualClock
    client: HttpClient
    url: str
    handlers: list[Handler]
    seen: list[web.Request] = field(default_factory=list)

    async def waited_for(self, call: Awaitable[Answer]) -> Answer:
        """The result of a call, while time goes on."""
        task = asyncio.ensure_future(call)
        while not task.done():
            await self.clock.advance(0.5)
        return task.result()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock, handlers, seen = ManualClock(), list[Handler](), list[web.Request]()

    async def serve(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await (handlers.pop(0) if len(handlers) > 1 else handlers[0])(request)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serve)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        client = HttpClient(session, clock, timeout=0.5, max_body=10_000)
        yield World(clock, client, str(server.make_url("/thing")), handlers, seen)


def answering(status: int, body: object = None, *, text: str | None = None, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        told = json.dumps(body if body is not None else {}) if text is None else text
        return web.Response(status=status, text=told, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handler


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"id": ')
    assert request.transport is not None
    request.transport.close()
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b" " * 4096)
    return response


async def never(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def test_answer_holds_status_json_and_headers(world: World) -> None:
    world.handlers.append(answering(202, {"id": "x"}, X_Thing="1"))
    answer = await world.client.post_json(world.url, {"a": 1}, headers={"apikey": "k"})
    assert (answer.status, answer.data, answer.headers["X-Thing"]) == (202, {"id": "x"}, "1")
    assert world.seen[0].headers["apikey"] == "k"
    assert world.seen[0].content_type == "application/json"


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        pytest.param(cut, SubmissionUncertain, id="reset"),
        pytest.param(half, SubmissionUncertain, id="cut-body"),
        pytest.param(never, SubmissionUncertain, id="timeout"),
        pytest.param(endless, SubmissionUncertain, id="endless-body"),
        pytest.param(answering(500), SubmissionUncertain, id="500"),
        pytest.param(answering(502, text="<html>"), SubmissionUncertain, id="502"),
        pytest.param(answering(504), SubmissionUncertain, id="504"),
        pytest.param(answering(520), SubmissionUncertain, id="520"),
        pytest.param(answering(200, text="<html>"), SubmissionUncertain, id="200-html"),
        pytest.param(answering(503), Unavailable, id="503"),
        pytest.param(answering(522), SubmissionUncertain, id="522-perhaps-reached"),
        pytest.param(answering(307, Location="/elsewhere"), Unavailable, id="redirect"),
        pytest.param(answering(429, {"message": "2 per 1 second"}, Retry_After="7"), Busy, id="429"),
    ],
)
async def test_submission_is_sent_once_and_its_failure_sorted(
    world: World, handler: Handler, error: type[ProviderError]
) -> None:
    world.handlers.append(handler)
    with pytest.raises(error) as caught:
        await world.client.post_json(world.url, {})
    assert type(caught.value) is error
    assert len(world.seen) == 1


async def test_nobody_listening_means_that_nothing_arrived(world: World) -> None:
    with pytest.raises(Unavailable):
        await world.client.post_json(f"http://127.0.0.1:{unused_port()}/", {})


async def test_unknown_host_means_that_nothing_arrived(world: World) -> None:
    with pytest.raises(Unavailable):
        await world.client.post_json("http://name.invalid/", {})


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(answering(503), id="503"),
        pytest.param(answering(500), id="500"),
        pytest.param(cut, id="reset"),
        pytest.param(half, id="cut-body"),
        pytest.param(answering(429, {"message": "10 per 1 second"}, Retry_After="1"), id="429"),
    ],
)
async def test_read_is_tried_again(world: World, trouble: Handler) -> None:
    world.handlers.extend([trouble, answering(200, {"ok": True})])
    answer = await world.waited_for(world.client.get_json(world.url))
    assert answer.data == {"ok": True}


async def test_read_gives_up_after_a_few_tries(world: World) -> None:
    world.handlers.append(answering(503))
    with pytest.raises(Unavailable):
        await world.waited_for(world.client.get_json(world.url))
    assert len(world.seen) == READ_TRIES


async def test_read_that_has_to_wait_long_is_given_back(world: World) -> None:
    world.handlers.append(answering(429, {"message": "slow"}, Retry_After="59"))
    with pytest.raises(Busy) as caught:
        await world.client.get_json(world.url)
    assert (caught.value.retry_after, len(world.seen)) == (59, 1)


async def test_read_waits_as_long_as_it_is_told(world: World) -> None:
    world.handlers.extend([answering(429, {"message": "slow"}, Retry_After="3"), answering(200)])
    await world.waited_for(world.client.get_json(world.url))
    assert world.clock.monotonic() >= 3


@pytest.mark.parametrize(
    "handler", [pytest.param(answering(200, text="<p>"), id="html"), pytest.param(endless, id="endless")]
)
async def test_read_without_usable_json_is_a_protocol_error(world: World, handler: Handler) -> None:
    world.handlers.append(handler)
    with pytest.raises(ProtocolError):
        await world.client.get_json(world.url)


@pytest.mark.parametrize(
    ("handler", "data"),
    [
        pytest.param(answering(404, text="<!doctype html>"), None, id="html"),
        pytest.param(answering(429, {"rc": "TooManyPrompts"}), {"rc": "TooManyPrompts"}, id="429-rc"),
    ],
)
async def test_business_refusal_is_an_answer(world: World, handler: Handler, data: object) -> None:
    world.handlers.append(handler)
    assert (await world.client.post_json(world.url, {})).data == data


async def test_cancelling_travels_through(world: World) -> None:
    world.handlers.append(never)
    task = asyncio.create_task(world.client.get_json(world.url))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        pytest.param("3", 3, id="seconds"),
        pytest.param("0.75", 0.75, id="fraction"),
        pytest.param("0", 0.5, id="zero"),
        pytest.param("-4", 2, id="negative"),
        pytest.param("nan", 2, id="nan"),
        pytest.param("inf", 600, id="infinite"),
        pytest.param("Wed, 21 Oct 2026 07:28:00 GMT", 2, id="date"),
    ],
)
def test_retry_after_is_read_within_bounds(told: str, seconds: float) -> None:
    assert retry_after_of({"Retry-After": told}) == seconds
