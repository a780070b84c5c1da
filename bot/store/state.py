"""Small facts that outlive a process."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Delete, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.base import StateStore
from bot.store.engine import Database
from bot.store.tables import insert_into, state, upsert

#: Turns are never given further ahead than this: a clock that was wrong for a while must not stop everybody for good.
FURTHEST: Final = timedelta(seconds=60)


class SqlStateStore(StateStore):
    """The `StateStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, key: str) -> str | None:
        """The value, or None."""
        async with self._database.reading() as connection:
            value: str | None = await connection.scalar(select(state.c.value).where(state.c.key == key))
        return value

    async def write(self, key: str, value: str, *, until: datetime | None = None) -> None:
        """Keep the value; from `until` on it may be forgotten."""
        await self._database.writer.submit(partial(_write, key=key, value=value, until=until))

    async def forget(self, key: str) -> None:
        """Delete the value, if there is one."""
        await self._database.writer.submit(partial(_count, statement=delete(state).where(state.c.key == key)))

    async def purge(self, *, now: datetime) -> int:
        """Delete what was to be kept until now; returns how many."""
        return await self._database.writer.submit(partial(_count, statement=delete(state).where(state.c.until <= now)))

    async def take_turn(self, key: str, *, now: datetime, apart: timedelta) -> datetime:
        """Give the caller the next moment that is at least `apart` after the last one given, whoever got that."""
        return await self._database.writer.submit(partial(_take_turn, key=key, now=now, apart=apart))

    async def keep_first(self, key: str, value: str) -> str:
        """Keep the value unless there is one already, whoever wrote it; returns the one that is kept."""
        return await self._database.writer.submit(partial(_keep_first, key=key, value=value))


async def _write(connection: AsyncConnection, *, key: str, value: str, until: datetime | None) -> None:
    await connection.execute(upsert(connection.dialect, state, {"key": key, "value": value, "until": until}))


async def _count(connection: AsyncConnection, *, statement: Delete) -> int:
    return (await connection.execute(statement)).rowcount


async def _take_turn(connection: AsyncConnection, *, key: str, now: datetime, apart: timedelta) -> datetime:
    # A write that changes nothing locks the row on PostgreSQL; on SQLite there is one writer anyway.
    row = insert_into(connection.dialect, state).values(key=key, value="")
    locked = row.on_conflict_do_update(index_elements=["key"], set_={"value": state.c.value})
    last: str | None = await connection.scalar(locked.returning(state.c.value))
    mine = _next_turn(datetime.fromisoformat(last) + apart, now) if last else now
    await connection.execute(update(state).where(state.c.key == key).values(value=mine.isoformat()))
    return mine


def _next_turn(earliest: datetime, now: datetime) -> datetime:
    return now if earliest > now + FURTHEST else max(now, earliest)


async def _keep_first(connection: AsyncConnection, *, key: str, value: str) -> str:
    await connection.execute(
        insert_into(connection.dialect, state).values(key=key, value=value).on_conflict_do_nothing()
    )
    kept: str = (await connection.execute(select(state.c.value).where(state.c.key == key))).scalar_one()
    return kept
