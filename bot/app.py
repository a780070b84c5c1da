"""The composition root: everything is opened here, handed on by constructor, and closed in reverse order."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from bot.app_horde import wire_horde
from bot.app_loops import App, serve
from bot.app_osais import open_osais
from bot.client import MusterClient, point_library_at
from bot.clock import Clock
from bot.delivery import DiscordRefetcher, MessageOpener, OriginalFinder, wire_delivery
from bot.delivery.routes import Routes
from bot.domain.jobs import ProcessId
from bot.errors import SetupError
from bot.http import HttpClient
from bot.media import MediaFetcher
from bot.services.asking import Asking
from bot.services.captioning import Captioner
from bot.services.composing import Composer
from bot.services.conversations import Conversations
from bot.services.imagining import Imagining
from bot.services.jobs import JobService
from bot.services.line import Line
from bot.services.personas import built_in
from bot.services.preferences import Preferences
from bot.services.reply_book import ReplyBook
from bot.services.sources import KeptSources
from bot.services.steps import Steps
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
from bot.web.doors import find_doors
from bot.web.health import Health
from bot.web.listener import Listener
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
from cogs.pickers import Pickers
from cogs.picture_work import PictureWork
from cogs.speakers import Speakers
from cogs.submissions import Submissions

#: Longest call of Discord's webhook routes, in seconds: an edit that hangs is tried again while its token lives.
LONGEST_CALL = 60.0


async def run_bot(settings: Settings, *, clock: Clock, stop: asyncio.Event | None = None) -> int:
    """Run the bot until SIGTERM, SIGINT, or `stop`; returns the exit code. Raises `SetupError`."""
    stopping = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    if stop is None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
    try:
        async with open_app(settings, clock=clock) as app:
            await serve(app, stopping)
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
async def open_app(settings: Settings, *, clock: Clock) -> AsyncIterator[App]:
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
        horde = wire_horde(
            settings,
            session,
            media,
            clock,
            known_ids=store.known_remote_ids,
            webhooks=doors.hooks if doors else None,
        )
        conversations = Conversations(SqlConversationStore(database), store, clock)
        asking = Asking(horde.text_models, built_in(), anonymous=settings.horde_is_anonymous)
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
        delivery = wire_delivery(
            routes=routes,
            artifacts=artifacts,
            sources=sources,
            book=book,
            preferences=preferences,
            clock=clock,
            engines=osais is not None,
        )
        providers = {**horde.providers, **(osais.providers if osais else {})}
        captions = Captioner(horde.alchemy, sources, clock)
        steps = Steps(
            store=store,
            artifacts=artifacts,
            providers=providers,
            sources=sources,
            shows=delivery,
            clock=clock,
            process=process,
            composes=Composer(asking=asking, conversations=conversations, captions=captions),
        )
        line = Line(
            store=store, providers=providers, clock=clock, share=settings.jobs_per_person, room=horde.account.room
        )
        tracker = Tracker(store=store, steps=steps, line=line, clock=clock, process=process)
        osais_token = settings.osais_token if osais else None
        listener = Listener(doors, wake=tracker.wake, osais_token=osais_token) if doors else None
        jobs = JobService(
            store=store,
            tracker=tracker,
            shows=delivery,
            clock=clock,
            process=process,
            at_most=settings.jobs_per_person + settings.jobs_waiting_per_person,
        )
        imagining = Imagining(horde.models)
        submissions = Submissions(jobs, delivery, clock)
        engines = Osais(jobs, osais.engines, osais.wishes, submissions) if osais else None
        work = PictureWork(submissions, horde.desk, engines)
        pickers = Pickers(work, horde.desk)
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
        mentions = Mentions(jobs, delivery, routes, horde.desk, clock, client, hearing, engines)
        controls = Controls(jobs=jobs, submissions=submissions, imagining=imagining, work=work, delivery=delivery)
        controls.learn({**ask.presses, **(engines.presses if engines else {})}, deleted=ask.deleted)
        cogs = [
            Imagine(submissions, imagining, engines),
            Alchemy(work, pickers, client.tree),
            ask,
            chat,
            PersonaCommands(asking.personas),
            JobCommands(jobs, delivery, preferences, controls),
            mentions,
            controls,
            About(lambda: client.command_ids),
        ]
        client.equip(cogs=[*cogs, *([engines] if engines else [])], presses=controls, picks=pickers)
        yield App(
            settings=settings,
            clock=clock,
            process=process,
            processes=SqlProcessStore(database),
            artifacts=artifacts,
            inbox=inbox,
            writer=database.writer,
            horde=horde,
            osais=osais,
            conversations=conversations,
            tracker=tracker,
            delivery=delivery,
            jobs=jobs,
            client=client,
            finder=OriginalFinder(routes, clock, MessageOpener(routes, delivery, clock)),
            health=Health(clock),
            listener=listener,
        )
