"""Putting delivery together."""

from __future__ import annotations

from bot.clock import Clock
from bot.delivery.book import Book
from bot.delivery.delivery import Delivery
from bot.delivery.notices import Notices
from bot.delivery.outbox import Outbox
from bot.delivery.routes import Routes
from bot.services.ports import KnowsSources
from bot.services.preferences import Preferences
from bot.store.base import ArtifactStore


def wire_delivery(
    *,
    routes: Routes,
    artifacts: ArtifactStore,
    sources: KnowsSources,
    book: Book,
    preferences: Preferences,
    clock: Clock,
    engines: bool = False,
) -> Delivery:
    """Delivery with what it sends messages by; `engines`: whether those of OSAIS are offered."""
    outbox = Outbox(routes, book, clock)
    return Delivery(
        routes=routes,
        artifacts=artifacts,
        sources=sources,
        book=book,
        outbox=outbox,
        notices=Notices(routes, outbox, preferences, clock),
        clock=clock,
        engines=engines,
    )
