"""Bytes of results, in the same database as their jobs: one backup, one transaction, nothing to lose track of.

Kept until delivered and a while after (a reply may have to be mended), and under a total cap. Freed pages go back to
the file system (`auto_vacuum=INCREMENTAL`), a bounded number at a time so that other writes get their turn.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.jobs import JobId, ProcessId
from bot.errors import StaleJob, StoreError
from bot.store.base import ArtifactStore
from bot.store.engine import BUSY_TIMEOUT, Database
from bot.store.tables import artifacts, jobs, upsert

#: Total size kept unless the settings say otherwise, in bytes.
DEFAULT_CAP: Final = 2 * 1024**3
#: How long bytes stay after delivery.
DEFAULT_KEEP: Final = timedelta(hours=24)
#: Pages given back in one transaction (4 MiB of 4 KiB pages), and how often in one purge; the next one goes on.
_VACUUM_PAGES: Final = 1024
_VACUUM_ROUNDS: Final = 64
#: Rows deleted in one statement.
_CHUNK: Final = 200


class SqlArtifactStore(ArtifactStore):
    """The `ArtifactStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, *, cap_bytes: int = DEFAULT_CAP, keep: timedelta = DEFAULT_KEEP) -> None:
        self._database = database
        self._cap = cap_bytes
        self._keep = keep

    async def put(self, job_id: JobId, index: int, data: bytes, *, owner: ProcessId, now: datetime) -> str:
        """Keep the bytes; returns their sha256. Repeating it is harmless.

        Raises `StaleJob` when `owner` does not own the job (any more).
        """
        sha256 = await asyncio.to_thread(_hash, data)
        row = {"job_id": job_id, "idx": index, "sha256": sha256, "size": len(data), "created_at": now, "data": data}
        await self._database.writer.submit(partial(_put, owner=owner, row=row))
        return sha256

    async def get(self, job_id: JobId, index: int) -> bytes | None:
        """The bytes, or None when they are gone."""
        statement = select(artifacts.c.data).where(artifacts.c.job_id == job_id, artifacts.c.idx == index)
        async with self._database.reading() as connection:
            data: bytes | None = await connection.scalar(statement)
        return data

    async def purge(self, *, now: datetime) -> int:
        """Delete what was delivered long ago; over the cap, the oldest delivered, then the oldest. Returns how many."""
        writer = self._database.writer
        deleted = await writer.submit(partial(_purge_delivered, before=now - self._keep))
        deleted += await writer.submit(partial(_purge_excess, cap=self._cap))
        await self._give_back()
        return deleted

    async def _give_back(self) -> None:
        url = self._database.engine.url
        if url.get_backend_name() != "sqlite" or url.database is None:
            return
        try:
            await asyncio.to_thread(_give_back, url.database)
        except sqlite3.Error as error:
            raise StoreError(f"free pages can't be given back: {error}") from error


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _put(connection: AsyncConnection, *, owner: ProcessId, row: dict[str, Any]) -> None:
    if await connection.scalar(select(jobs.c.owner).where(jobs.c.id == row["job_id"])) != owner:
        raise StaleJob(f"{owner} does not own job {row['job_id']}")
    same = and_(artifacts.c.job_id == row["job_id"], artifacts.c.idx == row["idx"])
    if await connection.scalar(select(artifacts.c.sha256).where(same)) != row["sha256"]:
        await connection.execute(upsert(connection.dialect, artifacts, row))


async def _purge_delivered(connection: AsyncConnection, *, before: datetime) -> int:
    delivered = select(jobs.c.id).where(jobs.c.delivered_at <= before)
    return (await connection.execute(delete(artifacts).where(artifacts.c.job_id.in_(delivered)))).rowcount


async def _purge_excess(connection: AsyncConnection, *, cap: int) -> int:
    excess = (await connection.scalar(select(func.sum(artifacts.c.size))) or 0) - cap
    if excess <= 0:
        return 0
    candidates = (
        select(artifacts.c.job_id, artifacts.c.idx, artifacts.c.size)
        .join(jobs, jobs.c.id == artifacts.c.job_id)
        .order_by(jobs.c.delivered_at.is_(None), jobs.c.delivered_at, artifacts.c.created_at, artifacts.c.idx)
    )
    doomed: list[tuple[str, int]] = []
    for job_id, index, size in await connection.execute(candidates):
        if excess <= 0:
            break
        doomed.append((job_id, index))
        excess -= size
    for start in range(0, len(doomed), _CHUNK):
        chosen = (
            and_(artifacts.c.job_id == job, artifacts.c.idx == idx) for job, idx in doomed[start : start + _CHUNK]
        )
        await connection.execute(delete(artifacts).where(or_(*chosen)))
    return len(doomed)


def _give_back(file: str) -> None:
    """Return free pages of a SQLite file to the file system. Blocks.

    Each step of the pragma frees one page, and the driver takes one step only of a statement without columns; a script
    it runs to the end, but commits first. Hence a connection of its own, where nothing else is under way.
    """
    with closing(sqlite3.connect(file, isolation_level=None, timeout=BUSY_TIMEOUT)) as connection:
        for _ in range(_VACUUM_ROUNDS):
            if connection.execute("PRAGMA freelist_count").fetchone() == (0,):
                return
            connection.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
