"""A client of OSAIS as the protocol notes describe it, small and honest, to try the simulator on."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import BodyPartReader, web

from bot.clock import ManualClock
from bot.sandbox.osais import OsaisSim
from bot.sandbox.outgoing import AddressMap

PUBLIC = "https://muster.test"
NOTIFY, UPLOAD = "cb/s3cret-path-of-the-bot-0001/notify", "cb/s3cret-path-of-the-bot-0001/upload"
LARGEST = 32 * 1024 * 1024


@dataclass
class Listener:
    """Takes callbacks and acknowledges them; `bend` changes answers for tests of bad clients."""

    token: str
    stages: list[tuple[int, int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    files: dict[int, list[str]] = field(default_factory=dict)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bend: Callable[[web.Response], web.StreamResponse] = lambda answer: answer

    def routes(self) -> list[web.RouteDef]:
        """Both routes, also with a slash too many."""
        paths = {NOTIFY: self.notify, UPLOAD: self.upload}
        return [web.post(slash + path, view) for path, view in paths.items() for slash in ("/", "//")]

    async def notify(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(request.headers.copy())
        fields = await self._fields(request)
        refused, uid = self._checked(fields)
        if refused is None:
            self.stages.append((uid, int(fields.get("stage", 0))))
            self.texts.append(str(fields.get("descr", "")))
        return self.bend(refused or self._acknowledged(fields, uid))

    async def upload(self, request: web.Request) -> web.StreamResponse:
        if request.content_type.startswith("multipart/"):
            try:
                fields, files = await self._parts(request)
            except (ValueError, aiohttp.ClientError):
                return refusal(400)
        else:
            fields = await self._fields(request)
            text = str(fields.get("image") or fields.get("file"))
            files = [("", base64.b64decode(text.partition("base64,")[2] or text))]
        if len(files) != 1:
            return refusal(400)
        name, data = files[0]
        fields.setdefault("uid", name.split("_")[0].split(".")[0])
        refused, uid = self._checked(fields)
        if refused is None and (bad := unfit(data)):
            refused = refusal(bad)
        if refused is None:
            self.files.setdefault(uid, []).append(hashlib.sha256(data).hexdigest())
        return self.bend(refused or self._acknowledged(fields, uid))

    async def _fields(self, request: web.Request) -> dict[str, Any]:
        if request.content_type in {"multipart/form-data", "application/x-www-form-urlencoded"}:
            return dict(await request.post())
        body = json.loads(await request.read())
        return dict(body.get("response", body))

    async def _parts(self, request: web.Request) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
        fields: dict[str, Any] = {}
        files = []
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            data = bytes(await part.read())
            if not part.at_eof():
                raise ValueError("truncated")
            if part.filename is None:
                fields[str(part.name)] = data.decode()
            else:
                files.append((part.filename, data))
        return fields, files

    def _checked(self, fields: Mapping[str, Any]) -> tuple[web.Response | None, int]:
        uid = fields.get("uid")
        if isinstance(uid, str) and uid.isdigit():
            uid = int(uid)
        if type(uid) is not int:
            return refusal(400), 0
        if fields.get("token", "0") not in {"0", self.token}:
            return refusal(403), 0
        return None, uid

    def _acknowledged(self, fields: Mapping[str, Any], uid: int) -> web.Response:
        return web.json_response({"data": {"token": self.token, "uid": uid}}, status=201)


def refusal(status: int) -> web.Response:
    return web.json_response({"data": None, "status": status, "message": "no"}, status=status)


def unfit(data: bytes) -> int | None:
    """The status for a file that no picture engine should send."""
    if len(data) > LARGEST:
        return 413
    if data.startswith(b"\x89PNG"):
        return 415 if int.from_bytes(data[16:20]) > 8192 else None
    return None if data[8:12] == b"isom" and b"vtoonify" in data else 415


@dataclass
class Stage:
    """The simulator, its clock, a logged-in client, and its listener."""

    sim: OsaisSim
    clock: ManualClock
    session: aiohttp.ClientSession
    url: str
    listener: Listener
    mapping: AddressMap
    bearer: str = ""

    async def call(self, method: str, path: str, body: object = None, bearer: str | None = None) -> tuple[int, Any]:
        """Call the API; returns status and JSON."""
        bearer = self.bearer if bearer is None else bearer
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        async with self.session.request(method, f"{self.url}/api/v1/{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def login(self) -> None:
        """Log in and say where callbacks go."""
        _, body = await self.call(
            "POST", "public/client/login", {"token": self.sim.token, "secret": self.sim.secret}, bearer=""
        )
        self.bearer = body["data"]["authToken"]
        await self.call("PATCH", "private/client/notify", {"domain": PUBLIC, "uriNotify": NOTIFY, "uriUpload": UPLOAD})

    async def submit(self, engine: str = "diffusion", **params: object) -> int:
        """Submit and return the uid, moving the clock if the answer waits for it."""
        asked = {"word": "a fox", "width": 64, "height": 64, "cimg": 4} if engine == "diffusion" else {}
        calling = asyncio.create_task(self.call("POST", f"private/client/ai/{engine}", {**asked, **params}))
        before = len(self.sim.requests)
        while not calling.done():
            await self.sim.settled()
            accepted = list(self.sim.requests.values())[before:]
            if accepted and not accepted[0].reply.done():
                await self.pass_time(0.25)
            else:
                await asyncio.wait({calling}, timeout=0.005)
        status, body = calling.result()
        assert status == 201, body
        return int(body["data"]["uid"])

    async def pass_time(self, seconds: float, *, step: float = 0.25) -> None:
        """Move the clock on, letting every call finish in between."""
        await self.sim.settled()
        for _ in range(round(seconds / step)):
            await self.clock.advance(step)
            await self.sim.settled()

    async def check(self, uid: int) -> dict[str, Any]:
        """Look at a request."""
        _, body = await self.call("GET", f"private/client/request/{uid}")
        return dict(body["data"])


@asynccontextmanager
async def open_stage(*, extra: list[web.RouteDef] | None = None) -> AsyncIterator[Stage]:
    """Serve a simulator with a listener beside it, reached as in production through a mapped address."""
    clock = ManualClock()
    mapping = AddressMap()
    sim = OsaisSim(clock, mapping=mapping)
    listener = Listener(sim.token)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes([*sim.routes(), *sim.control_routes(), *listener.routes(), *(extra or [])])
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    sim.public_url = f"http://{host}:{port}"
    mapping.add(PUBLIC, sim.public_url)
    world = asyncio.create_task(sim.run())
    try:
        async with aiohttp.ClientSession() as session:
            stage = Stage(sim, clock, session, sim.public_url, listener, mapping)
            await stage.login()
            yield stage
    finally:
        if world.done():
            world.result()
        world.cancel()
        await asyncio.gather(world, return_exceptions=True)
        await runner.cleanup()
