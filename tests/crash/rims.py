"""The bot's rims, where it touches the world, and death at one of them. All of this runs in the child.

A *point* is the moment before or after an SQL statement or a commit, and before, amid, and after a request of any HTTP
session: the bot's own, the library's, the one for media. "Amid" is when the request has left and its answer is still
to come. A call that comes in by the door has points too: before it is looked at, amid (it is dealt with, and its answer
has not left), and after. Only the link to the sandbox's clock is no rim.

Nothing counts until an order lies in the folder. An order says whether to die, at which point, and at which of its
occurrences; from then on every point is written to the trace, the one of death last. An order without a name means the
so many-th point of whichever kind: that is how a process dies that has only just begun.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

#: How a process ends that dies at a point.
DEAD = 86
ORDER, TRACE = "order.json", "trace.txt"
#: Turns of the loop within which a request surely left: aiohttp writes its body in a task of its own.
_TURNS = 5

_ID = re.compile(r"^(?:\d{6,}|[0-9a-f]{8}-[0-9a-f-]{27}|[\w.=-]{40,})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One occurrence of something at the rims, counted from when the order was given."""

    #: Empty for whatever happens.
    name: str
    nth: int

    @property
    def kind(self) -> str:
        """The name without what is particular: the phase, and the service, the commit, or any other statement."""
        phase, rim, what = self.name.split()[:3]
        return f"{phase} {rim}{'' if rim != 'sql' else ' commit' if what == 'COMMIT' else ' statement'}"

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.name} ({self.nth})"


def watch(folder: Path) -> None:
    """Look after the rims of this process from now on, and take orders from the folder."""
    rims = _Rims(folder)
    for phase in ("before", "after"):
        event.listen(Engine, f"{phase}_cursor_execute", partial(_executed, rims, phase))
    _watch_commits(rims)
    _watch_requests(rims)
    _watch_calls(rims)


def _executed(rims: _Rims, phase: str, _connection: object, _cursor: object, sql: str, *_: object) -> None:
    rims.reached(f"{phase} sql {_statement(sql)}")


class _Rims:
    def __init__(self, folder: Path) -> None:
        self._order = folder / ORDER
        self._trace = os.open(folder / TRACE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._seen: Counter[str] | None = None
        self._deadly: Point | None = None

    def reached(self, name: str) -> None:
        """Note a point; this may be the end."""
        if self._order.exists():
            self._take_order()
        if self._seen is None:
            return
        self._seen[name] += 1
        os.write(self._trace, f"{name}\n".encode())
        if self._deadly in {Point(name=name, nth=self._seen[name]), Point(name="", nth=self._seen.total())}:
            os._exit(DEAD)

    def _take_order(self) -> None:
        order = json.loads(self._order.read_text())
        self._order.unlink()
        os.ftruncate(self._trace, 0)
        self._seen = Counter()
        self._deadly = Point(name=order["name"], nth=order["nth"]) if order else None


def _watch_commits(rims: _Rims) -> None:
    def around(commit: Callable[..., None]) -> Callable[..., None]:
        def watched(dialect: DefaultDialect, connection: Any) -> None:
            rims.reached("before sql COMMIT")
            commit(dialect, connection)
            rims.reached("after sql COMMIT")

        return watched

    wrap(DefaultDialect, "do_commit", around)


def _watch_requests(rims: _Rims) -> None:
    def traced(opened: Callable[..., None]) -> Callable[..., None]:
        def watched(session: aiohttp.ClientSession, *args: Any, **options: Any) -> None:
            options["trace_configs"] = [*(options.get("trace_configs") or ()), _tracing(rims)]
            opened(session, *args, **options)

        return watched

    def awaited(start: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(response: aiohttp.ClientResponse, connection: Any) -> Any:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            headers = response.request_info.headers
            _touched(rims, "amid", response.method, response.url.path, headers)
            return await start(response, connection)

        return watched

    wrap(aiohttp.ClientSession, "__init__", traced)
    wrap(aiohttp.ClientResponse, "start", awaited)


def _watch_calls(rims: _Rims) -> None:
    def reached(phase: str, request: web.BaseRequest) -> None:
        rims.reached(f"{phase} door {request.method} {_without_ids(request.path)}")

    def handled(handle: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(app: web.Application, request: web.Request) -> Any:
            reached("before", request)
            answer = await handle(app, request)
            reached("amid", request)
            return answer

        return watched

    def answered(finish: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(handler: RequestHandler, request: web.BaseRequest, *args: Any) -> Any:
            told = await finish(handler, request, *args)
            reached("after", request)
            return told

        return watched

    wrap(web.Application, "_handle", handled)
    wrap(RequestHandler, "finish_response", answered)


def wrap(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put what `make` makes of it in the place of a method, for the rest of this process's life."""
    setattr(owner, name, functools.wraps(getattr(owner, name))(make(getattr(owner, name))))


def _tracing(rims: _Rims) -> aiohttp.TraceConfig:
    def telling(phase: str) -> Callable[[aiohttp.ClientSession, SimpleNamespace, Any], Awaitable[None]]:
        async def tell(_: aiohttp.ClientSession, __: SimpleNamespace, told: Any) -> None:
            _touched(rims, phase, told.method, told.url.path, told.headers)

        return tell

    config = aiohttp.TraceConfig()
    config.on_request_start.append(telling("before"))
    config.on_request_end.append(telling("after"))
    config.on_request_exception.append(telling("after"))
    return config


def _touched(rims: _Rims, phase: str, method: str, path: str, headers: Mapping[str, str]) -> None:
    if path.startswith("/sandbox/"):
        return
    # The library names the type of its JSON; that of a form with files is only known once it is sent.
    plain = method in {"GET", "DELETE"} or headers.get("Content-Type") == "application/json"
    rims.reached(f"{phase} {_service(path)} {method}{'' if plain else '+files'} {_without_ids(path)}")


def _service(path: str) -> str:
    prefixes = {"/api/v10": "discord", "/gateway": "discord", "/api/v2": "horde", "/api/v1": "osais"}
    return next((name for prefix, name in prefixes.items() if path.startswith(prefix)), "media")


def _without_ids(path: str) -> str:
    parts = ["…" if _ID.match(part) else part for part in path.split("/")]
    if parts[1] in {"attachments", "horde-transient", "uploads", "source"}:
        parts[2:] = ["…"]
    if parts[1] == "cb":
        parts[2] = "…"
    if parts[1] == "hook":
        parts[3:] = ["…"]
    return "/".join(parts)


def _statement(sql: str) -> str:
    """Verb and table: what else a statement says differs from run to run with what happened to change."""
    table = re.search(r"(?:FROM|INTO|UPDATE|TABLE) (\w+)", sql)
    verb = "LEASE" if sql.startswith("WITH due") else sql.split(maxsplit=1)[0]
    return f"{verb} {table[1]}" if table else sql[:40]
