"""What services told us by calling us, durable before the call is acknowledged.

A call may be about a request that no job is known to have made: its submission's answer is still under way, perhaps in
another process, or somebody made the number up. Such calls are kept for two minutes and within limits: the oldest make
room, for an answer that is still under way belongs to the newest. Once a job has the number they are simply there;
nothing has to be moved.

What is said to be kept is kept, since an acknowledgement may follow: a call that is one too many for a job raises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import RowMapping, and_, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.callbacks import Callback, Notice, Upload
from bot.errors import InboxFull
from bot.store.base import InboxStore
from bot.store.engine import Database
from bot.store.tables import inbox, insert_into, jobs

#: How long calls are kept for requests that nobody is known to have made, and how many.
STRANGERS_KEPT: Final = timedelta(seconds=120)
STRANGERS_MOST: Final = 200
STRANGERS_BYTES: Final = 64 * 1024 * 1024
#: The same for one request that a job made: far more than any engine sends, so that nobody fills the disk.
JOBS_MOST: Final = 1000
JOBS_BYTES: Final = 512 * 1024 * 1024
#: Calls that come later than this after a job got its result are dropped.
LATE: Final = timedelta(minutes=15)
#: How long a job's calls stay after its reply showed the end: as long as its other files.
KEPT: Final = timedelta(hours=24)

#: Everything but the bytes.
_HEADS = [column for column in inbox.c if column.name != "data"]
#: The job that a call is about. Hints about a job whose request's number was lost stand under the job's own id.
_ABOUT: Final = or_(
    and_(jobs.c.provider == inbox.c.provider, jobs.c.remote_id == inbox.c.remote_id), jobs.c.id == inbox.c.remote_id
)
_KNOWN: Final = exists().where(_ABOUT)


class SqlInboxStore(InboxStore):
    """The `InboxStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, callback: Callback, data: bytes | None = None) -> bool:
        """Write a call down, with an upload's bytes; False for one that was there or came too late.

        Raises `InboxFull` when there are too many for one job.
        """
        return await self._database.writer.submit(partial(_put, row=_row(callback, data)))

    async def of(self, provider: str, remote_id: str) -> Sequence[Callback]:
        """The calls about one request, in the order they came."""
        asked = select(*_HEADS).where(inbox.c.provider == provider, inbox.c.remote_id == remote_id).order_by(inbox.c.id)
        async with self._database.reading() as connection:
            return [_callback(row) for row in (await connection.execute(asked)).mappings()]

    async def files_since(self, provider: str, since: datetime) -> frozenset[str]:
        """The requests that a file came for since then."""
        files = and_(inbox.c.provider == provider, inbox.c.kind == "upload", inbox.c.received_at >= since)
        async with self._database.reading() as connection:
            return frozenset(await connection.scalars(select(inbox.c.remote_id).where(files).distinct()))

    async def content(self, callback_id: int) -> bytes | None:
        """An upload's bytes, or None when they are gone."""
        async with self._database.reading() as connection:
            data: bytes | None = await connection.scalar(select(inbox.c.data).where(inbox.c.id == callback_id))
        return data

    async def purge(self, *, now: datetime) -> int:
        """Delete what no job asks for any more; returns how many."""
        return await self._database.writer.submit(partial(_purge, now=now))


def _row(callback: Callback, data: bytes | None) -> dict[str, Any]:
    said = callback.said
    return {
        "provider": callback.provider,
        "remote_id": callback.remote_id,
        "fingerprint": _fingerprint(said),
        "received_at": callback.received_at,
        "kind": "notice" if isinstance(said, Notice) else "upload",
        "said": asdict(said),
        "size": len(data or b""),
        "data": data,
    }


def _fingerprint(said: Notice | Upload) -> str:
    """What makes two calls about one request the same: what a notice says, or a file's bytes."""
    if isinstance(said, Upload):
        return f"upload {said.sha256}"
    told = "\0".join((str(said.stage), said.filename, said.description))
    return f"notice {hashlib.sha256(told.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _callback(row: RowMapping) -> Callback:
    kind = Notice if row["kind"] == "notice" else Upload
    return Callback(
        provider=row["provider"],
        remote_id=row["remote_id"],
        received_at=row["received_at"],
        said=kind(**row["said"]),
        id=row["id"],
    )


async def _put(connection: AsyncConnection, *, row: dict[str, Any]) -> bool:
    provider, remote_id, now = row["provider"], row["remote_id"], row["received_at"]
    theirs = and_(jobs.c.provider == provider, jobs.c.remote_id == remote_id)
    asked = select(jobs.c.ended_at).where(or_(theirs, jobs.c.id == remote_id)).order_by(jobs.c.created_at.desc())
    job = (await connection.execute(asked.limit(1))).one_or_none()
    if job is not None and job.ended_at is not None and now - job.ended_at > LATE:
        return False
    statement = insert_into(connection.dialect, inbox).values(**row).on_conflict_do_nothing().returning(inbox.c.id)
    fresh = await connection.scalar(statement) is not None
    if fresh and job is None:
        await _make_room(connection, now)
    elif fresh:
        await _check_room(connection, provider, remote_id)
    return fresh


async def _make_room(connection: AsyncConnection, now: datetime) -> None:
    """Delete the strangers' calls that are too old or, oldest first, too many."""
    await connection.execute(delete(inbox).where(~_KNOWN, inbox.c.received_at <= now - STRANGERS_KEPT))
    kept = (await connection.execute(select(inbox.c.id, inbox.c.size).where(~_KNOWN).order_by(inbox.c.id.desc()))).all()
    total = 0
    for place, call in enumerate(kept, start=1):
        total += call.size
        if place > STRANGERS_MOST or total > STRANGERS_BYTES:
            await connection.execute(delete(inbox).where(~_KNOWN, inbox.c.id <= call.id))
            return


async def _check_room(connection: AsyncConnection, provider: str, remote_id: str) -> None:
    same = and_(inbox.c.provider == provider, inbox.c.remote_id == remote_id)
    asked = select(func.count(), func.coalesce(func.sum(inbox.c.size), 0)).where(same)
    count, total = (await connection.execute(asked)).one()
    if count > JOBS_MOST or total > JOBS_BYTES:
        raise InboxFull(f"{count} calls of {total} bytes about one request")


async def _purge(connection: AsyncConnection, *, now: datetime) -> int:
    finished = exists().where(_ABOUT, jobs.c.delivered_at <= now - KEPT)
    strangers = and_(~_KNOWN, inbox.c.received_at <= now - STRANGERS_KEPT)
    return (await connection.execute(delete(inbox).where(or_(strangers, finished)))).rowcount
