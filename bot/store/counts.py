"""How much is in work, and whose it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.jobs import JobId
from bot.domain.stages import Stage
from bot.store.base import InWork
from bot.store.conditions import AT_PROVIDER, UNDER_WAY
from bot.store.rows import parts_of
from bot.store.tables import jobs

#: How many jobs people have that are not over. Every new one goes through it: made once, it costs its execution only.
_OPEN_OF: Final = (
    select(jobs.c.asker_id, func.count())
    .where(jobs.c.asker_id.in_(bindparam("askers", expanding=True)), UNDER_WAY)
    .group_by(jobs.c.asker_id)
)
_WAITING: Final = func.coalesce(jobs.c.progress["waiting"].as_integer(), 1)
#: What providers said of the jobs they have.
_AT_PROVIDERS: Final = (
    select(jobs.c.provider, jobs.c.asker_id, func.count(), func.sum(_WAITING))
    .where(jobs.c.stage.in_(AT_PROVIDER), UNDER_WAY)
    .group_by(jobs.c.provider, jobs.c.asker_id)
)
#: Jobs that are on their way to one: nobody said anything of them yet, so all that they ask for waits.
_LEAVING: Final = select(jobs.c.provider, jobs.c.asker_id, jobs.c.kind, jobs.c.request).where(
    jobs.c.stage == Stage.SUBMITTING.value, UNDER_WAY
)


async def open_of(connection: AsyncConnection, askers: Collection[int]) -> Counter[int]:
    """How many jobs that are not over each of these people has."""
    found = Counter[int]()
    for asker_id, count in await connection.execute(_OPEN_OF, {"askers": list(askers)}):
        found[asker_id] = count
    return found


async def in_work(connection: AsyncConnection, without: Collection[JobId]) -> list[InWork]:
    """Who has how much at which provider, or on the way to it, leaving some jobs out."""
    others = jobs.c.id.not_in(without)
    counts, waiting = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for provider, asker_id, count, told in await connection.execute(_AT_PROVIDERS.where(others)):
        counts[provider, asker_id] += count
        waiting[provider, asker_id] += int(told)
    for provider, asker_id, kind, request in await connection.execute(_LEAVING.where(others)):
        counts[provider, asker_id] += 1
        waiting[provider, asker_id] += parts_of(kind, request)
    return [
        InWork(provider=provider, asker_id=asker_id, jobs=count, waiting=waiting[provider, asker_id])
        for (provider, asker_id), count in counts.items()
    ]
