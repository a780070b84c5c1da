"""Bring a database to this version's schema: all or nothing, one process at a time, with a copy kept of what was.

Everything happens inside the transaction of the connection that is passed in. On SQLite that is `BEGIN IMMEDIATE`, so
a second process waits, then finds nothing to do, and the copy (read through another connection) shows the state before.

Most starts find nothing to do, and the first finds an empty database, which gets the tables as they are now. Neither
loads Alembic, which would cost a tenth of a second and eight megabytes for as long as the process lives: where the
database is stands in a table, and a revision's file begins with its number.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import SetupError
from bot.store.tables import metadata

log = logging.getLogger(__name__)

#: Where Alembic's environment and revisions are.
MIGRATIONS: Final = Path(__file__).with_name("migrations")
#: How many copies from before a migration stay beside a SQLite file.
KEPT_COPIES: Final = 3
#: Any number, as long as all processes use the same: the key of PostgreSQL's advisory lock around migrations.
_LOCK_KEY: Final = 6_878_371
#: Alembic's own table, apart from ours: one row with the revision the database is at.
_VERSION: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


async def upgrade(connection: AsyncConnection, *, file: Path | None) -> None:
    """Migrate to the head revision in one transaction, copying `file` first if something in it will change.

    Raises `SetupError` when a newer Muster wrote the database.
    """
    async with connection.begin():
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        found = await connection.run_sync(current_revision)
        if found == head_revision():
            return
        require_known(found)
        if file is not None and found is not None:
            await asyncio.to_thread(keep_copy, file, revision=head_revision())
        await connection.run_sync(_migrate if found is not None else _create)
    log.info(
        "database migrated", extra={"action": "database.migrated", "from_revision": found, "revision": head_revision()}
    )


def current_revision(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.scalar(select(_VERSION.c.version_num))
    return found


def known_revisions() -> list[str]:
    """The revisions this version knows, oldest first: `0001_first_tables.py` holds revision 0001, and so on."""
    return sorted(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


@cache
def head_revision() -> str:
    """The newest revision this version knows."""
    known = known_revisions()
    if not known:
        raise RuntimeError("no migrations are installed")
    return known[-1]


def keep_copy(file: Path, *, revision: str) -> Path:
    """Copy a SQLite file, what its write-ahead log holds included, to `<name>.before-<revision>.bak`.

    Blocks. Takes its name only when complete; all but the last `KEPT_COPIES` are deleted.
    """
    copy = file.with_name(f"{file.name}.before-{revision}.bak")
    unfinished = copy.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(unfinished)) as target:
        source.backup(target)
    unfinished.replace(copy)
    copies = sorted(file.parent.glob(f"{_literal(file.name)}.before-*.bak"), key=lambda path: path.stat().st_mtime_ns)
    for old in copies[:-KEPT_COPIES]:
        old.unlink(missing_ok=True)
    return copy


def _literal(name: str) -> str:
    """Escape what `glob` would take for a pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def require_known(revision: str | None) -> None:
    """Raise `SetupError` when the database is at a revision that this version has not heard of."""
    if revision is not None and revision not in known_revisions():
        fix = "Start that version, or put back the `.bak` copy that lies beside the file."
        raise SetupError([f"The database was written by a newer Muster (revision {revision}). {fix}"])


def _create(connection: Connection) -> None:
    """Make all tables at once, as the migrations one after the other would (a test compares the two)."""
    metadata.create_all(connection, checkfirst=False)
    _VERSION.create(connection, checkfirst=False)
    connection.execute(insert(_VERSION).values(version_num=head_revision()))


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's text
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # Config files know `%` as the start of a substitution.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
