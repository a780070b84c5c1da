"""The endpoints of the service."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from random import Random

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.osais.assumptions import STATUSES, Assumed
from bot.sandbox.osais.clients import Client, Clients
from bot.sandbox.osais.engines import KINDS, BadParameterError, Engine, load_engine
from bot.sandbox.osais.envelope import OsaisError, success
from bot.sandbox.osais.plays import Play, ReplyKind
from bot.sandbox.osais.requests import MadeFile, OsaisRequest

#: Real seconds between looks whether a caller who is never answered has given up.
_LOOK_SECONDS = 0.1
_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

View = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Views:
    """The API on one world: clients, the requests by uid, and what accepts a new one."""

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int,
        clients: Clients,
        base: Callable[[], str],
        play_of: Callable[[Engine, Mapping[str, object], int], Play],
        accept: Callable[[OsaisRequest], None],
    ) -> None:
        self._clock = clock
        self._rng = Random(f"osais {seed}")
        self._clients = clients
        self._base = base
        self._play_of = play_of
        self._accept = accept
        self.requests: dict[int, OsaisRequest] = {}
        self.statuses: dict[Assumed, int] = dict(STATUSES)
        #: Versions of configs other than the newest, by engine.
        self.versions: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        """The API and the files."""
        return [
            web.post("/api/v1/public/client/login", _enveloped(self.login)),
            web.patch("/api/v1/private/client/notify", _enveloped(self.patch_notify)),
            web.post("/api/v1/private/client/ai/{engine}", _enveloped(self.submit)),
            web.get("/api/v1/private/client/request/{uid}", _enveloped(self.check)),
            web.get("/api/v1/public/config/{engine}", _enveloped(self.config)),
            web.get("/uploads/ai/{name}", self.download),
            web.get("/uploads/client/{name}", self.download_source),
            web.route("*", "/api/v1/{rest:.*}", _enveloped(self.unknown_path)),
        ]

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Hand out a Bearer for token and secret."""
        body = await self._json_object(request)
        return success(self._clients.login(body.get("token"), body.get("secret")), status=201)

    async def patch_notify(self, request: web.Request) -> web.StreamResponse:
        """Change where callbacks go; what is not named stays as it is."""
        client = self._client(request)
        body = await self._json_object(request)
        for name in ("domain", "uriNotify", "uriUpload"):
            if not isinstance(body.get(name, ""), str):
                raise OsaisError(self.statuses[Assumed.BAD_BODY], f"{name} must be a string")
        if "domain" in body:
            domain = str(body["domain"])
            client.domain = domain if "://" in domain else f"http://{domain}"
        client.uri_notify = str(body.get("uriNotify", client.uri_notify))
        client.uri_upload = str(body.get("uriUpload", client.uri_upload))
        client.updated_at = self._clock.now()
        return success(client.shown(), status=self.statuses[Assumed.PATCHED])

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Accept a request, and answer when its play says so."""
        client = self._client(request)
        engine = self._engine(request)
        accepted = self._new_request(client, engine, await self._json_object(request))
        self._accept(accepted)
        match await asyncio.shield(accepted.reply):
            case ReplyKind.ACCEPTED:
                return success(accepted.accepted, status=self.statuses[Assumed.ACCEPTED])
            case ReplyKind.ERROR:
                raise OsaisError(self.statuses[Assumed.INNER_ERROR], "Internal error")
            case ReplyKind.HTML:
                return web.Response(status=502, text=_PAGE, content_type="text/html")
            case ReplyKind.NO_UID:
                # The author's route helper answers a POST without a result that way.
                return success(None, status=self.statuses[Assumed.ACCEPTED])
            case ReplyKind.NEVER:
                return await _never(request)

    async def check(self, request: web.Request) -> web.StreamResponse:
        """Show a request to whoever made it."""
        client = self._client(request)
        text = request.match_info["uid"]
        found = self.requests.get(int(text)) if text.isascii() and text.isdigit() else None
        if found is not None:
            found.checks += 1
        if found is None or found.checks <= found.play.poll.unknown:
            raise OsaisError(self.statuses[Assumed.UNKNOWN_REQUEST], "Could not find request")
        if found.client is not client:
            raise OsaisError(403, "Not your request, access denied", key="statusText")
        return success(found.checked(self._base()), status=self.statuses[Assumed.CHECKED], cached=True)

    async def config(self, request: web.Request) -> web.StreamResponse:
        """Show an engine's config to anybody."""
        return success(self._engine(request).shown(), status=self.statuses[Assumed.CONFIG], cached=True)

    async def unknown_path(self, request: web.Request) -> web.StreamResponse:
        """Whatever else is asked."""
        raise OsaisError(404, f"Could not find {request.path}")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file that was made; of several with one name the newest, as on a disk."""
        name = request.match_info["name"]
        named = [made for one in self.requests.values() for made in one.files.values() if made.name == name]
        return _file(named[-1]) if named else web.Response(status=404, text="Not found")

    async def download_source(self, request: web.Request) -> web.StreamResponse:
        """The service's own copy of an input file."""
        name = request.match_info["name"]
        for one in self.requests.values():
            if one.source is not None and name == f"{one.uid}.jpg":
                return _file(MadeFile(name=name, data=one.source))
        return web.Response(status=404, text="Not found")

    def new_uid(self) -> int:
        """The time in milliseconds rounded to a second, moved on while somebody has it."""
        uid = int(self._clock.now().timestamp()) * 1000
        while uid in self.requests:
            uid += 1000
        return uid

    def _new_request(self, client: Client, engine: Engine, given: dict[str, object]) -> OsaisRequest:
        try:
            params = engine.filled(given, self._rng)
        except BadParameterError as problem:
            raise OsaisError(self.statuses[Assumed.BAD_PARAMETER], str(problem)) from problem
        uid = self.new_uid()
        self.requests[uid] = OsaisRequest(
            uid=uid,
            client=client,
            engine=engine,
            given=given,
            params=params,
            started_at=self._clock.now().replace(microsecond=0),
            play=self._play_of(engine, params, uid),
            oddities=tuple(engine.oddities(given)),
            reply=asyncio.get_running_loop().create_future(),
        )
        return self.requests[uid]

    def _client(self, request: web.Request) -> Client:
        kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not bearer:
            raise OsaisError(self.statuses[Assumed.NO_BEARER], "Unauthorized")
        token = self._clients.holder(bearer.strip())
        if token is None:
            raise OsaisError(self.statuses[Assumed.BAD_BEARER], "Invalid or expired token")
        client = self._clients.find(token)
        if client is None:
            raise OsaisError(400, "A client token is required", key="statusText")
        return client

    def _engine(self, request: web.Request) -> Engine:
        name = request.match_info["engine"]
        if name not in KINDS:
            raise OsaisError(self.statuses[Assumed.UNKNOWN_ENGINE], f"Could not find AI {name}")
        return load_engine(name, self.versions.get(name, ""))

    async def _json_object(self, request: web.Request) -> dict[str, object]:
        try:
            body = await request.json() if request.body_exists else {}
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise OsaisError(self.statuses[Assumed.BAD_BODY], "The body must be a JSON object")
        return body


def _enveloped(view: View) -> View:
    """Turn refusals into answers."""

    @functools.wraps(view)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await view(request)
        except OsaisError as refusal:
            return refusal.response()

    return handle


async def _never(request: web.Request) -> web.StreamResponse:
    """Leave the caller waiting until he gives up."""
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 - nobody tells when a caller leaves
        # Real time on purpose: it is a real connection that is looked at.
        await asyncio.sleep(_LOOK_SECONDS)
    return web.Response(status=500)


def _file(made: MadeFile) -> web.Response:
    head = made.data[:12]
    kinds = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "audio/wav"))
    kind = next((kind for start, kind in kinds if head.startswith(start)), "application/octet-stream")
    return web.Response(body=made.data, content_type="video/mp4" if head[4:8] == b"ftyp" else kind)
