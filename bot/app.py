"""The composition root: everything is opened here, handed on by constructor, and closed in reverse order."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bot.app_osais import LATE_EVERY, OsaisParts, open_osais
from bot.chat.operators import operators_book
from bot.client import MusterClient, point_library_at
from bot.clock import Clock
from bot.delivery import Delivery, DiscordRefetcher, MessageOpener, Notices, OriginalFinder
from bot.delivery.routes import Routes
from bot.domain.jobs import ProcessId
from bot.errors import SetupError, StoreError
from bot.http import HttpClient
from bot.media import MediaFetcher
from bot.providers.horde import Account, AlchemyDesk, Catalogue, HordeAlchemyProvider, HordeClient, HordeImageProvider
from bot.providers.horde.text_catalogue import TextCatalogue
from bot.providers.horde.text_client import HordeTextClient
from bot.providers.horde.text_provider import HordeTextProvider
from bot.services.asking import Asking
from bot.services.captioning import Captioner
from bot.services.composing import Composer
from bot.services.conversations import Conversations
from bot.services.imagining import Imagining
from bot.services.jobs import JobService, ReplyBook
from bot.services.personas import built_in
from bot.services.preferences import Preferences
from bot.services.sources import KeptSources
from bot.services.talking import Talking
from bot.services.tracker import Tracker
from bot.settings import Settings
from bot.store.artifacts import SqlArtifactStore
from bot.store.conversations import SqlConversationStore
from bot.store.engine import open_database
from bot.store.inbox import SqlInboxStore
from bot.store.jobs import SqlJobStore
from bot.store.preferences import SqlPreferenceStore
from bot.store.processes import SqlProcessStore
from bot.store.state import SqlStateStore
from bot.store.writer import Writer
from bot.web.doors import find_doors
from bot.web.health import Health
from bot.web.listener import Listener
from bot.web.server import serve_web
from cogs.about import About
from cogs.alchemy import Alchemy
from cogs.ask import Ask
from cogs.chat import ChatCommands
from cogs.controls import Controls
from cogs.hearing import Hearing
from cogs.imagine import Imagine
from cogs.jobs import JobCommands
from cogs.mentions import Mentions
from cogs.osais import Osais
from cogs.personas import PersonaCommands
from cogs.speakers import Speakers

log = logging.getLogger(__name__)

#: Seconds between two signs of life of this process.
HEARTBEAT = 10.0
#: Seconds between two looks at the lists of models and alchemists, at the account's limits, and between two purges.
MODELS_EVERY, ACCOUNT_EVERY, PURGE_EVERY = 60.0, 600.0, 600.0
#: Seconds that requests on their way to a provider, and then edits in flight, may take after we are told to stop.
GRACE = 4.0
#: Longest call of Discord's webhook routes, in seconds: an edit that hangs is tried again while its token lives.
LONGEST_CALL = 60.0


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
    account: Account
    catalogue: Catalogue
    desk: AlchemyDesk
    texts: TextCatalogue
    conversations: Conversations
    tracker: Tracker
    delivery: Delivery
    jobs: JobService
    client: MusterClient
    finder: OriginalFinder
    health: Health
    #: None without a public address.
    listener: Listener | None
    #: None without a client token of OSAIS.
    osais: OsaisParts | None


async def run_bot(settings: Settings, *, clock: Clock, stop: asyncio.Event | None = None) -> int:
    """Run the bot until SIGTERM, SIGINT, or `stop`; returns the exit code. Raises `SetupError`."""
    stopping = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    if stop is None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
    try:
        async with open_app(settings, clock=clock) as app:
            await _serve(app, stopping)
    except* SetupError as group:
        raise _first(group) from None
    return 0


def _first(group: BaseExceptionGroup[SetupError]) -> SetupError:
    problems: list[str] = []
    for error in group.exceptions:
        found = _first(error) if isinstance(error, BaseExceptionGroup) else error
        problems.extend(found.problems)
    return SetupError(problems)


@asynccontextmanager
async def open_app(settings: Settings, *, clock: Clock) -> AsyncIterator[App]:  # noqa: PLR0915 - one line a part
    """Open and wire every part; nothing is running yet."""
    point_library_at(settings.discord_api_url, settings.discord_gateway_url)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.database_url))
        timeout = aiohttp.ClientTimeout(total=LONGEST_CALL)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout)
        )
        media = await stack.enter_async_context(MediaFetcher.open(settings.media_hosts))
        process = ProcessId(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}")
        store = SqlJobStore(database)
        artifacts = SqlArtifactStore(database, cap_bytes=settings.artifact_cap_bytes)
        inbox = SqlInboxStore(database)
        state = SqlStateStore(database)
        doors = await find_doors(
            settings.public_url,
            settings.webhook_secret,
            state=state,
            inbox=inbox,
            jobs=store,
            artifacts=artifacts,
            clock=clock,
        )
        hooks = doors.hooks if doors else None
        horde = HordeClient(
            HttpClient(session, clock),
            clock,
            base_url=settings.horde_url,
            api_key=settings.horde_api_key,
            client_agent=settings.horde_client_agent,
            reference_url=settings.horde_image_reference_url,
        )
        account = Account(horde)
        catalogue = Catalogue(horde, clock)
        provider = HordeImageProvider(
            horde,
            media,
            catalogue,
            clock,
            known_ids=lambda: store.known_remote_ids(HordeImageProvider.name),
            webhooks=hooks,
        )
        desk = AlchemyDesk(horde, clock)
        alchemy = HordeAlchemyProvider(horde, media, desk, clock, webhooks=hooks)
        text_client = HordeTextClient(
            session,
            clock,
            base_url=settings.horde_url,
            api_key=settings.horde_api_key,
            client_agent=settings.horde_client_agent,
            reference_url=settings.horde_text_reference_url,
        )
        texts = TextCatalogue(
            text_client,
            clock,
            book=operators_book(settings.text_templates_file, settings.template_overrides),
            overrides=settings.template_overrides,
            pinned=settings.text_models,
        )
        writer = HordeTextProvider(
            text_client,
            texts,
            clock,
            known_ids=lambda: store.known_remote_ids(HordeTextProvider.name),
            blocked_words=settings.blocked_words,
            webhooks=hooks,
        )
        conversations = Conversations(SqlConversationStore(database), store, clock)
        asking = Asking(texts, built_in(), anonymous=settings.horde_is_anonymous)
        client = MusterClient(
            state=state,
            clock=clock,
            gateway_given=bool(settings.discord_gateway_url),
            message_content=settings.message_content_intent,
        )
        stack.push_async_callback(client.shut)
        routes = Routes(client, session, clock, logged_in=client.logged_in)
        book = ReplyBook(store=store, clock=clock, process=process, messages=conversations)
        refetcher = DiscordRefetcher(routes)
        sources = KeptSources(media=media, artifacts=artifacts, clock=clock, process=process, refetcher=refetcher)
        osais = await stack.enter_async_context(
            open_osais(
                settings,
                HttpClient(session, clock),
                clock,
                jobs=store,
                artifacts=artifacts,
                inbox=inbox,
                state=state,
                doors=doors,
                process=process,
                fresh_url=refetcher.fresh_url,
            )
        )
        preferences = Preferences(SqlPreferenceStore(database))
        notices = Notices(routes, preferences)
        delivery = Delivery(
            routes=routes, artifacts=artifacts, sources=sources, book=book, notices=notices, clock=clock
        )
        tracker = Tracker(
            store=store,
            artifacts=artifacts,
            providers={
                provider.name: provider,
                alchemy.name: alchemy,
                writer.name: writer,
                **(osais.providers if osais else {}),
            },
            sources=sources,
            shows=delivery,
            clock=clock,
            process=process,
            composes=Composer(asking=asking, conversations=conversations, captions=Captioner(alchemy, sources, clock)),
            share=settings.jobs_per_person,
            room=account.room,
        )
        listener = Listener(doors, wake=tracker.wake, osais_token=settings.osais_token) if doors else None
        jobs = JobService(
            store=store,
            tracker=tracker,
            shows=delivery,
            clock=clock,
            process=process,
            at_most=settings.jobs_per_person + settings.jobs_waiting_per_person,
        )
        imagining = Imagining(catalogue)
        engines = Osais(jobs, osais.engines, delivery, clock) if osais else None
        works = Alchemy(jobs, delivery, desk, clock, client.tree, engines)
        talking = Talking(asking=asking, conversations=conversations, jobs=jobs, clock=clock)
        speakers = Speakers(delivery, routes, clock)
        free_threads = settings.chat_threads and settings.message_content_intent
        hearing = Hearing(
            talking=talking,
            conversations=conversations,
            speakers=speakers,
            client=client,
            clock=clock,
            free_threads=free_threads,
        )
        ask = Ask(
            talking=talking,
            asking=asking,
            conversations=conversations,
            jobs=jobs,
            speakers=speakers,
            routes=routes,
            tree=client.tree,
            clock=clock,
        )
        chat = ChatCommands(asking=asking, conversations=conversations, clock=clock, free_threads=free_threads)
        mentions = Mentions(jobs, delivery, routes, desk, clock, client, hearing)
        controls = Controls(jobs, imagining, delivery, clock, works)
        controls.learn({**ask.presses, **(engines.presses if engines else {})}, deleted=ask.deleted)
        cogs = [
            Imagine(jobs, imagining, delivery, clock, engines),
            works,
            ask,
            chat,
            PersonaCommands(asking.personas),
            JobCommands(jobs, delivery, preferences, controls),
            mentions,
            controls,
            About(lambda: client.command_ids),
        ]
        client.equip(cogs=[*cogs, *([engines] if engines else [])], presses=controls, picks=works)
        yield App(
            settings=settings,
            clock=clock,
            process=process,
            processes=SqlProcessStore(database),
            artifacts=artifacts,
            inbox=inbox,
            writer=database.writer,
            account=account,
            catalogue=catalogue,
            desk=desk,
            texts=texts,
            conversations=conversations,
            tracker=tracker,
            delivery=delivery,
            jobs=jobs,
            client=client,
            finder=OriginalFinder(routes, clock, MessageOpener(routes, delivery, clock)),
            health=Health(clock),
            listener=listener,
            osais=osais,
        )


async def _serve(app: App, stopping: asyncio.Event) -> None:
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
        loops = [
            group.create_task(app.delivery.run(), name="delivery"),
            group.create_task(app.tracker.run(), name="tracker"),
            group.create_task(_every(app.clock, HEARTBEAT, lambda: _beat(app, beat)), name="heartbeat"),
            group.create_task(_every(app.clock, ACCOUNT_EVERY, app.account.refresh), name="account"),
            group.create_task(_every(app.clock, MODELS_EVERY, app.catalogue.refresh), name="models"),
            group.create_task(_every(app.clock, MODELS_EVERY, app.desk.refresh), name="alchemists"),
            group.create_task(_every(app.clock, MODELS_EVERY, app.texts.refresh), name="texts"),
            group.create_task(_every(app.clock, PURGE_EVERY, lambda: _purge(app)), name="purge"),
            group.create_task(_every(app.clock, HEARTBEAT, lambda: _resume(app)), name="resume"),
            group.create_task(_discord(app, stopping), name="discord"),
        ]
        if app.osais is not None:
            loops += [
                group.create_task(_every(app.clock, MODELS_EVERY, app.osais.catalogue.refresh), name="engines"),
                group.create_task(_every(app.clock, LATE_EVERY, app.osais.latecomers.look), name="latecomers"),
                group.create_task(app.osais.tell(), name="callback-address"),
            ]
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
