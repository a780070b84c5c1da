"""Putting the AI Horde together: its pictures, its alchemy and its texts, with one key and from one address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

import aiohttp

from bot.chat.operators import operators_book
from bot.clock import Clock
from bot.http import HttpClient
from bot.media import MediaFetcher
from bot.providers.base import Provider
from bot.providers.horde import (
    Account,
    AddressGate,
    AlchemyDesk,
    Catalogue,
    HordeAlchemyProvider,
    HordeCalls,
    HordeClient,
    HordeImageProvider,
    HordeTextClient,
    HordeTextProvider,
    TextCatalogue,
)
from bot.providers.horde.webhooks import Webhooks
from bot.settings import Settings

#: Tells which of these remote ids belong to a provider's jobs already.
KnownIds = Callable[[str, Collection[str]], Awaitable[Collection[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HordeParts:
    """What the rest of the bot needs of it."""

    images: HordeImageProvider
    alchemy: HordeAlchemyProvider
    texts: HordeTextProvider
    account: Account

    @property
    def models(self) -> Catalogue:
        """The image models."""
        return self.images.catalogue

    @property
    def desk(self) -> AlchemyDesk:
        """Which forms of alchemy can be had."""
        return self.alchemy.desk

    @property
    def text_models(self) -> TextCatalogue:
        """The text models."""
        return self.texts.catalogue

    @property
    def providers(self) -> Mapping[str, Provider]:
        """What the tracker needs, by name."""
        return {provider.name: provider for provider in (self.images, self.alchemy, self.texts)}


def wire_horde(
    settings: Settings,
    session: aiohttp.ClientSession,
    media: MediaFetcher,
    clock: Clock,
    *,
    known_ids: KnownIds,
    webhooks: Webhooks | None,
) -> HordeParts:
    """Wire the parts; none of them holds anything that has to be closed."""
    calls = HordeCalls(
        http=HttpClient(session, clock),
        base_url=settings.horde_url,
        api_key=settings.horde_api_key,
        client_agent=settings.horde_client_agent,
    )
    client = HordeClient(calls, clock, reference_url=settings.horde_image_reference_url)
    text_client = HordeTextClient(calls, session, clock, reference_url=settings.horde_text_reference_url)
    # We have one address, and it is shut out for pictures and texts alike.
    gate = AddressGate(clock)
    return HordeParts(
        images=HordeImageProvider(
            client,
            media,
            Catalogue(client, clock),
            clock,
            gate=gate,
            known_ids=partial(known_ids, HordeImageProvider.name),
            webhooks=webhooks,
        ),
        alchemy=HordeAlchemyProvider(client, media, AlchemyDesk(client, clock), clock, webhooks=webhooks),
        texts=HordeTextProvider(
            text_client,
            TextCatalogue(
                text_client,
                clock,
                book=operators_book(settings.text_templates_file, settings.template_overrides),
                overrides=settings.template_overrides,
                pinned=settings.text_models,
            ),
            clock,
            gate=gate,
            known_ids=partial(known_ids, HordeTextProvider.name),
            blocked_words=settings.blocked_words,
            webhooks=webhooks,
        ),
        account=Account(client),
    )
