"""What every control route (`/sandbox/…`) of the world shares: services by path, bodies checked, errors as JSON."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any, NoReturn

from aiohttp import web

#: Everything below this path acts on the world; it is neither logged as a remote call nor disturbed by faults.
CONTROL_PREFIX = "/sandbox"

#: Marks a request the sandbox makes to itself: neither logged nor disturbed.
INNER_HEADER = "X-Sandbox-Inner"


#: One lever or look of a control API: it takes the JSON body, and answers what is sent back (None: `{"ok": true}`).
Operation = Callable[[Mapping[str, Any]], object]


class Service(StrEnum):
    """The remote services a bot sees, told apart by path."""

    DISCORD = "discord"
    GATEWAY = "gateway"
    HORDE = "horde"
    OSAIS = "osais"
    #: Files: Discord's CDN, the Horde's object store, and what OSAIS made.
    MEDIA = "media"


_PREFIXES: Mapping[str, Service] = {
    "/api/v10": Service.DISCORD,
    "/gateway": Service.GATEWAY,
    "/api/v2": Service.HORDE,
    "/reference": Service.HORDE,
    "/api/v1": Service.OSAIS,
    "/uploads": Service.MEDIA,
    "/attachments": Service.MEDIA,
    "/ephemeral-attachments": Service.MEDIA,
    "/avatars": Service.MEDIA,
    "/embed/avatars": Service.MEDIA,
    "/horde-transient": Service.MEDIA,
}


def service_of(path: str) -> Service | None:
    """Name the service a path belongs to; None for the control API and the page."""
    for prefix, service in _PREFIXES.items():
        if path == prefix or path.startswith(prefix + "/"):
            return service
    return None


def is_browser(request: web.Request) -> bool:
    """Whether a browser asks, for the page (no bot sends this header): its looks at pictures are no calls of a bot."""
    return "Sec-Fetch-Mode" in request.headers


def refuse(sentence: str) -> NoReturn:
    """Answer 400 with `{"error": sentence}`."""
    raise web.HTTPBadRequest(text=json.dumps({"error": sentence}), content_type="application/json")


async def json_object(request: web.Request) -> dict[str, object]:
    """Read a control request's JSON object; an empty body is an empty object, anything else a 400."""
    text = await request.text()
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        refuse("the body is not JSON")
    if not isinstance(value, dict):
        refuse("the body has to be a JSON object")
    return value


def operation_routes(
    prefix: str,
    *,
    looks: Mapping[str, Operation],
    levers: Mapping[str, Operation],
    refusals: tuple[type[Exception], ...] = (),
) -> list[web.RouteDef]:
    """One GET for each look and one POST for each lever; bad input, and any of `refusals`, is a 400 with `error`."""
    gets = [web.get(f"{prefix}/{name}", _handler(look, refusals, reads=False)) for name, look in looks.items()]
    posts = [web.post(f"{prefix}/{name}", _handler(lever, refusals, reads=True)) for name, lever in levers.items()]
    return [*gets, *posts]


def _handler(
    operation: Operation, refusals: tuple[type[Exception], ...], *, reads: bool
) -> Callable[[web.Request], Awaitable[web.Response]]:
    bad: tuple[type[Exception], ...] = (KeyError, TypeError, ValueError, *refusals)

    async def handle(request: web.Request) -> web.Response:
        body = await json_object(request) if reads else {}
        try:
            result = operation(body)
            if inspect.isawaitable(result):
                result = await result
        except bad as error:
            refuse(f"missing or unknown {error}" if isinstance(error, KeyError) else str(error))
        return web.json_response({"ok": True} if result is None else result)

    return handle


def number(body: Mapping[str, object], key: str) -> float | None:
    """Read a number from a control body; None when absent, 400 when it is something else."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(f"{key} has to be a number")
    return float(value)


def text(body: Mapping[str, object], key: str) -> str | None:
    """Read a string from a control body; None when absent, 400 when it is something else."""
    value = body.get(key)
    if value is None or isinstance(value, str):
        return value
    refuse(f"{key} has to be a string")
