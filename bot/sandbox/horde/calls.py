"""What every posted request says beside its wishes: a JSON body, a key, and who sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.horde.errors import SCHEMA_MESSAGE, HordeError, unreadable_body
from bot.sandbox.horde.gate import address_of
from bot.sandbox.horde.intake import Sender

UNKNOWN_AGENT = "unknown:0:unknown"


def agent_of(request: web.Request) -> str:
    """The program that calls, as it names itself."""
    return request.headers.get("Client-Agent", UNKNOWN_AGENT)


def sender_of(request: web.Request) -> Sender:
    """Where the call comes from; without a key it is refused."""
    return Sender(key=_required_key(request), address=address_of(request), agent=agent_of(request))


async def read_json(request: web.Request) -> Mapping[str, Any]:
    """The JSON body; anything else is the 400 without `rc`, a NUL in it has a code of its own."""
    if request.content_type != "application/json":
        raise unreadable_body()
    text = await request.text()
    try:
        payload: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise unreadable_body() from error
    if _has_nul(payload):
        raise HordeError(400, "Request payload may not contain NUL (0x00) bytes.", "NulByteInPayload")
    loaded: Mapping[str, Any] = payload
    return loaded


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


def _required_key(request: web.Request) -> str:
    """The `apikey` header; leaving it out is a schema error, not a 401."""
    key = request.headers.get("apikey")
    if key is None:
        message = "The API Key corresponding to a registered user. Missing required parameter in the HTTP headers"
        raise HordeError(400, SCHEMA_MESSAGE, errors={"apikey": message})
    return key
