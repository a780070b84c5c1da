"""`HordeSim`: the simulated AI Horde as one object."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.control import Service
from bot.sandbox.horde.account_views import AccountViews
from bot.sandbox.horde.agenda import Agenda
from bot.sandbox.horde.alchemy.floor import AlchemyFloor
from bot.sandbox.horde.alchemy.levers import AlchemyLevers
from bot.sandbox.horde.alchemy.views import AlchemyViews
from bot.sandbox.horde.control import control_routes
from bot.sandbox.horde.floor import Floor
from bot.sandbox.horde.gate import Gate
from bot.sandbox.horde.image_views import ImageViews
from bot.sandbox.horde.limits import Limiter
from bot.sandbox.horde.pictures import PREFIX, PictureStore
from bot.sandbox.horde.state_views import StateViews
from bot.sandbox.horde.text.floor import TextFloor
from bot.sandbox.horde.text.levers import TextLevers
from bot.sandbox.horde.text.views import TextViews
from bot.sandbox.horde.webhooks import TRY_SECONDS, Postman
from bot.sandbox.horde.worker_views import WorkerViews
from bot.sandbox.horde.world import World
from bot.sandbox.outgoing import Outgoing


class HordeSim(AlchemyLevers):
    """An AI Horde on the injected clock: routes to serve, a world to run, and (from `AlchemyLevers`) test levers.

    `text` has the levers of the text side.
    `speed` multiplies the workers' speed; at 1 a 1024x1024 picture of 30 steps takes about 30 s of the clock.
    `public_url` is where the server is reached, for picture links; set it once the port is known.
    `rate_limits=False` answers no 429, the headers stay.
    `mapping` says where public addresses of clients really lie (see `bot.sandbox.outgoing`); it may change later.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 1,
        speed: float = 1.0,
        public_url: str = "",
        rate_limits: bool = True,
        mapping: Mapping[str, str] | None = None,
    ) -> None:
        self.public_url = public_url
        secret = hashlib.sha256(f"sandbox {seed}".encode()).digest()
        pictures = PictureStore(clock, public_url=lambda: self.public_url, secret=secret)
        self._agenda = Agenda(clock)
        self.outgoing = Outgoing(service=Service.HORDE, mapping={} if mapping is None else mapping, timeout=TRY_SECONDS)
        #: Sends webhooks; tests arrange there what becomes of them.
        self.postman = Postman(self.outgoing)
        world = World(clock, seed=seed, speed=speed, pictures=pictures, postman=self.postman)
        super().__init__(world, Floor(world, self._agenda), AlchemyFloor(world, self._agenda))
        self._text_floor = TextFloor(world, self._agenda)
        self.text = TextLevers(world.text, self._text_floor, self._changed)
        self._limiter = Limiter(clock, enforced=rate_limits)
        self._gate = Gate(clock, self._limiter)
        self._images = ImageViews(world, self._limiter, self._floor.wake)
        self._texts = TextViews(world, self._limiter, self._text_floor.wake)
        self._alchemy = AlchemyViews(world, self._alchemy_floor.wake)
        self._state = StateViews(world)
        self._accounts = AccountViews(world)
        self._workers = WorkerViews(world)

    @property
    def painted(self) -> Mapping[str, str]:
        """Generation id to SHA-256 of the bytes as served, for everything painted so far."""
        return self.world.pictures.painted()

    def routes(self) -> list[web.RouteDef]:
        """`/api/v2/...`, the object store and the model references."""
        return [
            *self._images.routes(self._gate),
            *self._texts.routes(self._gate),
            *self._alchemy.routes(self._gate),
            *self._state.routes(self._gate),
            *self._workers.routes(self._gate),
            *self._accounts.routes(self._gate),
            self._gate.unknown_paths(),
            *self._state.reference_routes(),
            web.get(f"{PREFIX}/{{name}}", self.world.pictures.download),
        ]

    def control_routes(self) -> list[web.RouteDef]:
        """`/sandbox/horde/...`, described in `docs/sandbox-horde.md`."""
        return control_routes(self)

    async def run(self) -> None:
        """Move the world along until cancelled; painting and alchemy tasks are its children."""
        async with self.outgoing, asyncio.TaskGroup() as tasks:
            self.postman.start(tasks)
            self._floor.start(tasks)
            self._text_floor.start()
            self._alchemy_floor.start(tasks)
            await self._agenda.run()

    async def settled(self) -> None:
        """Return once every picture and result begun so far is made (they are made beside the clock)."""
        await self._floor.settled()
        await self._alchemy_floor.settled()

    def set_rate_limits(self, on: bool) -> None:
        """Turn 429s on or off; all windows begin anew."""
        self._limiter.enforced = on
        self._limiter.forget()

    def forget_caches(self) -> None:
        """Empty the response caches, so that the next answers show the world as it is."""
        self._gate.forget()
        self._state.forget()

    def set_maintenance(self, on: bool = True) -> None:
        """Refuse new requests and empty the queues (what is in flight goes on)."""
        super().set_maintenance(on)
        if on:
            self.text.close_queue()

    def sweep(self) -> None:
        """Run the once-a-minute sweeps now."""
        super().sweep()
        self._text_floor.sweep()

    def state(self) -> dict[str, object]:
        """Everything of interest; the text side under `text`."""
        return {**super().state(), "text": self.text.state()}

    def _changed(self) -> None:
        self.forget_caches()
        super()._changed()
        self._text_floor.wake()
