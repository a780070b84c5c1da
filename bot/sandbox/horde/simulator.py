"""`HordeSim`: the simulated AI Horde as one object."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.horde.account_views import AccountViews
from bot.sandbox.horde.agenda import Agenda
from bot.sandbox.horde.control import control_routes
from bot.sandbox.horde.floor import Floor
from bot.sandbox.horde.gate import Gate
from bot.sandbox.horde.image_views import ImageViews
from bot.sandbox.horde.levers import Levers
from bot.sandbox.horde.limits import Limiter
from bot.sandbox.horde.pictures import PREFIX, PictureStore
from bot.sandbox.horde.state_views import StateViews
from bot.sandbox.horde.worker_views import WorkerViews
from bot.sandbox.horde.world import World


class HordeSim(Levers):
    """An AI Horde on the injected clock: routes to serve, a world to run, and (from `Levers`) what tests may do to it.

    `speed` multiplies the workers' speed; at 1 a 1024x1024 picture of 30 steps takes about 30 s of the clock.
    `public_url` is where the server is reached, for picture links; set it once the port is known.
    `rate_limits=False` answers no 429, the headers stay.
    """

    def __init__(
        self, clock: Clock, *, seed: int = 1, speed: float = 1.0, public_url: str = "", rate_limits: bool = True
    ) -> None:
        self.public_url = public_url
        secret = hashlib.sha256(f"sandbox {seed}".encode()).digest()
        pictures = PictureStore(clock, public_url=lambda: self.public_url, secret=secret)
        self._agenda = Agenda(clock)
        world = World(clock, seed=seed, speed=speed, pictures=pictures)
        super().__init__(world, Floor(world, self._agenda))
        self._limiter = Limiter(clock, enforced=rate_limits)
        self._gate = Gate(clock, self._limiter)
        self._images = ImageViews(world, self._limiter, self._floor.wake)
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
        """Move the world along until cancelled; painting tasks are its children."""
        async with asyncio.TaskGroup() as tasks:
            self._floor.start(tasks)
            await self._agenda.run()

    async def settled(self) -> None:
        """Return once every picture begun so far is painted (they are painted beside the clock)."""
        await self._floor.settled()

    def set_rate_limits(self, on: bool) -> None:
        """Turn 429s on or off; all windows begin anew."""
        self._limiter.enforced = on
        self._limiter.forget()

    def forget_caches(self) -> None:
        """Empty the response caches, so that the next answers show the world as it is."""
        self._gate.forget()
        self._state.forget()

    def _changed(self) -> None:
        self.forget_caches()
        super()._changed()
