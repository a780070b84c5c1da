"""The contract suite of storage runs on every engine: a SQLite file always, PostgreSQL where one is offered.

`MUSTER_TEST_POSTGRES=postgresql://user@host/postgres` (an address that may create databases) and asyncpg turn it on.
"""

from __future__ import annotations

import importlib.util
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.artifacts import SqlArtifactStore
from bot.store.engine import Database, open_database, parse_url
from bot.store.inbox import SqlInboxStore
from bot.store.jobs import SqlJobStore
from bot.store.processes import SqlProcessStore
from bot.store.state import SqlStateStore
from tests.databases import fresh_database

POSTGRES = os.environ.get("MUSTER_TEST_POSTGRES", "")


@asynccontextmanager
async def fresh_postgres() -> AsyncIterator[str]:
    if importlib.util.find_spec("asyncpg") is None:
        pytest.skip("asyncpg is not installed")
    server, name = parse_url(POSTGRES), f"muster_test_{uuid.uuid4().hex[:12]}"
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.set(database=name).render_as_string(hide_password=False)
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name}"))
    finally:
        await engine.dispose()


ENGINES = ["sqlite", "postgresql"] if POSTGRES else ["sqlite"]


@pytest.fixture(params=ENGINES)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An address with nothing behind it yet."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'muster.db'}"
    else:
        async with fresh_postgres() as url:
            yield url


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    if database_url.startswith("sqlite"):
        await fresh_database(tmp_path)
    async with open_database(database_url) as database:
        yield database


@pytest.fixture
async def other_database(database: Database, database_url: str) -> AsyncIterator[Database]:
    """What a second process has open: the same database through connections of its own."""
    async with open_database(database_url) as other:
        yield other


@pytest.fixture
def store(database: Database) -> SqlJobStore:
    return SqlJobStore(database)


@pytest.fixture
def other_store(other_database: Database) -> SqlJobStore:
    return SqlJobStore(other_database)


@pytest.fixture
def processes(database: Database) -> SqlProcessStore:
    return SqlProcessStore(database, is_alive=lambda _pid: True)


@pytest.fixture
def artifacts(database: Database) -> SqlArtifactStore:
    return SqlArtifactStore(database)


@pytest.fixture
def inbox(database: Database) -> SqlInboxStore:
    return SqlInboxStore(database)


@pytest.fixture
def other_inbox(other_database: Database) -> SqlInboxStore:
    return SqlInboxStore(other_database)


@pytest.fixture
def state(database: Database) -> SqlStateStore:
    return SqlStateStore(database)
