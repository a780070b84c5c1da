"""What people choose for themselves."""

from __future__ import annotations

import logging

from bot.domain.preferences import Notify
from bot.store.base import PreferenceStore

log = logging.getLogger(__name__)


class Preferences:
    """Remembers what people chose."""

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store

    async def notify_of(self, user_id: int) -> Notify:
        """How a person wants to be told of a late answer; who never chose does not."""
        return await self._store.notify_of(user_id)

    async def choose_notify(self, user_id: int, notify: Notify) -> None:
        """Keep a person's choice."""
        await self._store.set_notify(user_id, notify)
        log.info("preference kept", extra={"action": "preferences.kept", "notify": notify.value})
