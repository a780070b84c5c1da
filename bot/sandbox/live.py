"""The news of the whole world over one WebSocket, for the page: `GET /sandbox/events`.

Each text is a JSON object with a `kind`:

    discord   `event`: what `/sandbox/discord/events` tells
    clock     `now`, `monotonic`, `rate`, after every change
    bot       `present`, `running`, `exit_code`, `starts`
    horde     the queue, the workers and what is arranged there
    faults    `armed`: scripted faults that still wait for a request
    calls     `calls`: remote calls that ended since the last such news, oldest first

Everything but Discord's events is told once at the beginning, and again whenever it is different. It has no events of
its own, so it is looked at a few times a second; only what changed travels.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web

from bot.sandbox.bot_process import BotControl
from bot.sandbox.call_log import CallLog
from bot.sandbox.discord import DiscordSim
from bot.sandbox.faults import Faults
from bot.sandbox.horde import HordeSim
from bot.sandbox.world import WorldClock

#: Real seconds between looks.
LOOK_SECONDS = 0.2
#: Calls told to a page that just came.
PAST_CALLS = 300

News = dict[str, Any]


class LiveNews:
    """Tells every page that listens what is new."""

    def __init__(
        self,
        *,
        clock: WorldClock,
        calls: CallLog,
        faults: Faults,
        bot_control: BotControl,
        discord: DiscordSim,
        horde: HordeSim,
    ) -> None:
        self._clock = clock
        self._calls = calls
        self._discord = discord
        self._sockets: set[web.WebSocketResponse] = set()
        self._views: dict[str, Callable[[], News]] = {
            "bot": lambda: _bot(bot_control),
            "horde": lambda: _horde(horde),
            "faults": lambda: {"armed": faults.armed()},
        }

    def control_routes(self) -> list[web.RouteDef]:
        """The route below /sandbox."""
        return [web.get("/sandbox/events", self._serve)]

    async def close(self) -> None:
        """Let every page go."""
        for socket in list(self._sockets):
            await socket.close()

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30.0, timeout=1.0)
        await socket.prepare(request)
        self._sockets.add(socket)
        telling = [
            asyncio.create_task(self._tell_events(socket), name="live events"),
            asyncio.create_task(self._tell_state(socket), name="live state"),
        ]
        try:
            async for _ in socket:
                pass  # Pages only listen; reading notices when they leave.
        finally:
            # First of all and at once: a connection that is lost cancels us here.
            self._sockets.discard(socket)
            for task in telling:
                task.cancel()
            await asyncio.gather(*telling, return_exceptions=True)
        return socket

    async def _tell_events(self, socket: web.WebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError), self._discord.subscribe() as events:
            async for event in events:
                await socket.send_json({"kind": "discord", "event": event})

    async def _tell_state(self, socket: web.WebSocketResponse) -> None:
        told: dict[str, News] = {}
        version, heard = -1, max(0, self._calls.recorded - PAST_CALLS)
        with contextlib.suppress(ConnectionError):
            while True:
                if version != self._clock.version:
                    version = self._clock.version
                    await socket.send_json({"kind": "clock", **self._clock.read().to_dict()})
                for kind, news in self._changed(told):
                    await socket.send_json({"kind": kind, **news})
                calls = self._calls.newest(self._calls.recorded - heard)
                heard = self._calls.recorded
                if calls:
                    await socket.send_json({"kind": "calls", "calls": [call.to_dict() for call in calls]})
                # Real time on purpose: a page shows a world that stands still as well.
                await asyncio.sleep(LOOK_SECONDS)

    def _changed(self, told: dict[str, News]) -> Iterator[tuple[str, News]]:
        for kind, view in self._views.items():
            news = view()
            if told.get(kind) != news:
                told[kind] = news
                yield kind, news


def _bot(control: BotControl) -> News:
    bot = control.bot
    if bot is None:
        return {"present": False, "running": False, "exit_code": None, "starts": 0}
    return {"present": True, "running": bot.running, "exit_code": bot.exit_code, "starts": bot.starts}


def _horde(horde: HordeSim) -> News:
    world = horde.world
    workers = world.park.workers
    return {
        "waiting": world.waiting_images(),
        "background": world.background_length,
        "speed": world.speed,
        "workers": len(workers),
        "online": sum(worker.online for worker in workers),
        "busy": sum(worker.busy for worker in workers),
        "paused": bool(workers) and all(worker.paused for worker in workers),
        "impossible": world.impossible,
        "maintenance": world.maintenance,
        "plans": {
            "fault": world.plans.faults,
            "silence": world.plans.silences,
            "censor": len(world.plans.censorships),
            "dead-links": world.pictures.expire_next + world.plans.lost_uploads,
        },
    }
