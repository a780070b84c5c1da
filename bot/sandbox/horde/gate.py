"""Everything around a view: method table, rate limits, caches, error bodies, the 404 hint, and the extra headers."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.limits import Limiter, Rule
from bot.sandbox.horde.people import ANONYMOUS_KEY

BASE = "/api/v2"
VERSION = "5.1.5"
_CACHE_SIZE = 2000
_NOT_FOUND_PAGE = (
    "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not"
    " found on the server. If you entered the URL manually please check your spelling and try again.</p>\n"
)
#: The server's routes as its framework compares them with an unknown id's path: those it adds to 404 messages.
_RULES = [
    "collection_by_name/<path:collection_name>",
    "collections",
    "collections/<string:collection_id>",
    "documents/privacy",
    "documents/sponsors",
    "documents/terms",
    "filters",
    "filters/regex",
    "filters/<string:filter_id>",
    "find_user",
    "generate/async",
    "generate/check/<string:id>",
    "generate/pop",
    "generate/rate/<string:id>",
    "generate/status/<string:id>",
    "generate/submit",
    "generate/text/async",
    "generate/text/pop",
    "generate/text/status/<string:id>",
    "generate/text/submit",
    "interrogate/async",
    "interrogate/pop",
    "interrogate/status/<string:id>",
    "interrogate/submit",
    "kudos/award",
    "kudos/transfer",
    "operations/block_worker_ipaddr/<string:worker_id>",
    "operations/ipaddr",
    "operations/ipaddr/<string:ipaddr>",
    "sharedkeys",
    "sharedkeys/<string:sharedkey_id>",
    "stats/img/models",
    "stats/img/totals",
    "stats/text/models",
    "stats/text/totals",
    "status/heartbeat",
    "status/models",
    "status/models/<string:model_name>",
    "status/modes",
    "status/news",
    "status/performance",
    "styles/image",
    "styles/image/<string:style_id>",
    "styles/image_by_name/<string:style_name>",
    "styles/text",
    "styles/text/<string:style_id>",
    "styles/text_by_name/<string:style_name>",
    "teams",
    "teams/<string:team_id>",
    "users",
    "users/<string:user_id>",
    "workers",
    "workers/messages",
    "workers/messages/<string:message_id>",
    "workers/name/<string:worker_name>",
    "workers/<string:worker_id>",
]
_HINTS = {f"{BASE}/{re.sub(r'<.*>', '', rule)}": f"{BASE}/{rule}" for rule in _RULES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a view has to say."""

    body: object
    status: int = 200


View = Callable[[web.Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A view, its limits, whether they are counted per path (with its id) or per endpoint, and its cache in seconds."""

    view: View
    rules: Sequence[Rule] = ()
    per_path: bool = False
    cache: float = 0.0
    cache_by_key: bool = False


@dataclass(slots=True)
class _Cached:
    until: float
    answer: Answer


@dataclass(slots=True)
class Gate:
    """Turns endpoints into aiohttp routes that behave like the AI Horde's."""

    clock: Clock
    limiter: Limiter
    node: str = f"horde-sim:7001:{VERSION}"
    _cache: dict[str, _Cached] = field(default_factory=dict)

    def route(self, path: str, **methods: Endpoint) -> web.RouteDef:
        """One path under the API with its methods (names in lower case); others get the 405."""
        table = {name.upper(): endpoint for name, endpoint in methods.items()}

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, table)

        return web.route("*", f"{BASE}{path}", handle)

    def unknown_paths(self) -> web.RouteDef:
        """The HTML 404 of everything else under the API."""

        async def handle(_: web.Request) -> web.StreamResponse:
            response = web.Response(status=404, text=_NOT_FOUND_PAGE, content_type="text/html", charset="utf-8")
            return self._stamped(response)

        return web.route("*", f"{BASE}/{{tail:.*}}", handle)

    def forget(self) -> None:
        """Empty the caches."""
        self._cache.clear()

    async def _handle(self, request: web.Request, table: Mapping[str, Endpoint]) -> web.StreamResponse:
        allowed = ", ".join(sorted({*table, "OPTIONS"} | ({"HEAD"} if "GET" in table else set())))
        if request.method == "OPTIONS":
            return self._stamped(web.Response(headers={"Allow": allowed}))
        endpoint = table.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            response = _json(405, {"message": "The method is not allowed for the requested URL."})
            response.headers["Allow"] = allowed
            return self._stamped(response)
        return await self._limited(request, endpoint)

    async def _limited(self, request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
        resource = request.match_info.route.resource
        place = request.path if endpoint.per_path or resource is None else resource.canonical
        key = request.headers.get("apikey", "")
        verdict = self.limiter.hit(
            endpoint.rules,
            scope=f"{request.method} {place}",
            address=address_of(request),
            key=key,
            anonymous=key == ANONYMOUS_KEY,
        )
        if verdict.allowed:
            answer = await self._answer(request, endpoint)
        else:
            answer = Answer(status=429, body={"message": verdict.message})
        response = _json(answer.status, answer.body)
        response.headers.update(verdict.headers)
        return self._stamped(response)

    async def _answer(self, request: web.Request, endpoint: Endpoint) -> Answer:
        slot = request.path_qs + (request.headers.get("apikey", "") if endpoint.cache_by_key else "")
        cached = self._cache.get(slot)
        if endpoint.cache and cached is not None and cached.until > self.clock.monotonic():
            return cached.answer
        try:
            answer = await endpoint.view(request)
        except HordeError as error:
            return Answer(status=error.status, body=_hinted(error, request.path))
        if endpoint.cache:
            if len(self._cache) > _CACHE_SIZE:
                self._cache.clear()
            self._cache[slot] = _Cached(self.clock.monotonic() + endpoint.cache, answer)
        return answer

    def _stamped(self, response: web.Response) -> web.Response:
        response.headers["Horde-Node"] = self.node
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response


def address_of(request: web.Request) -> str:
    """The caller's address, which limits and timeouts go by."""
    return request.remote or "unknown"


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, text=json.dumps(body) + "\n", content_type="application/json", charset="utf-8")


def _hinted(error: HordeError, path: str) -> dict[str, object]:
    """The error's body; 404 messages get the framework's guess at what path was meant, when one is similar."""
    body = error.body()
    close = difflib.get_close_matches(path, _HINTS) if error.status == 404 else []
    if close:
        guesses = " or ".join(_HINTS[match] for match in close)
        body["message"] = f"{error.message} You have requested this URI [{path}] but did you mean {guesses} ?"
    return body
