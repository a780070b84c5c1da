"""The sandbox: simulators of Discord, the AI Horde and OSAIS, and control of their world, on one address.

    /api/v10, /gateway, /attachments              Discord
    /api/v2, /reference, /horde-transient         the AI Horde
    /api/v1, /uploads                             OSAIS
    /sandbox                                      control API (docs/sandbox.md)
    /                                             the playground, a page on which people use it all

`Sandbox` is what tests and the demo open; `main_sandbox` is `python -m bot sandbox`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Collection, Iterator, Mapping
from types import TracebackType
from typing import Protocol, Self

from aiohttp import web
from yarl import URL

from bot.sandbox.bot_process import BotControl
from bot.sandbox.call_log import CallLog
from bot.sandbox.discord import DiscordSim
from bot.sandbox.faults import Faults
from bot.sandbox.guard import guard_control
from bot.sandbox.horde import HordeSim
from bot.sandbox.lifetime import first_of, until_told
from bot.sandbox.live import LiveNews
from bot.sandbox.osais import OsaisSim
from bot.sandbox.outgoing import AddressMap
from bot.sandbox.playground import Playground, soften_refusals
from bot.sandbox.world import ClockControl, WorldClock

#: Largest request taken; what Discord or the Horde refuse for its size is theirs to refuse.
LARGEST_REQUEST = 128 * 1024 * 1024
#: Real seconds that requests in flight may take when the sandbox stops.
SHUTDOWN_SECONDS = 0.5

DISCORD = "discord"
HORDE = "horde"
OSAIS = "osais"
SIMULATORS = (DISCORD, HORDE, OSAIS)


class Simulator(Protocol):
    """What a simulator of one service has to offer to be served."""

    public_url: str

    def routes(self) -> list[web.RouteDef]:
        """The service's own routes."""
        ...

    def control_routes(self) -> list[web.RouteDef]:
        """Its part of the control API."""
        ...

    async def run(self) -> None:
        """What it does by itself, until cancelled."""
        ...


