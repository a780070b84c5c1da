"""SQLite with one trip to its thread for each statement, where the driver makes four.

aiosqlite gives every connection a thread and goes there to make a cursor, to execute, to fetch, and to close. While the
event loop is busy each trip waits until the loop gives up the interpreter's lock, so with five hundred commands at once
the trips cost more than the statements. All that SQLAlchemy wants of a statement is done here in one: it reads every
result to its end anyway.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import aiosqlite

Parameters = Sequence[Any] | dict[str, Any]


class OneTripCursor:
    """What SQLAlchemy's adapter asks of a cursor; closed before anybody sees its result."""

    def __init__(self, run: Callable[..., Any]) -> None:
        """`run` calls a function with the raw connection, in the thread that owns it."""
        self._run = run
        self._rows: list[Any] = []
        #: As in DB-API 2.0.
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Parameters = ()) -> Self:
        """Execute a statement and fetch all it returns."""
        await self._run(partial(self._go, sqlite3.Cursor.execute, sql, parameters))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Parameters]) -> Self:
        """Execute a statement with each of these."""
        await self._run(partial(self._go, sqlite3.Cursor.executemany, sql, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        """Every row."""
        return self._rows

    async def close(self) -> None:
        """Do nothing: it is closed."""

    def _go(self, execute: Callable[..., object], sql: str, parameters: object, connection: sqlite3.Connection) -> None:
        cursor = connection.cursor()
        try:
            execute(cursor, sql, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


class OneTripConnection(aiosqlite.Connection):
    """aiosqlite's connection with these cursors. Its thread ends with the process, whatever becomes of it."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True

    def cursor(self) -> OneTripCursor:  # type: ignore[override]
        """Make a cursor, which takes no trip at all and does what SQLAlchemy uses of one."""
        return OneTripCursor(self._in_thread)

    async def rollback(self) -> None:
        """End the transaction if there is one; after every reading SQLAlchemy asks for it, and there is none."""
        if self.in_transaction:
            await super().rollback()

    async def _in_thread(self, do: Callable[[sqlite3.Connection], None]) -> None:
        await self._execute(do, self._conn)  # type: ignore[no-untyped-call]


def connect(database: str, **options: Any) -> OneTripConnection:
    """Make a connection that opens when awaited: SQLAlchemy's `async_creator_fn`."""
    return OneTripConnection(partial(sqlite3.connect, database, **options))
