"""Putting OSAIS together: there is nothing of it without a client token and its secret."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from bot.clock import Clock
from bot.domain.engines import PROVIDER
from bot.domain.jobs import ProcessId
from bot.http import HttpClient
from bot.media import MediaFetcher
from bot.providers.base import Provider
from bot.providers.osais import EngineCatalogue, OsaisClient, OsaisProvider
from bot.providers.osais.source_urls import FreshUrl
from bot.services.callback_addresses import CallbackAddress, tell_address
from bot.services.engines import Engines
from bot.services.latecomers import Latecomers
from bot.services.offered_sources import OfferedSources
from bot.services.open_wishes import OpenWishes
from bot.settings import Settings
from bot.store.base import ArtifactStore, InboxStore, JobStore, StateStore
from bot.web.doors import Doors

#: Seconds between two looks for files that came late.
LATE_EVERY = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OsaisParts:
    """What the rest of the bot needs of it."""

    provider: OsaisProvider
    catalogue: EngineCatalogue
    engines: Engines
    wishes: OpenWishes
    latecomers: Latecomers
    #: Tells OSAIS where to call, until it took note; returns at once without a public address.
    tell: Callable[[], Coroutine[object, object, None]]

    @property
    def providers(self) -> Mapping[str, Provider]:
        """What the tracker needs, by name."""
        return {self.provider.name: self.provider}


@asynccontextmanager
async def open_osais(
    settings: Settings,
    http: HttpClient,
    clock: Clock,
    *,
    jobs: JobStore,
    artifacts: ArtifactStore,
    inbox: InboxStore,
    state: StateStore,
    doors: Doors | None,
    process: ProcessId,
    fresh_url: FreshUrl,
) -> AsyncIterator[OsaisParts | None]:
    """Wire the parts; None where OSAIS is not offered."""
    if not settings.osais_offered:
        yield None
        return
    client = _client_of(settings, http, clock, state)
    catalogue = EngineCatalogue(client, clock)

    async def is_known(uid: str) -> bool:
        return await jobs.find_by_remote(PROVIDER, uid) is not None

    async with MediaFetcher.open((*settings.media_hosts, *_hosts(settings.osais_url))) as media:
        provider = OsaisProvider(
            client,
            catalogue,
            inbox,
            media,
            clock,
            is_known=is_known,
            pushed=doors is not None,
            links=OfferedSources(doors.sources, artifacts, clock, process) if doors is not None else None,
            fresh_url=fresh_url,
        )
        yield OsaisParts(
            provider=provider,
            catalogue=catalogue,
            engines=Engines(catalogue, fits_pictures=doors is not None),
            wishes=OpenWishes(state, clock),
            latecomers=Latecomers(
                store=jobs,
                inbox=inbox,
                artifacts=artifacts,
                providers={PROVIDER: provider},
                clock=clock,
                process=process,
            ),
            tell=partial(_tell, doors, client, state, clock),
        )


def _client_of(settings: Settings, http: HttpClient, clock: Clock, turns: StateStore) -> OsaisClient:
    url, token, secret = settings.osais_url, settings.osais_token, settings.osais_secret
    return OsaisClient(http, clock, base_url=url, token=token, secret=secret, turns=turns)


async def _tell(doors: Doors | None, client: OsaisClient, state: StateStore, clock: Clock) -> None:
    """Tell OSAIS where to call; without a public address there is nothing to tell."""
    if doors is not None:
        where = doors.address
        address = CallbackAddress(domain=where.domain, notify=where.notify_uri, upload=where.upload_uri)
        await tell_address(address, client, state, clock)


def _hosts(url: str) -> tuple[str, ...]:
    """Where its files may be fetched from: its own host and, of a name, what lies below it."""
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.port is not None or "." not in (parts.hostname or ""):
        return (f"{parts.scheme}://{parts.netloc}",)
    name = (parts.hostname or "").removeprefix("www.")
    return (name, f"*.{name}")
