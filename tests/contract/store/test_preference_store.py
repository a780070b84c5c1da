"""What every `PreferenceStore` promises."""

from __future__ import annotations

from bot.domain.preferences import Notify
from bot.store.engine import Database
from bot.store.preferences import SqlPreferenceStore


async def test_choice_is_kept_for_each_person(database: Database) -> None:
    store = SqlPreferenceStore(database)
    assert await store.notify_of(1) is Notify.OFF
    await store.set_notify(1, Notify.DM)
    await store.set_notify(1, Notify.PING)
    assert await store.notify_of(1) is Notify.PING
    assert await store.notify_of(2) is Notify.OFF
