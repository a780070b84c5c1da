"""`DATABASE_URL` → an open, migrated database: engine, pragmas, writer.

SQLite is opened with `isolation_level=None`, so that the driver begins nothing of its own accord: connections that
write begin with `BEGIN IMMEDIATE`, the others read in autocommit and hold nobody up (WAL).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import SetupError
from bot.store.one_trip import connect
from bot.store.upgrade import current_revision, head_revision, require_known, upgrade
from bot.store.writer import WRITES, Writer, storage_errors

#: How often a process that is refused the switch to WAL tries again.
WAL_TRIES: Final = 20
#: How long a writer waits for another process's transaction, in seconds.
BUSY_TIMEOUT: Final = 30.0
#: What people write, and the driver that serves it.
DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
#: For a file without a page yet, before anything (even the switch to WAL) writes one: later it counts no more.
FIRST_PRAGMA: Final = "PRAGMA auto_vacuum=INCREMENTAL"
#: For every connection.
PRAGMAS: Final = (
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An open database; the stores share it."""

    engine: AsyncEngine
    writer: Writer

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for reading; errors of the database come as `StoreError`."""
        with storage_errors():
            async with self.engine.connect() as connection:
                yield connection


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open the database at `url`, migrated to this version's schema, and close it completely at the end.

    Makes a SQLite file and its folder, and keeps a copy beside the file before a migration changes it. Raises
    `SetupError` when the operator has something to mend.
    """
    address = parse_url(url)
    _prepare_file(address)
    engine = _make_engine(address)
    try:
        await _upgrade(engine, address)
        writer = Writer(engine)
        writer.start()
        try:
            yield Database(engine=engine, writer=writer)
        finally:
            await writer.close()
    finally:
        await engine.dispose()


async def check_database(url: str) -> str:
    """Say in one sentence how the database is, changing nothing. Raises `SetupError` with what to do about it."""
    address = parse_url(url)
    path = _file(address)
    if path is not None and not path.exists():
        _require_folder(path)
        return f"The database {path} does not exist yet; it is made at the first start."
    engine = _make_engine(address)
    try:
        return await _examine(engine, address)
    finally:
        await engine.dispose()


def parse_url(url: str) -> URL:
    """Read `DATABASE_URL` and name the driver. Raises `SetupError`, which never shows the password."""
    example = "for example `sqlite+aiosqlite:///data/muster.db`"
    try:
        address = make_url(url)
    except ArgumentError:
        raise SetupError([f"DATABASE_URL is not a database address. Set it, {example}."]) from None
    driver = DRIVERS.get(address.drivername)
    if driver is None:
        raise SetupError([f"DATABASE_URL names `{address.drivername}`; use SQLite or PostgreSQL, {example}."])
    if driver.startswith("sqlite") and address.database in {None, "", ":memory:"}:
        raise SetupError([f"DATABASE_URL names no file, so jobs would not survive a restart. Name one, {example}."])
    return address.set(drivername=driver)


async def _upgrade(engine: AsyncEngine, address: URL) -> None:
    """Migrate in one transaction: a start that is killed half-way leaves the database as it was."""
    try:
        async with engine.connect() as connection:
            if _file(address) is not None:
                # A migration that rebuilds a table drops the old one, and with it would go all that refers to it.
                await connection.execute(text("PRAGMA foreign_keys=OFF"))
                await connection.rollback()
            writing = await connection.execution_options(**{WRITES: True})
            await upgrade(writing, file=_file(address))
        await engine.dispose()  # of the connection without foreign keys; the next one has them
    except (SQLAlchemyError, OSError) as error:
        raise SetupError([_complaint(address, error)]) from error


async def _examine(engine: AsyncEngine, address: URL) -> str:
    try:
        async with engine.connect() as connection:
            writing = await connection.execution_options(**{WRITES: True})
            async with writing.begin():
                if not await _writable(writing):
                    raise SetupError([f"The database {_shown(address)} is read-only. Let the bot's user write to it."])
                found = await writing.run_sync(current_revision)
                require_known(found)
    except (SQLAlchemyError, OSError) as error:
        raise SetupError([_complaint(address, error)]) from error
    if found == head_revision():
        return f"The database {_shown(address)} is writable and up to date."
    return f"The database {_shown(address)} is writable; it is migrated at the next start."


async def _writable(connection: AsyncConnection) -> bool:
    # SQLite's `BEGIN IMMEDIATE` was already refused if the file can't be written; PostgreSQL tells on being asked.
    if connection.dialect.name != "postgresql":
        return True
    return bool(await connection.scalar(text("SHOW transaction_read_only")) == "off")


def _make_engine(address: URL) -> AsyncEngine:
    options: dict[str, Any] = {"hide_parameters": True}
    if _file(address) is not None:
        options["connect_args"] = {"isolation_level": None, "timeout": BUSY_TIMEOUT, "async_creator_fn": connect}
    else:
        options["pool_pre_ping"] = True
    try:
        engine = create_async_engine(address, **options)
    except ModuleNotFoundError:
        raise SetupError(
            ["DATABASE_URL names PostgreSQL, whose driver is missing. Run `pip install asyncpg`."]
        ) from None
    if _file(address) is not None:
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA page_count")
    if cursor.fetchone()[0] == 0:
        # Only then: this pragma takes the write lock, so a new reader would wait for whoever is writing.
        cursor.execute(FIRST_PRAGMA)
    _switch_to_wal(cursor)
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Turn on the write-ahead log, for good; nothing happens where it is on.

    The switch does not heed the busy timeout, so processes that make a database together get in each other's way.
    Asking for the write lock does: whoever is refused waits his turn with that, and tries again.
    """
    for _ in range(WAL_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        else:
            return
    cursor.execute("PRAGMA journal_mode=WAL")


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _file(address: URL) -> Path | None:
    """The SQLite file, or None for a server."""
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def _prepare_file(address: URL) -> None:
    path = _file(address)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Ours alone: it holds prompts and interaction tokens. SQLite gives its side files the same mode.
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise SetupError([_complaint(address, error)]) from error


def _require_folder(path: Path) -> None:
    """Check that the file could be made: the nearest folder that exists has to be a folder we may write to."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise SetupError([f"The database {path} can't be made: `{folder}` is not a folder the bot may write to."])


def _shown(address: URL) -> str:
    return str(_file(address) or address.render_as_string(hide_password=True))


def _complaint(address: URL, error: Exception) -> str:
    reason = error.orig if isinstance(error, DBAPIError) else error
    if _file(address) is not None:
        fix = "Check that DATABASE_URL names a file the bot's user may read and write, on a disk that is not full."
    else:
        fix = "Check that the server runs and that DATABASE_URL has its host, name, and password."
    return f"The database {_shown(address)} can't be used ({reason}). {fix}"
