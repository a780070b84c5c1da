"""`OsaisSim`: the simulated OSAIS as one object, with the levers that tests and the control API pull."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.control import Service
from bot.sandbox.osais.acknowledgements import Delivery, Verdict
from bot.sandbox.osais.assumptions import Assumed
from bot.sandbox.osais.clients import Clients
from bot.sandbox.osais.control import control_routes
from bot.sandbox.osais.engines import Engine, load_engine
from bot.sandbox.osais.plays import Notify, Play, Upload
from bot.sandbox.osais.requests import OsaisRequest, phantom
from bot.sandbox.osais.runner import Runner, notify_message, upload_message
from bot.sandbox.osais.scenarios import SCENARIOS, play_of
from bot.sandbox.osais.sender import Sender
from bot.sandbox.osais.views import Views
from bot.sandbox.osais.wire import FilePart
from bot.sandbox.outgoing import Outgoing

#: Most files a client can ask for; frames and scenarios add to that.
_MOST_FILES = 4


class OsaisSim:
    """An OSAIS on the injected clock: routes to serve, a world to run, and levers.

    `speed` divides the time that its AIs take, not delays that do not depend on a machine.
    `public_url` is where the server is reached, for links to files; set it once the port is known.
    `mapping` says where public addresses of clients really lie (see `bot.sandbox.outgoing`); it may change later.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 1,
        speed: float = 1.0,
        public_url: str = "",
        mapping: Mapping[str, str] | None = None,
    ) -> None:
        self.public_url = public_url
        self._clock = clock
        self._seed = seed
        self._always: tuple[str, ...] = ()
        self._next: deque[tuple[str, ...]] = deque()
        self._ready = asyncio.Event()
        self.clients = Clients(clock, seed=seed)
        self.client = self.clients.add("muster")
        self.stranger = self.clients.add("stranger")
        self.outgoing = Outgoing(service=Service.OSAIS, mapping={} if mapping is None else mapping)
        self._sender = Sender(clock, self.outgoing, seed=seed)
        self._runner = Runner(
            clock,
            sender=self._sender,
            outgoing=self.outgoing,
            speed=speed,
            expire_bearers=self.clients.expire_bearers,
        )
        self._views = Views(
            clock,
            seed=seed,
            clients=self.clients,
            base=lambda: self.public_url,
            play_of=self._play_of,
            accept=self._runner.take,
        )

    @property
    def token(self) -> str:
        """The client token a bot logs in with."""
        return self.client.token

    @property
    def secret(self) -> str:
        """The secret to that token."""
        return self.client.secret

    @property
    def speed(self) -> float:
        """How much quicker than usual the AIs are."""
        return self._runner.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if speed <= 0:
            raise ValueError("the speed has to be above 0")
        self._runner.speed = speed

    @property
    def requests(self) -> Mapping[int, OsaisRequest]:
        """Every request ever accepted, by uid."""
        return self._views.requests

    @property
    def made(self) -> Mapping[int, list[str]]:
        """By uid the SHA-256 of every file made so far that a client should show, in order."""
        return {
            uid: [made.sha256 for made in request.files.values() if made.good]
            for uid, request in self._views.requests.items()
        }

    @property
    def deliveries(self) -> list[Delivery]:
        """Every call to a client and what came of it, in order."""
        return list(self._sender.deliveries)

    @property
    def invalid_acknowledgements(self) -> list[Delivery]:
        """Every call that was answered, but not exactly as specified."""
        return [one for one in self._sender.deliveries if one.verdict is Verdict.INVALID]

    def routes(self) -> list[web.RouteDef]:
        """`/api/v1/...` and `/uploads/...`."""
        return self._views.routes()

    def control_routes(self) -> list[web.RouteDef]:
        """`/sandbox/osais/...`, described in `docs/sandbox-osais.md`."""
        return control_routes(self)

    async def run(self) -> None:
        """Perform what is submitted until cancelled; every request is a child of this."""
        async with self.outgoing:
            self._ready.set()
            try:
                await self._runner.run()
            finally:
                self._ready.clear()

    async def settled(self) -> None:
        """Return when everything going on waits for the clock (or a hold): no call in flight, no file half made."""
        await self._runner.stillness.wait()

    def play_next(self, *names: str, times: int = 1) -> None:
        """Let the next requests be performed as these scenarios say together; ValueError for an unknown one."""
        self._next.extend([_known(names)] * times)

    def play_always(self, *names: str) -> None:
        """Let every request that nothing else is planned for be performed that way; without names: nominally."""
        self._always = _known(names)

    def hold_after(self, stage: int) -> None:
        """Let every play stop after its notification of that stage, until `release`."""
        self._runner.hold.after(stage)

    @property
    def held_after(self) -> int | None:
        """The stage that plays stop after; None while they don't."""
        return self._runner.hold.stage

    def release(self) -> None:
        """Let the plays that are held go on."""
        self._runner.hold.release()

    def expire_bearers(self) -> None:
        """End the life of every Bearer that is out."""
        self.clients.expire_bearers()

    def set_status(self, name: str, status: int) -> None:
        """Answer with another status where the sources state none; ValueError for an unknown name."""
        self._views.statuses[Assumed(name)] = status

    def set_config(self, engine: str, version: str = "") -> None:
        """Serve an older config of an engine: `v1.2.0` of ping, `v1.0.3` of gfpgan; empty is the newest."""
        try:
            load_engine(engine, version)
        except FileNotFoundError as error:
            raise ValueError(f"there is no config {version} of {engine}") from error
        self._views.versions[engine] = version

    def remove_client(self) -> None:
        """Delete the bot's client token: a login answers 404, a submit that none is there."""
        self.clients.remove(self.client.token)

    def foreign_request(self) -> int:
        """Have a request of another client stand there; returns its uid."""
        uid = self._views.new_uid()
        self._views.requests[uid] = phantom(uid, self.stranger, self._clock.now())
        return uid

    async def notify(self, uid: int, stage: int, descr: str = "", **changes: Any) -> Delivery:
        """Send one notification now; `changes` are fields of `plays.Notify` (`fields`, `omit`, `wire`, `expected`)."""
        await self._ready.wait()
        message = notify_message(self._request(uid), Notify(stage=stage, descr=descr, **changes))
        return await self._sender.send(message)

    async def upload(self, uid: int, data: bytes, name: str = "", **changes: Any) -> Delivery:
        """Send one upload of any bytes now; `changes` are fields of `plays.Upload`."""
        await self._ready.wait()
        request = self._request(uid)
        written = await upload_message(request, Upload(file=0, **changes))
        file = FilePart(name=name or f"{uid}_9999.{request.kind}", data=data)
        return await self._sender.send(replace(written, file=file, what=f"upload {file.name}"))

    def state(self) -> dict[str, object]:
        """Everything of interest."""
        return {
            "client": {name: value for name, value in self.client.shown().items() if name != "token"},
            "speed": self.speed,
            "hold": self._runner.hold.stage,
            "next": [list(names) for names in self._next],
            "always": list(self._always),
            "statuses": {str(name): status for name, status in self._views.statuses.items()},
            "requests": [_shown(request) for request in self._views.requests.values()],
            "invalid_acknowledgements": [one.to_dict() for one in self.invalid_acknowledgements],
        }

    def _play_of(self, engine: Engine, params: Mapping[str, object], uid: int) -> Play:
        names = self._next.popleft() if self._next else self._always
        files = _files(engine.name, params)
        seed = Random(f"{self._seed}/{uid}").randrange(2**31)
        return play_of(names, files=files, cost_ms=engine.cost_ms, seed=seed)

    def _request(self, uid: int) -> OsaisRequest:
        """The request of that uid, or one that stands for it when nobody ever made it."""
        return self._views.requests.get(uid) or phantom(uid, self.client, self._clock.now())


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in SCENARIOS:
            raise ValueError(f"there is no scenario {name!r}")
    return names


def _files(engine: str, params: Mapping[str, object]) -> int:
    """How many files a run makes: what is asked for only tells with diffusion."""
    match engine:
        case "diffusion":
            return min(_MOST_FILES, max(1, _integer(params.get("cimg"), 1)))
        case "vqgan" if (interval := _integer(params.get("saveinterval"), 0)) > 0:
            return 1 + _integer(params.get("steps"), 0) // interval
        case _:
            return 1


def _integer(value: object, default: int) -> int:
    return value if isinstance(value, int) else default


def _shown(request: OsaisRequest) -> dict[str, object]:
    return {
        "uid": request.uid,
        "engine": request.name,
        "given": request.given,
        "oddities": list(request.oddities),
        "checks": request.checks,
        "ended": request.ended_at is not None,
        "files": [
            {"name": made.name, "bytes": len(made.data), "sha256": made.sha256, "good": made.good}
            for made in request.files.values()
        ],
        "story": list(request.story),
    }
