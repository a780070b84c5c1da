"""Reading a request's body within a limit of bytes and of time."""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp
from aiohttp import web

from bot.clock import Clock
from bot.web.refusals import Refused, too_large

#: Seconds that a whole body may take.
BODY_SECONDS: Final = 60.0


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
