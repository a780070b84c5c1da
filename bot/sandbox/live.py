"""The news of the whole world over one WebSocket, for the page: `GET /sandbox/events`.

Each text is a JSON object with a `kind`:

    discord   `event`: what `/sandbox/discord/events` tells
    clock     `now`, `monotonic`, `rate`, after every change
    bot       `present`, `running`, `exit_code`, `starts`
    commands  `versions` of all that is registered: the page reads them anew when they are others
    horde     the queue, the workers and what is arranged there; `text` and `alchemy` the same of those
    osais     what runs and how it is arranged to go
    faults    `armed`: scripted faults that still wait for a request
    calls     `calls`: remote calls that ended or became known as a job's since the last such news, oldest first

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
from bot.sandbox.horde.alchemy.book import AlchemyBook, Mishap
from bot.sandbox.horde.text.world import TextWorld
from bot.sandbox.lifetime import first_of
from bot.sandbox.osais import OsaisSim
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
        osais: OsaisSim,
    ) -> None:
        self._clock = clock
        self._calls = calls
        self._discord = discord
        self._sockets: set[web.WebSocketResponse] = set()
        self._views: dict[str, Callable[[], News]] = {
            "bot": lambda: _bot(bot_control),
            "commands": lambda: _commands(discord),
            "horde": lambda: _horde(horde),
            "osais": lambda: _osais(osais),
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
        try:
            # Whatever ends one of them ends the connection: no page shows a world that it no longer hears of.
            await first_of(self._tell_events(socket), self._tell_state(socket), _until_left(socket))
        finally:
            self._sockets.discard(socket)
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


async def _until_left(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        pass  # Pages only listen; reading notices when they leave.


def _bot(control: BotControl) -> News:
    bot = control.bot
    if bot is None:
        return {"present": False, "running": False, "exit_code": None, "starts": 0}
    return {"present": True, "running": bot.running, "exit_code": bot.exit_code, "starts": bot.starts}


def _commands(discord: DiscordSim) -> News:
    registered = discord.world.commands.values()
    return {"versions": [str(command.get("version")) for commands in registered for command in commands.values()]}


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
        "text": _text(world.text),
        "alchemy": _alchemy(world.alchemy),
        "plans": {
            "fault": world.plans.faults,
            "silence": world.plans.silences,
            "censor": len(world.plans.censorships),
            "dead-links": world.pictures.expire_next + world.plans.lost_uploads,
            "text-fault": world.text.plans.faults,
            "text-censor": len(world.text.plans.censorships),
            "alchemy-fault": sum(plan.kind is Mishap.FAULT for plan in world.alchemy.plans),
        },
    }


def _text(text: TextWorld) -> News:
    scribes = text.hall.scribes
    return {
        "waiting": text.waiting_texts(),
        "background": text.background_length,
        "online": len(text.hall.online),
        "busy": sum(bool(scribe.busy) for scribe in scribes),
        "paused": bool(scribes) and all(scribe.paused for scribe in scribes),
    }


def _alchemy(book: AlchemyBook) -> News:
    members = book.guild.members
    return {
        "waiting": book.waiting_forms,
        "alchemists": len(members),
        "online": len(book.guild.online),
        "busy": sum(member.busy for member in members),
        "paused": bool(members) and all(member.paused for member in members),
    }


def _osais(osais: OsaisSim) -> News:
    ended = sum(request.ended_at is not None for request in osais.requests.values())
    return {
        "running": len(osais.requests) - ended,
        "ended": ended,
        "speed": osais.speed,
        "held_after": osais.held_after,
    }
