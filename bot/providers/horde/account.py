"""What the account behind the key may do: how many parts may wait at once."""

from __future__ import annotations

import logging

from bot.errors import ProviderError
from bot.providers.horde.client import HordeClient

log = logging.getLogger(__name__)

#: How often more alchemy forms than pictures an account may have waiting (server 5.1.5).
FORMS_PER_PICTURE = 10
#: The provider whose parts are forms.
_ALCHEMY = "horde-alchemy"


class Account:
    """The limits of the key's account, from memory; whoever owns the loops calls `refresh` now and again."""

    def __init__(self, client: HordeClient) -> None:
        self._client = client
        self._concurrency: int | None = None

    async def refresh(self) -> None:
        """Ask the Horde; what was known stays when it does not answer.

        Everybody's key has a room that all its users in the world share, and a share of a key is not told its own: in
        both cases nothing can be known in advance.
        """
        if self._client.anonymous or self._client.shared_key:
            return
        try:
            self._concurrency = (await self._client.find_user()).concurrency
        except ProviderError as error:
            log.info("the account's limits are not known", extra={"action": "horde.no-account", "cause": str(error)})

    def room(self, provider: str) -> int | None:
        """How many parts may wait at this provider at once; None while that is not known, or not the Horde's."""
        if self._concurrency is None or provider.partition("-")[0] != "horde":
            return None
        return self._concurrency * (FORMS_PER_PICTURE if provider == _ALCHEMY else 1)
