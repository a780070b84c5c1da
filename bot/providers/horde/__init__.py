"""The AI Horde's image service behind the `Provider` port.

`wire` (its JSON, typed) and `client` (its endpoints) know the service; `mapping`, `seeds` and `errors` are pure
translations; `catalogue` knows its models; `provider` puts them together. Wire words stay in this package.
"""

from __future__ import annotations

from bot.providers.horde.catalogue import Catalogue
from bot.providers.horde.client import ANONYMOUS_KEY, HordeClient
from bot.providers.horde.provider import HordeImageProvider

__all__ = ["ANONYMOUS_KEY", "Catalogue", "HordeClient", "HordeImageProvider"]
