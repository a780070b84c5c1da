"""Opening, migrating, copying, and checking a database."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.domain.stages import Stage
from bot.errors import SetupError
from bot.store import upgrade
from bot.store.artifacts import SqlArtifactStore
from bot.store.engine import check_database, open_database, parse_url
from bot.store.jobs import SqlJobStore
from bot.store.state import SqlStateStore
from bot.store.tables import metadata
from tests.factories import NOW, OWNER, make_job

ORIGINAL = upgrade.MIGRATIONS
SECOND_REVISION = """
from alembic import op

revision = "9002"
down_revision = "{down}"


def upgrade() -> None:
    op.execute("CREATE TABLE extra (id INTEGER)")
    {then}
"""

REBUILD = """with op.batch_alter_table("jobs", recreate="always"):
        pass"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "muster.db"


@pytest.fixture
def shopping_list(file: Path) -> Path:
    """A file where the database should be that is none."""
    file.parent.mkdir()
    file.write_text("Bread, milk, a new umbrella. " * 40)
    return file


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def pragma(file: Path, name: str) -> object:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name for (name,) in found}


def pretend_newer(monkeypatch: pytest.MonkeyPatch, folder: Path, *, then: str = "pass") -> None:
    """Make this version one that knows a further migration; `then` is what it does after its first statement."""
    migrations = folder / "migrations"
    (migrations / "versions").mkdir(parents=True, exist_ok=True)
    for path in (ORIGINAL / "env.py", *(ORIGINAL / "versions").glob("*.py")):
        (migrations / path.relative_to(ORIGINAL)).write_text(path.read_text("utf-8"), "utf-8")
    upgrade.head_revision.cache_clear()
    script = SECOND_REVISION.format(down=upgrade.head_revision(), then=then)
    (migrations / "versions" / "9002_extra.py").write_text(script, "utf-8")
    monkeypatch.setattr(upgrade, "MIGRATIONS", migrations)
    upgrade.head_revision.cache_clear()


@pytest.fixture(autouse=True)
def _forget_head() -> Iterator[None]:
    """`head_revision` is remembered; the tests below change what it finds."""
    yield
    upgrade.head_revision.cache_clear()


async def test_first_start_makes_folder_file_and_schema(file: Path, url: str) -> None:
    async with open_database(url):
        pass
    assert tables(file) == {*metadata.tables, "alembic_version"}
    assert pragma(file, "auto_vacuum") == 2
    assert pragma(file, "journal_mode") == "wal"
    assert mode(file) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["muster.db"], "nothing to copy, nothing left open"


async def test_connections_have_the_pragmas(url: str) -> None:
    async with open_database(url) as database, database.reading() as connection:
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert await connection.scalar(text("PRAGMA synchronous")) == 1
        assert await connection.scalar(text("PRAGMA busy_timeout")) == 30_000


def test_revisions_are_named_by_their_files() -> None:
    scripts = ScriptDirectory(str(ORIGINAL))
    assert upgrade.known_revisions() == [script.revision for script in scripts.walk_revisions()][::-1]
    assert upgrade.head_revision() == scripts.get_current_head()


@pytest.mark.parametrize("way", ["_create", "_migrate"])
async def test_migrations_and_tables_agree(way: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "_create", getattr(upgrade, way))

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with open_database(url) as database, database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_second_start_keeps_everything(file: Path, url: str) -> None:
    async with open_database(url) as database:
        await SqlStateStore(database).write("key", "value")
    async with open_database(url) as database:
        assert await SqlStateStore(database).read("key") == "value"
    assert not list(file.parent.glob("*.bak"))


async def test_two_processes_start_at_once(url: str) -> None:
    async def start() -> None:
        async with open_database(url):
            pass

    await asyncio.gather(*(start() for _ in range(4)))


async def test_closing_leaves_no_thread(url: str) -> None:
    before = set(threading.enumerate())
    async with open_database(url) as database, database.reading(), database.reading():
        pass
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


