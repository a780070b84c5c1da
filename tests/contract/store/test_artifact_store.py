"""What every `ArtifactStore` promises."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, event, text

from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.stages import Stage
from bot.errors import StaleJob, StoreError
from bot.store.artifacts import SqlArtifactStore
from bot.store.base import ArtifactStore, JobStore
from bot.store.engine import Database
from bot.store.tables import jobs
from tests.factories import NOW, OWNER, make_job

HOUR = timedelta(hours=1)
DATA = bytes(range(256)) * 40


async def added(store: JobStore, job: Job) -> Job:
    await store.add(job)
    return job


async def test_bytes_come_back(store: JobStore, artifacts: ArtifactStore) -> None:
    job = await added(store, make_job())
    assert await artifacts.put(job.id, 1, DATA, owner=OWNER, now=NOW) == hashlib.sha256(DATA).hexdigest()
    assert await artifacts.get(job.id, 1) == DATA
    assert await artifacts.get(job.id, 0) is None


async def test_putting_again_is_harmless(store: JobStore, artifacts: ArtifactStore) -> None:
    job = await added(store, make_job())
    first = await artifacts.put(job.id, 0, DATA, owner=OWNER, now=NOW)
    assert await artifacts.put(job.id, 0, DATA, owner=OWNER, now=NOW + HOUR) == first
    await artifacts.put(job.id, 0, b"other", owner=OWNER, now=NOW)
    assert await artifacts.get(job.id, 0) == b"other"


async def test_bytes_of_an_unknown_job_are_refused(artifacts: ArtifactStore) -> None:
    with pytest.raises(StoreError):
        await artifacts.put(JobId("nobody"), 0, DATA, owner=OWNER, now=NOW)


async def test_bytes_for_somebody_elses_job_are_refused(store: JobStore, artifacts: ArtifactStore) -> None:
    job = await added(store, make_job(owner=ProcessId("another")))
    with pytest.raises(StaleJob):
        await artifacts.put(job.id, 0, DATA, owner=OWNER, now=NOW)


async def test_bytes_go_with_their_job(store: JobStore, artifacts: ArtifactStore, database: Database) -> None:
    job = await added(store, make_job())
    await artifacts.put(job.id, 0, DATA, owner=OWNER, now=NOW)
    async with database.engine.begin() as connection:
        await connection.execute(delete(jobs).where(jobs.c.id == job.id))
    assert await artifacts.get(job.id, 0) is None


async def test_purge_takes_what_was_delivered_a_day_ago(store: JobStore, artifacts: ArtifactStore) -> None:
    old = await added(store, make_job(stage=Stage.ENDED, delivered_at=NOW - 24 * HOUR))
    recent = await added(store, make_job(stage=Stage.ENDED, delivered_at=NOW - 23 * HOUR))
    waiting = await added(store, make_job(stage=Stage.DELIVERING))
    for job in (old, recent, waiting):
        await artifacts.put(job.id, 0, DATA, owner=OWNER, now=NOW - 48 * HOUR)
    assert await artifacts.purge(now=NOW) == 1
    assert await artifacts.get(old.id, 0) is None
    assert await artifacts.get(recent.id, 0) == await artifacts.get(waiting.id, 0) == DATA


@pytest.mark.parametrize(
    ("cap", "left"),
    [
        pytest.param(50, ["older", "newer", "delivered-first", "delivered-last"], id="fits"),
        pytest.param(40, ["older", "newer", "delivered-first", "delivered-last"], id="exactly"),
        pytest.param(39, ["older", "newer", "delivered-last"], id="oldest-delivered-first"),
        pytest.param(20, ["older", "newer"], id="all-delivered"),
        pytest.param(10, ["newer"], id="then-the-oldest"),
        pytest.param(0, [], id="nothing-fits"),
    ],
)
async def test_purge_keeps_under_the_cap(store: JobStore, database: Database, *, cap: int, left: list[str]) -> None:
    artifacts = SqlArtifactStore(database, cap_bytes=cap)
    ages = {"older": 9, "newer": 1, "delivered-first": 3, "delivered-last": 5}
    made = {}
    for name, age in ages.items():
        stage = Stage.ENDED if name.startswith("delivered") else Stage.WAITING
        delivered_at = NOW - HOUR * (2 if name == "delivered-first" else 1) if stage is Stage.ENDED else None
        made[name] = await added(store, make_job(stage=stage, delivered_at=delivered_at))
        await artifacts.put(made[name].id, 0, b"0123456789", owner=OWNER, now=NOW - age * HOUR)
    assert await artifacts.purge(now=NOW) == 4 - len(left)
    assert [name for name, job in made.items() if await artifacts.get(job.id, 0)] == left


async def test_purge_deletes_many_at_once(store: JobStore, database: Database) -> None:
    artifacts = SqlArtifactStore(database, cap_bytes=0)
    job = await added(store, make_job())
    for index in range(450):
        await artifacts.put(job.id, index, b"x", owner=OWNER, now=NOW)
    assert await artifacts.purge(now=NOW) == 450


async def test_purge_gives_space_back(store: JobStore, database: Database, database_url: str, tmp_path: Path) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL has autovacuum")
    job = await added(store, make_job())
    for index in range(5):
        await SqlArtifactStore(database).put(job.id, index, bytes(4_000_000), owner=OWNER, now=NOW)
    await SqlArtifactStore(database, cap_bytes=0).purge(now=NOW)
    async with database.reading() as connection:
        assert await connection.scalar(text("PRAGMA freelist_count")) == 0
        assert await connection.scalar(text("PRAGMA auto_vacuum")) == 2
        await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    assert (tmp_path / "muster.db").stat().st_size < 1_000_000


async def test_job_queries_never_touch_bytes(store: JobStore, artifacts: ArtifactStore, database: Database) -> None:
    job = await added(store, make_job())
    await artifacts.put(job.id, 0, DATA, owner=OWNER, now=NOW)
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    await store.get(job.id)
    await store.lease(OWNER, now=NOW, stale_before=NOW, limit=9)
    await store.history(job.asker_id, limit=9)
    assert not [statement for statement in statements if "artifacts.data" in statement]
