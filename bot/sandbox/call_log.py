"""The log of remote calls: what a bot asked of which service, when, how long it took, and what came of it.

Prompts are shown (nothing in a sandbox is private), secrets are not: a token or key appears as a short mark that is
the same wherever the same secret was used.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.clock import Clock
from bot.sandbox import control
from bot.sandbox.bodies import answer_json, request_json, summarise
from bot.sandbox.call_clues import callback_clues, callback_id, clues_of, remote_id_of
from bot.sandbox.control import Service
from bot.sandbox.faults import FAULT_MET
from bot.sandbox.job_links import Clues, JobLinks
from bot.sandbox.marks import mark, mask_callback, mask_path
from bot.sandbox.outgoing import OutgoingCall

#: Calls kept; older ones are forgotten.
CAPACITY = 5000

_SECRET_FIELDS = frozenset({"token", "authtoken", "apikey", "api_key", "webhook", "password", "secret"})
_ANONYMOUS_KEY = "0000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One remote call, as it looked to the service."""

    #: Counts up from 1 in the order the calls began.
    number: int
    service: Service
    method: str
    #: Path and query, secrets marked.
    path: str
    #: None if the connection was cut before an answer.
    status: int | None
    #: World time at the beginning: ISO 8601, and seconds since the world began.
    at: str
    monotonic: float
    #: How long it took, in real milliseconds.
    duration_ms: float
    #: Whose key or token was used, as a mark; None without one.
    credential: str | None
    #: The request's JSON, shortened; None when it had none.
    request: object
    #: The remote id it was about: a Horde request, or a Discord message.
    remote_id: str | None
    #: The action of the scripted fault it met, if any.
    fault: str | None
    #: Whether the service made the call (a callback, a webhook); `path` is a whole address then.
    outgoing: bool = False
    #: The JSON it was answered with, shortened; kept of outgoing calls only.
    answer: object = None
    #: The bot's own job that it was made for; None while that is not known, or when it was for none.
    job: str | None = None
    #: What it was about, each as a kind and an id: `message:42`, `interaction:7`, `remote:…`.
    about: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the call as the control API shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


class CallLog:
    """A ring of the last calls, its control routes, and the middleware that fills it."""

    def __init__(self, clock: Clock, *, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._calls: dict[int, Call] = {}
        self._news: deque[Call] = deque(maxlen=capacity)
        self._numbers = itertools.count(1)
        #: Which job calls were made for; it is told what the bot logs.
        self.links = JobLinks(self._belongs)
        #: How often a call ended or became known as a job's, forgotten ones too.
        self.recorded = 0

    def control_routes(self) -> list[web.RouteDef]:
        """Routes below /sandbox/calls."""
        return [web.get("/sandbox/calls", self._list), web.delete("/sandbox/calls", self._clear)]

    def find(
        self, *, service: Service | None = None, since: int = 0, path: str = "", method: str = "", job: str = ""
    ) -> list[Call]:
        """List calls in the order they ended: numbered after `since`, of a service or job, whose path fits a regex."""
        wanted = re.compile(path)
        return [
            call
            for call in self._calls.values()
            if call.number > since
            and service in {None, call.service}
            and method in {"", call.method}
            and job in {"", call.job}
            and wanted.search(call.path)
        ]

    def newest(self, count: int) -> list[Call]:
        """Return the last `count` news in their order: calls that ended, and those whose job became known."""
        return list(self._news)[-count:] if count > 0 else []

    def note(self, outgoing: OutgoingCall) -> None:
        """Log a call that a service made by itself, such as a callback."""
        answered, number = outgoing.answered, next(self._numbers)
        call = Call(
            number=number,
            service=outgoing.service,
            method=outgoing.method,
            path=mask_callback(outgoing.url),
            status=answered.status,
            at=self._clock.now().isoformat(),
            monotonic=round(self._clock.monotonic(), 3),
            duration_ms=round(outgoing.seconds * 1000, 1),
            credential=None,
            request=summarise(_without_secrets(outgoing.said)),
            remote_id=callback_id(outgoing.said),
            fault=None,
            outgoing=True,
            answer=answered.error or summarise(_without_secrets(answered.json())),
        )
        self._ended(call, callback_clues(outgoing.said))

    @property
    def middleware(self) -> Middleware:
        """The outermost middleware of the server whose calls are logged."""

        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            service = control.service_of(request.path)
            if service is None or control.INNER_HEADER in request.headers or control.is_browser(request):
                return await handler(request)
            entry = _Entry(number=next(self._numbers), service=service, clock=self._clock)
            said = await request_json(request)
            answer: web.StreamResponse | None = None
            try:
                answer = await handler(request)
                return answer
            except web.HTTPException as error:
                answer = error
                raise
            finally:
                self._ended(*entry.ended(request, said, answer))

        return record

    def _ended(self, call: Call, clues: Clues) -> None:
        self._keep(replace(call, about=tuple(clues.names)))
        self.links.ended(call.number, clues)

    def _belongs(self, number: int, job: str) -> None:
        if call := self._calls.get(number):
            self._keep(replace(call, job=job))

    def _keep(self, call: Call) -> None:
        """Add it, or take it for the one of the same number where that stands."""
        self._calls[call.number] = call
        if len(self._calls) > self._capacity:
            del self._calls[next(iter(self._calls))]
        self._news.append(call)
        self.recorded += 1

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            calls = self.find(
                service=Service(query["service"]) if query.get("service") else None,
                since=int(query.get("since", "0")),
                path=query.get("path", ""),
                method=query.get("method", "").upper(),
                job=query.get("job", ""),
            )
        except (ValueError, re.error) as error:
            control.refuse(f"bad query: {error}")
        return web.json_response([call.to_dict() for call in calls])

    async def _clear(self, _: web.Request) -> web.Response:
        self._calls.clear()
        self._news.clear()
        return web.Response(status=204)


class _Entry:
    """A call that has begun."""

    def __init__(self, *, number: int, service: Service, clock: Clock) -> None:
        self._number = number
        self._service = service
        self._at = clock.now().isoformat()
        self._monotonic = clock.monotonic()
        self._began = time.perf_counter()

    def ended(self, request: web.Request, said: object, answer: web.StreamResponse | None) -> tuple[Call, Clues]:
        fault = request.get(FAULT_MET)
        cut = answer is None or fault in {"reset", "reset_after", "hang"}
        told = None if answer is None else answer_json(answer)
        call = Call(
            number=self._number,
            service=self._service,
            method=request.method,
            path=mask_path(request.path_qs),
            status=None if cut or answer is None else answer.status,
            at=self._at,
            monotonic=round(self._monotonic, 3),
            duration_ms=round((time.perf_counter() - self._began) * 1000, 1),
            credential=_credential(request.headers),
            request=summarise(_without_secrets(said)),
            remote_id=remote_id_of(self._service, request.path, told),
            fault=fault,
        )
        clues = clues_of(self._service, request.method, request.path, said=said, told=told, status=call.status)
        return call, clues


def _credential(headers: Mapping[str, str]) -> str | None:
    if key := headers.get("apikey"):
        return "anonymous" if key == _ANONYMOUS_KEY else mark(key)
    if authorization := headers.get("Authorization"):
        kind, _, secret = authorization.rpartition(" ")
        return f"{kind} {mark(secret)}".strip()
    return None


def _without_secrets(value: object) -> object:
    match value:
        case dict():
            return {
                key: mark(str(item)) if str(key).lower() in _SECRET_FIELDS and item else _without_secrets(item)
                for key, item in value.items()
            }
        case list():
            return [_without_secrets(item) for item in value]
        case _:
            return value
