"""Reading a request's body within a limit of bytes and of time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from aiohttp import web

from bot.clock import Clock
from bot.web.refusals import Refused, too_large

#: Seconds that a whole body may take.
BODY_SECONDS: Final = 60.0
#: Bodies of files taken in at once (each is held in memory), and how many callers may wait for a place meanwhile.
FILES_AT_ONCE, FILES_WAITING = 4, 256


class Places:
    """Room for so many bodies of files at once; a caller that waits for it has its body wait on the line."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(FILES_AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold a place. Raises `Refused` (503) when too many wait already."""
        if self._free.locked() and self._waiting >= FILES_WAITING:
            raise Refused("too many files come at once; please try again", status=503)
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


async def no_expectations(request: web.Request) -> None:
    """Ask for no body yet, whatever the caller expects: first its address has to be right."""


async def receive(request: web.Request, *, limit: int, clock: Clock) -> bytes:
    """The body. Raises `Refused`: over `limit` (as soon as that is known), too slow, or broken off."""
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    reading = asyncio.ensure_future(_read(request, limit))
    waiting = asyncio.ensure_future(clock.sleep(BODY_SECONDS))
    try:
        await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            raise Refused(f"the body took longer than {BODY_SECONDS:.0f} seconds", status=408)
        return reading.result()
    finally:
        reading.cancel()
        waiting.cancel()
        await asyncio.gather(reading, waiting, return_exceptions=True)


async def _read(request: web.Request, limit: int) -> bytes:
    found = bytearray()
    try:
        async for chunk in request.content.iter_any():
            found += chunk
            if len(found) > limit:
                raise too_large(limit)
    except (aiohttp.ClientError, web.RequestPayloadError, ConnectionError, ValueError) as error:
        raise Refused("the body broke off, or its encoding is damaged") from error
    return bytes(found)
