"""Look into requests and answers without getting in the way of those they are meant for."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.base_protocol import BaseProtocol

#: Longer strings are shortened in a summary (prompts fit, pictures in base64 do not).
LONGEST_STRING = 400
#: Longer lists are shortened in a summary (a command list fits its first ones).
LONGEST_LIST = 20
#: Larger answers are not looked into.
LARGEST_ANSWER = 256 * 1024


_SAID: web.RequestKey[object] = web.RequestKey("said", object)


async def request_json(request: web.Request) -> object | None:
    """Return what a request says in JSON, also as `payload_json` of a multipart upload; None when there is none.

    The body can be read again afterwards, in every way: whole, as a form, part by part, or from the stream.
    """
    if _SAID not in request:
        request[_SAID] = await _read_json(request) if request.body_exists else None
    return request[_SAID]


async def _read_json(request: web.Request) -> object | None:
    body = await request.read()
    # read() keeps the bytes for its own next call, but whoever reads the stream would find it empty. aiohttp has no
    # public way to hand a body on, and this is the one private name of its that we touch.
    request._payload = _stream(body)  # noqa: SLF001
    if not request.content_type.startswith("multipart/"):
        return _parse(body)
    with contextlib.suppress(ValueError):  # malformed; the service will say so
        async for part in MultipartReader(request.headers, _stream(body)):
            if isinstance(part, BodyPartReader) and part.name == "payload_json":
                return _parse(await part.read())
    return None


def _stream(body: bytes) -> StreamReader:
    loop = asyncio.get_running_loop()
    # A limit above the size, or the reader would try to slow down a connection that is not there.
    stream = StreamReader(BaseProtocol(loop), limit=len(body) + 1, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    return stream


def answer_json(answer: web.StreamResponse) -> object | None:
    """Return what an answer says in JSON; None when it is something else, streamed, or large."""
    body = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(body, bytes) or len(body) > LARGEST_ANSWER or answer.content_type != "application/json":
        return None
    return _parse(body)


def summarise(value: object) -> object:
    """Shorten long strings and lists, all the way down, so that a call can be shown."""
    match value:
        case str() if len(value) > LONGEST_STRING:
            return f"{value[:LONGEST_STRING]}… ({len(value)} characters)"
        case list():
            shown = [summarise(item) for item in value[:LONGEST_LIST]]
            return [*shown, f"… ({len(value)} items)"] if len(value) > LONGEST_LIST else shown
        case Mapping():
            return {str(key): summarise(item) for key, item in value.items()}
        case _:
            return value


def _parse(body: str | bytes | bytearray) -> object | None:
    try:
        value: object = json.loads(body)
    except ValueError:
        return None
    return value
