"""What people chose for themselves: one row each."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.preferences import Notify
from bot.store.base import PreferenceStore
from bot.store.engine import Database
from bot.store.tables import preferences, upsert


class SqlPreferenceStore(PreferenceStore):
    """The `PreferenceStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def notify_of(self, user_id: int) -> Notify:
        """How a person wants to be told of a late answer; who never chose does not."""
        statement = select(preferences.c.notify).where(preferences.c.user_id == user_id)
        async with self._database.reading() as connection:
            chosen: str | None = await connection.scalar(statement)
        return Notify(chosen) if chosen in set(Notify) else Notify.OFF

    async def set_notify(self, user_id: int, notify: Notify) -> None:
        """Keep a person's choice."""
        await self._database.writer.submit(partial(_set, user_id=user_id, notify=notify))


async def _set(connection: AsyncConnection, *, user_id: int, notify: Notify) -> None:
    values = {"user_id": user_id, "notify": notify.value}
    await connection.execute(upsert(connection.dialect, preferences, values))
