"""Running the bot: the parts, put together, and the loops that keep them going until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from bot.app_horde import HordeParts
from bot.app_osais import LATE_EVERY, OsaisParts
from bot.client import MusterClient
from bot.clock import Clock
from bot.delivery import Delivery, OriginalFinder
from bot.domain.jobs import ProcessId
from bot.errors import StoreError
from bot.services.conversations import Conversations
from bot.services.jobs import JobService
from bot.services.tracker import Tracker
from bot.settings import Settings
from bot.store.artifacts import SqlArtifactStore
from bot.store.inbox import SqlInboxStore
from bot.store.processes import SqlProcessStore
from bot.store.writer import Writer
from bot.web.health import Health
from bot.web.listener import Listener
from bot.web.server import serve_web

log = logging.getLogger(__name__)

#: Seconds between two signs of life of this process.
HEARTBEAT: Final = 10.0
#: Seconds between two looks at the lists of models, alchemists and engines.
MODELS_EVERY: Final = 60.0
#: Seconds between two looks at the account's limits, and between two purges.
ACCOUNT_EVERY: Final = 600.0
PURGE_EVERY: Final = 600.0
#: Seconds that requests on their way to a provider, and then edits in flight, may take after we are told to stop.
GRACE: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The running parts, wired."""

    settings: Settings
    clock: Clock
    process: ProcessId
    processes: SqlProcessStore
    artifacts: SqlArtifactStore
    inbox: SqlInboxStore
    writer: Writer
    horde: HordeParts
    #: None without a client token of OSAIS.
    osais: OsaisParts | None
    conversations: Conversations
    tracker: Tracker
    delivery: Delivery
    jobs: JobService
    client: MusterClient
    finder: OriginalFinder
    health: Health
    #: None without a public address.
    listener: Listener | None


async def serve(app: App, stopping: asyncio.Event) -> None:
    """Run every loop until told to stop. Open jobs go on at once, before Discord's gateway is up."""
    await app.processes.enter(app.process, host=socket.gethostname(), pid=os.getpid(), now=app.clock.now())
    settings = app.settings
    beat = app.health.heartbeat("heartbeat", within=6 * HEARTBEAT)
    app.health.add_loop("tracker", lambda: app.tracker.turned_at, within=60.0)
    app.health.add_part("store", lambda: app.writer.healthy)
    app.health.add_part("gateway", app.client.gateway_up)
    app.health.add_part("providers", lambda: not app.tracker.services_down)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serve_web(app.health, settings.web_host, settings.web_port, app.listener))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        loops = _started(app, group, beat, stopping)
        await stopping.wait()
        log.info("stopping", extra={"action": "bot.stopping"})
        app.client.stopping = True
        app.jobs.accepting = False
        await app.tracker.close(GRACE)
        await app.delivery.close(GRACE)
        # Closed before its task is cancelled: a reconnecting shard of discord.py swallows the cancellation.
        await app.client.shut()
        for task in loops:
            task.cancel()
    await app.processes.leave(app.process, app.clock.now())
    log.info("stopped", extra={"action": "bot.stopped"})


def _started(
    app: App, group: asyncio.TaskGroup, beat: Callable[[], None], stopping: asyncio.Event
) -> Sequence[asyncio.Task[None]]:
    """Start every loop as a child of `group`; one that dies ends them all."""
    tasks: list[asyncio.Task[None]] = []

    def run(name: str, loop: Coroutine[object, object, None]) -> None:
        tasks.append(group.create_task(loop, name=name))

    def every(seconds: float, name: str, chore: Callable[[], Awaitable[None]]) -> None:
        run(name, _every(app.clock, seconds, chore))

    run("delivery", app.delivery.run())
    run("tracker", app.tracker.run())
    every(HEARTBEAT, "heartbeat", lambda: _beat(app, beat))
    every(ACCOUNT_EVERY, "account", app.horde.account.refresh)
    every(MODELS_EVERY, "models", app.horde.models.refresh)
    every(MODELS_EVERY, "alchemists", app.horde.desk.refresh)
    every(MODELS_EVERY, "texts", app.horde.text_models.refresh)
    every(PURGE_EVERY, "purge", lambda: _purge(app))
    every(HEARTBEAT, "resume", lambda: _resume(app))
    run("discord", _discord(app, stopping))
    if app.osais is not None:
        every(MODELS_EVERY, "engines", app.osais.catalogue.refresh)
        every(LATE_EVERY, "latecomers", app.osais.latecomers.look)
        every(PURGE_EVERY, "open-wishes", app.osais.wishes.purge)
        run("callback-address", app.osais.tell())
    return tasks


async def _discord(app: App, stopping: asyncio.Event) -> None:
    await app.client.run_until_closed(app.settings.discord_token.get_secret_value())
    stopping.set()


async def _beat(app: App, noted: Callable[[], None]) -> None:
    await app.processes.beat(app.process, app.clock.now())
    noted()


async def _resume(app: App) -> None:
    await app.jobs.resume_unaccepted(app.finder)


async def _purge(app: App) -> None:
    purged = await app.artifacts.purge(now=app.clock.now())
    if purged:
        log.info("old results deleted", extra={"action": "artifacts.purged", "count": purged})
    unasked = await app.inbox.purge(now=app.clock.now())
    if unasked:
        log.info("old calls deleted", extra={"action": "inbox.purged", "count": unasked})
    forgotten = await app.conversations.purge(days=app.settings.conversation_days)
    if forgotten:
        log.info("old conversations deleted", extra={"action": "conversations.purged", "count": forgotten})
    done_with = await app.jobs.purge(days=app.settings.job_days)
    if done_with:
        log.info("old jobs deleted", extra={"action": "jobs.purged", "count": done_with})


async def _every(clock: Clock, seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    """Do a chore now and again; a database that stumbles costs one turn, anything else ends the process."""
    while True:
        try:
            await chore()
        except StoreError as error:
            log.warning("a chore was lost", extra={"action": "chore.lost", "cause": str(error)})
        await clock.sleep(seconds)
