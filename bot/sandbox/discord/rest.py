"""What every REST call goes through: the bot's token, rate limits, and Discord's way to say no."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from .errors import ApiError, Refusal
from .rate_limits import Limited, RateLimiter
from .world import World

BASE: Final = "/api/v10"

Handler = Callable[[web.Request], Awaitable[Any]]

#: What a handler returns for an answer without a body.
NO_CONTENT: Final = object()


class Rest:
    """Makes routes out of handlers that return JSON values, or raise `ApiError`."""

    def __init__(self, world: World, limits: RateLimiter) -> None:
        self._world = world
        self._limits = limits

    def route(self, method: str, path: str, handler: Handler, *, kind: str, auth: bool = True) -> web.RouteDef:
        """Make a route below /api/v10; `kind` names it for rate limits, `auth` asks for the bot's token."""

        async def serve(request: web.Request) -> web.Response:
            if auth and request.headers.get("Authorization") != f"Bot {self._world.token}":
                return refuse(Refusal.UNAUTHORIZED.error())
            verdict = self._limits.take(kind, _major(request))
            if isinstance(verdict, Limited):
                return answer(verdict.body, status=429, headers=verdict.headers)
            try:
                result = await handler(request)
            except ApiError as error:
                return refuse(error, verdict)
            if result is NO_CONTENT:
                return web.Response(status=204, headers=verdict)
            return answer(result, headers=verdict)

        return web.route(method, BASE + path, serve)

    @staticmethod
    def nothing_here() -> web.RouteDef:
        """Make the route that answers every other address of the API."""

        async def serve(_: web.Request) -> web.Response:
            return refuse(Refusal.NOT_FOUND.error())

        return web.route("*", "/api/{rest:.*}", serve)


def answer(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with JSON whose type is exactly `application/json`: with a charset discord.py would not parse it."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def refuse(error: ApiError, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with Discord's error object."""
    extra = {"Via": "1.1 google", "Retry-After": "1"} if error.status == 429 else {}
    return answer(error.body(), status=error.status, headers={**(headers or {}), **extra})


def number(request: web.Request, name: str, refusal: Refusal = Refusal.NOT_FOUND) -> int:
    """Return an id from the path; what is not a number is refused like an unknown thing."""
    text = request.match_info[name]
    if not text.isdigit():
        raise refusal.error()
    return int(text)


def _major(request: web.Request) -> str:
    keys = ("channel", "guild", "application", "token", "interaction")
    return ":".join(request.match_info[key] for key in keys if key in request.match_info)
