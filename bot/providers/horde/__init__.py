"""The AI Horde's image service, its alchemy, and its text service behind the `Provider` port.

`wire` (its JSON, typed), `calls` (what all calls have in common) and `client` (its endpoints) know the service; `gate`
knows whether it lets us in; `mapping`, `seeds` and `errors` are pure translations; `catalogue` knows its models;
`provider` puts them together. The `alchemy` modules do the same for work on pictures, the `text` modules for answers.
Wire words stay in this package.
"""

from __future__ import annotations

from bot.providers.horde.account import Account
from bot.providers.horde.alchemy import HordeAlchemyProvider
from bot.providers.horde.alchemy_desk import AlchemyDesk
from bot.providers.horde.calls import ANONYMOUS_KEY, HordeCalls
from bot.providers.horde.catalogue import Catalogue
from bot.providers.horde.client import HordeClient
from bot.providers.horde.gate import AddressGate
from bot.providers.horde.provider import HordeImageProvider
from bot.providers.horde.text_catalogue import TextCatalogue
from bot.providers.horde.text_client import HordeTextClient
from bot.providers.horde.text_models import TextModel
from bot.providers.horde.text_provider import HordeTextProvider

__all__ = [
    "ANONYMOUS_KEY",
    "Account",
    "AddressGate",
    "AlchemyDesk",
    "Catalogue",
    "HordeAlchemyProvider",
    "HordeCalls",
    "HordeClient",
    "HordeImageProvider",
    "HordeTextClient",
    "HordeTextProvider",
    "TextCatalogue",
    "TextModel",
]
