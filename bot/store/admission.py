"""Taking jobs in: those that come together are counted, and inserted, together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import DuplicateJob, TooManyJobs
from bot.store.counts import open_of
from bot.store.tables import jobs

_INSERT: Final = insert(jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A row to be inserted."""

    row: dict[str, Any]
    #: How many open jobs its asker may have with it; None for any number.
    at_most: int | None

    @property
    def asker_id(self) -> int:
        """Who asked for it."""
        return int(self.row["asker_id"])


async def admit(connection: AsyncConnection, new: Sequence[NewJob]) -> list[TooManyJobs | None]:
    """Insert all but those whose asker has too many; says for each whether it was refused.

    Raises `DuplicateJob` when one of them is there already.
    """
    told = _judge(new, await open_of(connection, {job.asker_id for job in new if job.at_most is not None}))
    rows = [job.row for job, refusal in zip(new, told, strict=True) if refusal is None]
    try:
        if rows:
            await connection.execute(_INSERT, rows)
    except IntegrityError:
        raise DuplicateJob("this interaction or message already has a job") from None
    return told


def _judge(new: Sequence[NewJob], open_jobs: Counter[int]) -> list[TooManyJobs | None]:
    told: list[TooManyJobs | None] = []
    for job in new:
        if job.at_most is not None and open_jobs[job.asker_id] >= job.at_most:
            told.append(TooManyJobs(f"user {job.asker_id} has {job.at_most} open jobs", open_jobs=job.at_most))
        else:
            open_jobs[job.asker_id] += 1
            told.append(None)
    return told
