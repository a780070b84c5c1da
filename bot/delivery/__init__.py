"""Brings what is known of a job into its Discord reply."""

from bot.delivery.delivery import Delivery
from bot.delivery.opening import InteractionOpener, OriginalFinder

__all__ = ["Delivery", "InteractionOpener", "OriginalFinder"]
