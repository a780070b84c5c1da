"""Small facts that outlive a process."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.base import StateStore
from bot.store.engine import Database
from bot.store.tables import insert_into, state, upsert


class SqlStateStore(StateStore):
    """The `StateStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, key: str) -> str | None:
        """The value, or None."""
        async with self._database.reading() as connection:
            value: str | None = await connection.scalar(select(state.c.value).where(state.c.key == key))
        return value

    async def write(self, key: str, value: str) -> None:
        """Keep the value."""
        await self._database.writer.submit(partial(_write, key=key, value=value))

    async def keep_first(self, key: str, value: str) -> str:
        """Keep the value unless there is one already, whoever wrote it; returns the one that is kept."""
        return await self._database.writer.submit(partial(_keep_first, key=key, value=value))


async def _write(connection: AsyncConnection, *, key: str, value: str) -> None:
    await connection.execute(upsert(connection.dialect, state, {"key": key, "value": value}))


async def _keep_first(connection: AsyncConnection, *, key: str, value: str) -> str:
    await connection.execute(
        insert_into(connection.dialect, state).values(key=key, value=value).on_conflict_do_nothing()
    )
    kept: str = (await connection.execute(select(state.c.value).where(state.c.key == key))).scalar_one()
    return kept