async def test_migration_keeps_a_copy_of_what_was(
    file: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(url) as database:
        await SqlStateStore(database).write("key", "value")
    pretend_newer(monkeypatch, tmp_path)
    async with open_database(url):
        pass
    assert "extra" in tables(file)
    copy = file.with_name("muster.db.before-9002.bak")
    assert "extra" not in tables(copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT value FROM state").fetchall() == [("value",)]
    assert mode(copy) == 0o600


async def test_migration_that_rebuilds_a_table_keeps_what_refers_to_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    async with open_database(url) as database:
        await SqlJobStore(database).add(job)
        await SqlArtifactStore(database).put(job.id, 0, b"picture", owner=OWNER, now=NOW)
    pretend_newer(monkeypatch, tmp_path, then=REBUILD)
    async with open_database(url) as database:
        assert await SqlJobStore(database).get(job.id) == job
        assert await SqlArtifactStore(database).get(job.id, 0) == b"picture"


async def test_migration_killed_half_way_does_not_block_the_next_start(
    file: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(url):
        pass
    with monkeypatch.context() as patch:
        pretend_newer(patch, tmp_path, then="raise KeyboardInterrupt")
        with pytest.raises(KeyboardInterrupt):
            async with open_database(url):
                pass
    assert "extra" not in tables(file)
    pretend_newer(monkeypatch, tmp_path)
    async with open_database(url):
        pass
    assert "extra" in tables(file)


async def test_killed_first_start_does_not_block_the_next(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create = upgrade._create

    def half(connection: Connection) -> None:
        create(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(upgrade, "_create", half)
        with pytest.raises(KeyboardInterrupt):
            async with open_database(url):
                pass
    async with open_database(url) as database:
        assert await SqlStateStore(database).read("key") is None


def test_only_the_last_copies_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "odd [name]*.db"
    sqlite3.connect(file).close()
    for number in range(5):
        copy = upgrade.keep_copy(file, revision=f"000{number}")
        os.utime(copy, (number, number))
    assert sorted(path.name[-8:] for path in tmp_path.glob("*.bak")) == ["0002.bak", "0003.bak", "0004.bak"]


async def test_database_of_a_newer_version_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        pretend_newer(patch, tmp_path)
        async with open_database(url):
            pass
    upgrade.head_revision.cache_clear()
    with pytest.raises(SetupError, match="newer Muster"):
        async with open_database(url):
            pass
    with pytest.raises(SetupError, match="newer Muster"):
        await check_database(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("nonsense", "not a database address", id="nonsense"),
        pytest.param("mysql://root:hush@host/db", "use SQLite or PostgreSQL", id="other-engine"),
        pytest.param("sqlite+aiosqlite://", "names no file", id="in-memory"),
        pytest.param("sqlite:///:memory:", "names no file", id="in-memory-by-name"),
    ],
)
async def test_unusable_address_is_explained(url: str, says: str) -> None:
    with pytest.raises(SetupError, match=says) as caught:
        async with open_database(url):
            pass
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        pytest.param("sqlite:///a.db", "sqlite+aiosqlite", id="sqlite"),
        pytest.param("postgres://u@h/d", "postgresql+asyncpg", id="postgres"),
        pytest.param("postgresql://u@h/d", "postgresql+asyncpg", id="postgresql"),
    ],
)
def test_driver_is_filled_in(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.usefixtures("shopping_list")
async def test_file_that_is_no_database_is_explained(url: str) -> None:
    for attempt in (check_database(url), open_database(url).__aenter__()):
        with pytest.raises(SetupError, match="not a database"):
            await attempt


async def test_folder_that_is_a_file_is_explained(file: Path, url: str) -> None:
    file.parent.touch()
    for attempt in (check_database(url), open_database(url).__aenter__()):
        with pytest.raises(SetupError, match="can't be"):
            await attempt


async def test_check_changes_nothing(file: Path, url: str) -> None:
    assert "made at the first start" in await check_database(url)
    assert not file.parent.exists()


async def test_check_of_a_migrated_database(url: str) -> None:
    async with open_database(url):
        assert "up to date" in await check_database(url)


async def test_check_of_an_older_database(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_database(url):
        pass
    pretend_newer(monkeypatch, tmp_path)
    assert "next start" in await check_database(url)


async def test_numbers_that_two_jobs_share_are_the_older_ones_after_the_migration(file: Path, url: str) -> None:
    jobs = [make_job(stage=Stage.WAITING, created_at=NOW + timedelta(seconds=number)) for number in (2, 1, 3)]
    async with open_database(url) as database:
        for job in jobs:
            await SqlJobStore(database).add(job)
    with closing(sqlite3.connect(file)) as connection:
        for index in ("uq_jobs_in_work_remote_id", "ix_jobs_urgent", "ix_jobs_unaccepted"):
            connection.execute(f"DROP INDEX {index}")
        connection.execute("ALTER TABLE state DROP COLUMN until")
        connection.execute("UPDATE jobs SET remote_id = 'the-same'")
        connection.execute("UPDATE alembic_version SET version_num = '0004'")
        connection.commit()
    async with open_database(url) as database:
        kept = [await SqlJobStore(database).get(job.id) for job in jobs]
    assert [job and job.remote_id for job in kept] == [None, "the-same", None]