class Sandbox:
    """The whole world on a loopback port: `async with Sandbox() as sandbox: ... sandbox.url`."""

    def __init__(
        self,
        *,
        only: Collection[str] = SIMULATORS,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        seed: int = 0,
        token: str = "",
        rate_limits: bool = False,
        rate_limit_window: float = 0.05,
        clock: WorldClock | None = None,
        address_map: AddressMap | None = None,
    ) -> None:
        """Prepare a world; nothing is served before it is entered.

        Args:
            only: which simulators to serve.
            host: address to listen on.
            port: 0 takes a free one.
            speed: how much quicker than real ones the Horde's workers are.
            seed: of everything random.
            token: the bot token Discord accepts; one is made up when it is empty.
            rate_limits: whether the services limit the rate of calls.
            rate_limit_window: length of Discord's windows in real seconds (discord.py waits in real time).
            clock: the world's clock, where a test brings its own.
            address_map: public addresses of the bot and where they lie; the first is told as its `public_url`.
        """
        self.clock = clock or WorldClock()
        self.faults = Faults(self.clock)
        self.calls = CallLog(self.clock)
        self.bot_control = BotControl(self.calls.links.logged)
        self.only = frozenset(only)
        self._clock_control = ClockControl(self.clock)
        self._host, self._port = host, port
        self._url = URL()
        self._running: asyncio.Task[None] | None = None
        self._discord = DiscordSim(
            self.clock, seed=seed, token=token, rate_limits=rate_limits, rate_limit_window=rate_limit_window
        )
        self.address_map = AddressMap() if address_map is None else address_map
        self._horde = HordeSim(self.clock, seed=seed, speed=speed, rate_limits=rate_limits, mapping=self.address_map)
        self._horde.outgoing.heard = self.calls.note
        self._osais = OsaisSim(self.clock, seed=seed, speed=speed, mapping=self.address_map)
        self._osais.outgoing.heard = self.calls.note
        self._live = LiveNews(
            clock=self.clock,
            calls=self.calls,
            faults=self.faults,
            bot_control=self.bot_control,
            discord=self._discord,
            horde=self._horde,
            osais=self._osais,
        )

    @property
    def url(self) -> str:
        """Where it is served, without a slash at the end."""
        return str(self._url).rstrip("/")

    @property
    def control_url(self) -> str:
        """Where the control API begins."""
        return f"{self.url}/sandbox"

    @property
    def discord(self) -> DiscordSim:
        """The simulated Discord."""
        return self._discord

    @property
    def horde(self) -> HordeSim:
        """The simulated AI Horde."""
        return self._horde

    @property
    def osais(self) -> OsaisSim:
        """The simulated OSAIS."""
        return self._osais

    def addresses(self) -> dict[str, str]:
        """Return what a bot has to be told to use the services served here, by the names of its settings."""
        told: dict[str, str] = {}
        if DISCORD in self.only:
            told["discord_api_url"] = f"{self.url}/api/v10"
            told["discord_gateway_url"] = str(self._url.with_scheme("ws") / "gateway")
            told["discord_token"] = self.discord.token
        if HORDE in self.only:
            told["horde_url"] = f"{self.url}/api/v2"
            told["horde_image_reference_url"] = f"{self.url}/reference/stable_diffusion.json"
            told["horde_text_reference_url"] = f"{self.url}/reference/db.json"
        if OSAIS in self.only:
            told["osais_url"] = self.url
            told["osais_token"] = self.osais.token
            told["osais_secret"] = self.osais.secret
        if self.address_map:
            told["public_url"] = next(iter(self.address_map))
        # With scheme and port, or a bot would insist on https.
        told["media_hosts"] = self.url
        return told

    def settings_env(self, database_url: str, *, horde_user: str | None = None) -> dict[str, str]:
        """Return the environment of a bot that lives in this world and keeps its data in `database_url`.

        It uses the Horde with the key of `horde_user` (docs/sandbox-horde.md has the cast), or as nobody in particular.
        """
        settings = {name.upper(): value for name, value in self.addresses().items()}
        if horde_user is not None:
            settings["HORDE_API_KEY"] = self.horde.user(horde_user).key
        # Where the proxy looks for it, if there is one.
        port = URL(next(iter(self.address_map.values()))).port if self.address_map else 0
        settings["WEB_PORT"] = str(port)
        return {**settings, "DATABASE_URL": database_url, "LOG_LEVEL": "INFO", "LOG_FORMAT": "text"}

    async def __aenter__(self) -> Self:
        # The simulators put their address into what they say, so the port is taken before anything is served.
        listener = socket.create_server((self._host, self._port))
        self._url = _address(listener)
        ready = asyncio.Event()
        # A task of its own, for a fixture may leave the world in another task than it entered it.
        self._running = asyncio.create_task(self._run(listener, ready), name="sandbox")
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._running.done():
            self._running.result()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def hang_up_on_pages(self) -> None:
        """Cut the connection over which pages hear the news; they come back by themselves."""
        await self._live.close()

    async def failed(self) -> None:
        """Wait for the world to break down, and raise why; returns only by an exception or cancelled."""
        if self._running is not None:
            await asyncio.shield(self._running)

    def simulators(self) -> Iterator[Simulator]:
        """The simulators that are served."""
        if DISCORD in self.only:
            yield self.discord
        if HORDE in self.only:
            yield self.horde
        if OSAIS in self.only:
            yield self.osais

    async def _run(self, listener: socket.socket, ready: asyncio.Event) -> None:
        with contextlib.closing(listener):
            for simulator in self.simulators():
                simulator.public_url = self.url
            runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
            await runner.setup()
            try:
                await web.SockSite(runner, listener).start()
                async with asyncio.TaskGroup() as group:
                    for simulator in self.simulators():
                        group.create_task(simulator.run(), name=f"{type(simulator).__name__}.run")
                    ready.set()
                    # The simulators may have nothing to do by themselves; the server still has.
                    await asyncio.Event().wait()
            finally:
                self.faults.clear()
                await self._clock_control.close()
                await self._live.close()
                await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(
            client_max_size=LARGEST_REQUEST,
            middlewares=[guard_control, soften_refusals, self.calls.middleware, self.faults.middleware],
        )
        for controlled in (self._clock_control, self.faults, self.calls, self.bot_control, self.address_map):
            app.add_routes(controlled.control_routes())
        if DISCORD in self.only:
            app.add_routes(self._live.control_routes())
            app.add_routes(Playground().routes())
        for simulator in self.simulators():
            app.add_routes(simulator.routes())
            app.add_routes(simulator.control_routes())
        return app


def main_sandbox(args: argparse.Namespace) -> int:
    """Serve the simulators until SIGINT or SIGTERM; prints one JSON line with their addresses first."""
    try:
        asyncio.run(_serve(args))
    except OSError as error:
        sys.stderr.write(
            f"The sandbox cannot be served on port {args.port}: {error.strerror or error}. Try --port 0.\n"
        )
        return 1
    return 0


async def _serve(args: argparse.Namespace) -> None:
    async with (
        Sandbox(
            only=args.only, port=args.port, speed=args.speed, seed=args.seed, address_map=AddressMap.parse(args.map)
        ) as sandbox,
        until_told() as told,
    ):
        line: Mapping[str, str] = {**sandbox.addresses(), "control_url": sandbox.control_url}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        await first_of(told.wait(), sandbox.failed())


def _address(listener: socket.socket) -> URL:
    host, port = listener.getsockname()[:2]
    return URL.build(scheme="http", host=host, port=port)
