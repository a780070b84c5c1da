"""Heartbeats: one row for each running process. A process without one, or with a stale one, owns nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.jobs import ProcessId
from bot.store.base import ProcessStore
from bot.store.engine import Database
from bot.store.leases import try_anew
from bot.store.tables import jobs, processes, upsert


def is_alive(pid: int) -> bool:
    """Whether this machine runs a process with that id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    process: ProcessId
    host: str
    pid: int


class SqlProcessStore(ProcessStore):
    """The `ProcessStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, *, is_alive: Callable[[int], bool] = is_alive) -> None:
        self._writer = database.writer
        self._is_alive = is_alive
        self._entered: dict[ProcessId, _Entry] = {}

    async def enter(self, process: ProcessId, *, host: str, pid: int, now: datetime) -> None:
        """Write the row, and remove those of this host whose process is gone: their jobs are free at once.

        A row with our own pid is a former life of ours (in a container every incarnation has pid 1). Jobs that nobody
        could read so far are tried once more: this process may be of another version.
        """
        entry = _Entry(process=process, host=host, pid=pid)
        await self._writer.submit(partial(self._enter, entry=entry, now=now))
        self._entered[process] = entry

    async def beat(self, process: ProcessId, now: datetime) -> None:
        """Say that the process is alive; also if somebody took it for dead and removed its row."""
        await self._writer.submit(partial(_beat, process=process, entry=self._entered.get(process), now=now))

    async def leave(self, process: ProcessId, now: datetime) -> None:
        """Remove the row: its jobs are free, and due, at once."""
        self._entered.pop(process, None)
        await self._writer.submit(partial(_remove, gone=[process], now=now))

    async def _enter(self, connection: AsyncConnection, *, entry: _Entry, now: datetime) -> None:
        here = select(processes.c.id, processes.c.pid).where(processes.c.host == entry.host)
        rows = (await connection.execute(here)).all()
        gone = [id_ for id_, pid in rows if pid == entry.pid or not self._is_alive(pid)]
        await _remove(connection, gone=gone, now=now)
        await _write(connection, entry, now)
        await try_anew(connection, now)


async def _beat(connection: AsyncConnection, *, process: ProcessId, entry: _Entry | None, now: datetime) -> None:
    statement = update(processes).where(processes.c.id == process).values(beat_at=now)
    known = (await connection.execute(statement)).rowcount > 0
    if not known and entry is not None:
        await _write(connection, entry, now)


async def _write(connection: AsyncConnection, entry: _Entry, now: datetime) -> None:
    values = {"id": entry.process, "host": entry.host, "pid": entry.pid, "started_at": now, "beat_at": now}
    await connection.execute(upsert(connection.dialect, processes, values))


async def _remove(connection: AsyncConnection, *, gone: list[ProcessId], now: datetime) -> None:
    await connection.execute(delete(processes).where(processes.c.id.in_(gone)))
    # What they had leased looks busy until its cadence is over: whoever comes next looks at it at once.
    theirs = update(jobs).where(jobs.c.owner.in_(gone), jobs.c.due_at > now)
    await connection.execute(theirs.values(owner=None, due_at=now))
