"""Brings what is known of a job into its Discord reply."""

from bot.delivery.delivery import Delivery
from bot.delivery.notices import Notices
from bot.delivery.opening import InteractionOpener, MessageOpener, OriginalFinder
from bot.delivery.outbox import Outbox
from bot.delivery.refetching import DiscordRefetcher
from bot.delivery.wiring import wire_delivery

__all__ = [
    "Delivery",
    "DiscordRefetcher",
    "InteractionOpener",
    "MessageOpener",
    "Notices",
    "OriginalFinder",
    "Outbox",
    "wire_delivery",
]
