"""The HTTP calls that simulated services make by themselves: OSAIS's callbacks, the AI Horde's webhooks, source files.

A bot is configured as in production, with an https address of its own. An `AddressMap` plays the reverse proxy in front
of it: a call to `https://muster.test/x` arrives at `http://127.0.0.1:8080/x` with the headers a proxy adds. A call
never leaves the machine: an address that is neither mapped nor on loopback is not reached.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import json
import socket
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from bot.sandbox import control

#: Real seconds after which a call has failed.
TIMEOUT_SECONDS = 30.0
#: Largest answer read; the rest is cut off.
LARGEST_ANSWER = 64 * 1024


class AddressMap(dict[str, str]):
    """Public addresses and where they really lie; may be changed while the world runs."""

    @classmethod
    def parse(cls, items: list[str]) -> Self:
        """Read `PUBLIC=LOCAL` pairs as the command line gives them; raises ValueError saying what is wrong."""
        found = cls()
        for item in items:
            public, separator, local = item.partition("=")
            if not separator:
                raise ValueError(f"give PUBLIC=LOCAL, such as https://muster.test=http://127.0.0.1:8080, not {item}")
            found.add(public, local)
        return found

    @classmethod
    def to_free_port(cls, public: str) -> Self:
        """Let what lies below `public` be reached on a port of this machine that is free now."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            return cls.parse([f"{public}=http://127.0.0.1:{free.getsockname()[1]}"])

    def add(self, public: str, local: str) -> None:
        """Let what lies below `public` be reached below `local`; raises ValueError for what is no such address."""
        for address in (public, local):
            url = URL(address)
            if url.scheme not in {"http", "https"} or not url.host:
                raise ValueError(f"{address} is not an http or https address")
        if not _is_loopback(URL(local)):
            raise ValueError(f"{local} is not on this machine")
        self[public.rstrip("/")] = local.rstrip("/")

    def control_routes(self) -> list[web.RouteDef]:
        """`/sandbox/map`: GET the pairs, POST `{public: local}` to add some."""
        return [web.get("/sandbox/map", self._show), web.post("/sandbox/map", self._add)]

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response(dict(self))

    async def _add(self, request: web.Request) -> web.Response:
        for public, local in (await control.json_object(request)).items():
            try:
                self.add(public, str(local))
            except ValueError as error:
                control.refuse(str(error))
        return web.json_response(dict(self))


def locate(mapping: Mapping[str, str], url: str) -> str | None:
    """Where a call to `url` goes; None if that is neither mapped nor on this machine."""
    for public, local in mapping.items():
        rest = url.removeprefix(public)
        if url.startswith(public) and (not rest or rest[0] in "/?"):
            return local + rest
    return url if _is_loopback(URL(url, encoded=True)) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back: a status and the body, or the reason why nothing did."""

    #: None without an answer.
    status: int | None
    content_type: str = ""
    body: bytes = b""
    #: Why there is no answer.
    error: str = ""

    def json(self) -> object:
        """The body's JSON; None when it is none."""
        try:
            value: object = json.loads(self.body)
        except ValueError:
            return None
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingCall:
    """One call as it was made, for a log."""

    #: Which service made it.
    service: control.Service
    method: str
    url: str
    #: What was said, for showing; not necessarily all of it.
    said: object
    answered: Answered
    #: Real seconds it took.
    seconds: float


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """A client for one service's own calls; open it with `async with`."""

    service: control.Service
    mapping: Mapping[str, str] = field(default_factory=dict)
    #: Told of every call that ended.
    heard: Callable[[OutgoingCall], None] | None = None
    timeout: float = TIMEOUT_SECONDS
    _session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(
        self,
        url: str,
        body: bytes | AsyncIterable[bytes],
        *,
        headers: Mapping[str, str],
        said: object = None,
        timeout: float | None = None,
    ) -> Answered:
        """POST and tell the log; never raises for what the other side does."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answered = await self._ask("POST", url, body, headers, timeout or self.timeout, LARGEST_ANSWER)
        if self.heard is not None:
            seconds = loop.time() - began
            self.heard(
                OutgoingCall(
                    service=self.service, method="POST", url=url, said=said, answered=answered, seconds=seconds
                )
            )
        return answered

    async def get(self, url: str, *, largest: int, timeout: float | None = None) -> Answered:
        """GET a file of at most `largest` bytes (a larger one is cut off); never raises either."""
        return await self._ask("GET", url, None, {}, timeout or self.timeout, largest)

    async def _ask(
        self,
        method: str,
        url: str,
        body: bytes | AsyncIterable[bytes] | None,
        headers: Mapping[str, str],
        timeout: float,
        largest: int,
    ) -> Answered:
        target = locate(self.mapping, url)
        if target is None:
            return Answered(status=None, error="the address is neither mapped nor on this machine")
        if self._session is None:
            raise RuntimeError("an Outgoing has to be opened before it is used")
        try:
            async with (
                asyncio.timeout(timeout),
                self._session.request(
                    method,
                    URL(target, encoded=True),
                    # As a file: aiohttp warns of large bytes, for they are written in one go.
                    data=io.BytesIO(body) if isinstance(body, bytes) else body,
                    headers={**headers, **({} if target == url else _proxied(url))},
                    skip_auto_headers={"Content-Type"},
                    allow_redirects=False,
                ) as answer,
            ):
                content = await answer.content.read(-1) if largest <= 0 else await _read(answer.content, largest)
                return Answered(status=answer.status, content_type=answer.content_type, body=content)
        except TimeoutError:
            return Answered(status=None, error="no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            return Answered(status=None, error=f"{type(error).__name__}: {error}")


async def _read(stream: aiohttp.StreamReader, largest: int) -> bytes:
    found = bytearray()
    async for chunk in stream.iter_chunked(64 * 1024):
        found += chunk
        if len(found) >= largest:
            break
    return bytes(found[:largest])


def _proxied(url: str) -> dict[str, str]:
    """What a reverse proxy adds to a call for `url`."""
    public = URL(url, encoded=True)
    host = public.raw_host or ""
    authority = host if public.is_default_port() else f"{host}:{public.port}"
    return {
        "Host": authority,
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Host": authority,
        "X-Forwarded-Proto": public.scheme,
    }


def _is_loopback(url: URL) -> bool:
    if url.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.host or "").is_loopback
    except ValueError:
        return False
