"""A fresh database in a moment: the migrations run once in a process, and everybody after that gets a copy of the file.

What is about the migrations themselves begins with no file at all (test_store_engine.py), as does every demo.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.store.engine import Database, open_database

#: The file as the migrations leave it, once they have run.
_migrated: list[bytes] = []


async def fresh_database(folder: Path) -> str:
    """Put an empty, migrated SQLite file into `folder`, unless there is one; returns its address."""
    file = folder / "muster.db"
    address = f"sqlite+aiosqlite:///{file}"
    if file.exists():
        return address
    if not _migrated:
        async with open_database(address):
            pass
        # Nobody has it open any more, so nothing is left in a write-ahead log.
        _migrated.append(file.read_bytes())
    file.write_bytes(_migrated[0])
    return address


@asynccontextmanager
async def open_fresh_database(folder: Path) -> AsyncIterator[Database]:
    """Open the database in `folder`, making it first if need be."""
    async with open_database(await fresh_database(folder)) as database:
        yield database
