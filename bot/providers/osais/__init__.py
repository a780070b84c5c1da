"""OSAIS (opensourceais.com): engines that are called by name, and that tell by calls of their own how far they are."""

from __future__ import annotations

from bot.providers.osais.catalogue import EngineCatalogue
from bot.providers.osais.client import OsaisClient
from bot.providers.osais.provider import OsaisProvider

__all__ = ["EngineCatalogue", "OsaisClient", "OsaisProvider"]
