"""Scripted HTTP faults: one middleware that makes any of the services misbehave as told over the control API.

A fault is armed for the next `times` requests that match it. Faults are tried in the order they were armed, and one
request meets one fault at most. What a fault does is its action, see `FaultAction`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import struct
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.clock import Clock
from bot.sandbox import control
from bot.sandbox.bodies import request_json
from bot.sandbox.control import Service
from bot.sandbox.fault_spec import Fault, FaultAction, content_type_of, fault_from

#: The action a request met, for the call log.
FAULT_MET: web.RequestKey[str] = web.RequestKey("fault_met", str)

#: Real seconds between looks whether a caller left hanging has given up.
HANG_LOOK_SECONDS = 0.1

#: What a `garbage` fault answers.
_GARBAGE = b"\x00\xff\xfe{[this is not what you asked for" * 8


@dataclass(slots=True)
class _Armed:
    fault: Fault
    met: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.met >= self.fault.times


class Faults:
    """The faults that are armed, their control routes, and the middleware that plays them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._armed: dict[int, _Armed] = {}
        self._ids = itertools.count(1)
        self._released = asyncio.Event()

    def control_routes(self) -> list[web.RouteDef]:
        """Routes below /sandbox/faults."""
        return [
            web.get("/sandbox/faults", self._list),
            web.post("/sandbox/faults", self._arm),
            web.delete("/sandbox/faults", self._clear),
            web.delete("/sandbox/faults/{id}", self._remove),
        ]

    def arm(self, fault: Fault) -> int:
        """Let the next matching requests meet `fault`; returns its id."""
        number = next(self._ids)
        self._armed[number] = _Armed(fault)
        return number

    def armed(self) -> list[dict[str, object]]:
        """List the faults that still wait for a request, as the control API shows them."""
        return [self._show(number) for number, armed in self._armed.items() if not armed.spent]

    def clear(self) -> None:
        """Disarm everything and cut the callers left hanging."""
        self._armed.clear()
        self._released.set()
        self._released = asyncio.Event()

    @property
    def middleware(self) -> Middleware:
        """The middleware of the server that the faults are for."""

        @web.middleware
        async def disturb(request: web.Request, handler: Handler) -> web.StreamResponse:
            service = control.service_of(request.path)
            inner = control.INNER_HEADER in request.headers or control.is_browser(request)
            armed = None if service is None or inner else await self._find(service, request)
            if armed is None:
                return await handler(request)
            armed.met += 1
            request[FAULT_MET] = armed.fault.action.value
            if armed.fault.delay:
                await self._clock.sleep(armed.fault.delay)
            return await self._play(armed.fault, request, handler)

        return disturb

    async def _find(self, service: Service, request: web.Request) -> _Armed | None:
        for armed in self._armed.values():
            if not armed.spent and _matches(armed.fault, service, request) and await _says(armed.fault, request):
                return armed
        return None

    async def _play(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        match fault.action:
            case FaultAction.RESPOND:
                answer = fault.answer
                return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
            case FaultAction.RESET:
                return _cut(request)
            case FaultAction.RESET_AFTER:
                await _handle(request, handler)
                return _cut(request)
            case FaultAction.TRUNCATE:
                return await _truncate(request, await _handle(request, handler))
            case FaultAction.GARBAGE:
                return web.Response(body=_GARBAGE, headers={"Content-Type": content_type_of(fault.service)})
            case FaultAction.HANG:
                return await self._hang(request)
            case FaultAction.SWALLOW:
                return await _swallow(request)
            case FaultAction.PASS:
                return await handler(request)

    async def _hang(self, request: web.Request) -> web.StreamResponse:
        released = self._released
        while not released.is_set() and request.transport is not None and not request.transport.is_closing():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HANG_LOOK_SECONDS):
                    await released.wait()
        return _cut(request)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([self._show(number) for number in self._armed])

    async def _arm(self, request: web.Request) -> web.Response:
        number = self.arm(fault_from(await control.json_object(request)))
        return web.json_response(self._show(number), status=201)

    async def _clear(self, _: web.Request) -> web.Response:
        self.clear()
        return web.Response(status=204)

    async def _remove(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        if not number.isdecimal() or self._armed.pop(int(number), None) is None:
            raise web.HTTPNotFound(text=json.dumps({"error": "no such fault"}), content_type="application/json")
        return web.Response(status=204)

    def _show(self, number: int) -> dict[str, object]:
        armed = self._armed[number]
        return {"id": number, "met": armed.met, **armed.fault.to_dict()}


def _matches(fault: Fault, service: Service, request: web.Request) -> bool:
    return (
        fault.service is service
        and fault.method in {None, request.method}
        and (fault.path is None or fault.path.search(request.path) is not None)
    )


async def _says(fault: Fault, request: web.Request) -> bool:
    if fault.body_matches is None:
        return True
    said = await request_json(request)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return said is not None and fault.body_matches.search(text) is not None


async def _handle(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as answer:
        return answer


def _cut(request: web.Request) -> web.Response:
    """Reset the connection under the request; the response returned is never seen."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        if connection is not None:
            # Lingering for no time makes the close a reset (RST), which is what a dying host looks like.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response(status=500)


async def _truncate(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    half = web.StreamResponse(status=answer.status, headers=headers)
    half.content_length = max(2, len(body))
    await half.prepare(request)
    await half.write(body[: len(body) // 2] or b"{")
    if request.transport is not None:
        request.transport.close()
    return half


async def _swallow(request: web.Request) -> web.Response:
    headers = {name: value for name, value in request.headers.items() if name.lower() == "authorization"}
    headers[control.INNER_HEADER] = "read"
    async with aiohttp.ClientSession() as session, session.get(request.url, headers=headers) as read:
        content_type = {"Content-Type": read.headers.get("Content-Type", "application/json")}
        return web.Response(status=read.status, body=await read.read(), headers=content_type)
