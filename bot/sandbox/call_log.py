"""The log of remote calls: what a bot asked of which service, when, how long it took, and what came of it.

Prompts are shown (nothing in a sandbox is private), secrets are not: a token or key appears as a short mark that is
the same wherever the same secret was used.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.clock import Clock
from bot.sandbox import control
from bot.sandbox.bodies import answer_json, request_json, summarise
from bot.sandbox.control import Service
from bot.sandbox.faults import FAULT_MET
from bot.sandbox.outgoing import OutgoingCall

#: Calls kept; older ones are forgotten.
CAPACITY = 5000

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OSAIS_UID = re.compile(r"/client/request/(\d+)$")
_SECRET_IN_PATH = re.compile(r"^(/api/v10/(?:webhooks|interactions)/\d+/)([^/]+)")
_SECRET_IN_QUERY = re.compile(r"(?i)(?<=[?&])(hm|sig|signature|awsaccesskeyid|x-amz-[a-z-]+|token|apikey)=([^&]*)")
#: A segment of a path that nobody would write by hand.
_SECRET_SEGMENT = re.compile(r"/([A-Za-z0-9_~-]{20,})(?=[/?]|$)")
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

    def to_dict(self) -> dict[str, object]:
        """Return the call as the control API shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


class CallLog:
    """A ring of the last calls, its control routes, and the middleware that fills it."""

    def __init__(self, clock: Clock, *, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._calls: deque[Call] = deque(maxlen=capacity)
        self._numbers = itertools.count(1)
        #: How many calls ended so far, forgotten ones too.
        self.recorded = 0

    def control_routes(self) -> list[web.RouteDef]:
        """Routes below /sandbox/calls."""
        return [web.get("/sandbox/calls", self._list), web.delete("/sandbox/calls", self._clear)]

    def find(self, *, service: Service | None = None, since: int = 0, path: str = "", method: str = "") -> list[Call]:
        """List calls in the order they ended: numbered after `since`, of a service, whose path matches a regex."""
        wanted = re.compile(path)
        return [
            call
            for call in self._calls
            if call.number > since
            and service in {None, call.service}
            and method in {"", call.method}
            and wanted.search(call.path)
        ]

    def newest(self, count: int) -> list[Call]:
        """Return the last `count` calls in the order they ended; fewer if there are not so many."""
        return list(self._calls)[-count:] if count > 0 else []

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
            remote_id=_callback_id(outgoing.said),
            fault=None,
            outgoing=True,
            answer=answered.error or summarise(_without_secrets(answered.json())),
        )
        self._calls.append(call)
        self.recorded += 1

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
                self._calls.append(entry.ended(request, said, answer))
                self.recorded += 1

        return record

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            calls = self.find(
                service=Service(query["service"]) if query.get("service") else None,
                since=int(query.get("since", "0")),
                path=query.get("path", ""),
                method=query.get("method", "").upper(),
            )
        except (ValueError, re.error) as error:
            control.refuse(f"bad query: {error}")
        return web.json_response([call.to_dict() for call in calls])

    async def _clear(self, _: web.Request) -> web.Response:
        self._calls.clear()
        return web.Response(status=204)


class _Entry:
    """A call that has begun."""

    def __init__(self, *, number: int, service: Service, clock: Clock) -> None:
        self._number = number
        self._service = service
        self._at = clock.now().isoformat()
        self._monotonic = clock.monotonic()
        self._began = time.perf_counter()

    def ended(self, request: web.Request, said: object, answer: web.StreamResponse | None) -> Call:
        fault = request.get(FAULT_MET)
        cut = answer is None or fault in {"reset", "reset_after", "hang"}
        return Call(
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
            remote_id=_remote_id(self._service, request.path, answer),
            fault=fault,
        )


def mark(secret: str) -> str:
    """Name a secret without telling it: the same secret, the same mark."""
    return f"~{hashlib.sha256(secret.encode()).hexdigest()[:8]}"


def mask_path(path: str) -> str:
    """Replace the secrets in a path with query by their marks: interaction tokens, signatures."""
    path = _SECRET_IN_PATH.sub(lambda found: found[1] + mark(found[2]), path)
    return _SECRET_IN_QUERY.sub(lambda found: f"{found[1]}={mark(found[2])}", path)


def mask_callback(url: str) -> str:
    """Replace what looks like a secret in a client's address by its mark."""
    return _SECRET_SEGMENT.sub(lambda found: f"/{mark(found[1])}", mask_path(url))


def _callback_id(said: object) -> str | None:
    """The remote id a callback is about: OSAIS calls it uid, the Horde request."""
    if not isinstance(said, Mapping):
        return None
    identity = said.get("uid", said.get("request"))
    return None if identity is None else str(identity)


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


def _osais_id(path: str, answer: web.StreamResponse | None) -> str | None:
    """The uid of a request that was looked at, or accepted."""
    if found := _OSAIS_UID.search(path):
        return found[1]
    told = answer_json(answer) if answer is not None else None
    data = told.get("data") if isinstance(told, dict) else None
    uid = data.get("uid") if isinstance(data, dict) else None
    return None if uid is None else str(uid)


def _remote_id(service: Service, path: str, answer: web.StreamResponse | None) -> str | None:
    if service is Service.OSAIS:
        return _osais_id(path, answer)
    if service is Service.HORDE and (found := _UUID.search(path)):
        return found[0]
    told = answer_json(answer) if answer is not None else None
    identity = told.get("id") if isinstance(told, dict) else None
    return identity if isinstance(identity, str) else None
