"""What every `ProcessStore` promises: who is alive decides whose jobs are free."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest

from bot.domain.jobs import ProcessId
from bot.store.base import JobStore
from bot.store.engine import Database
from bot.store.processes import SqlProcessStore, is_alive
from tests.factories import NOW, OWNER, make_job

SECOND = timedelta(seconds=1)
STALE_AFTER = 30 * SECOND
OTHER = ProcessId("process-2")


async def can_lease(store: JobStore, owner: ProcessId, now: datetime) -> bool:
    return bool(await store.lease(owner, now=now, stale_before=now - STALE_AFTER, limit=9))


async def test_living_process_keeps_its_jobs(store: JobStore, processes: SqlProcessStore) -> None:
    await processes.enter(OWNER, host="a", pid=1, now=NOW)
    await store.add(make_job())
    assert not await can_lease(store, OTHER, NOW)
    assert await store.next_due(OTHER, stale_before=NOW - STALE_AFTER) is None
    assert await can_lease(store, OWNER, NOW)


async def test_stale_heartbeat_frees_jobs(store: JobStore, processes: SqlProcessStore) -> None:
    await processes.enter(OWNER, host="a", pid=1, now=NOW)
    await store.add(make_job())
    assert not await can_lease(store, OTHER, NOW + STALE_AFTER)
    assert await can_lease(store, OTHER, NOW + STALE_AFTER + SECOND)


async def test_beat_keeps_jobs(store: JobStore, processes: SqlProcessStore) -> None:
    await processes.enter(OWNER, host="a", pid=1, now=NOW)
    await store.add(make_job())
    await processes.beat(OWNER, NOW + 20 * SECOND)
    assert not await can_lease(store, OTHER, NOW + STALE_AFTER + SECOND)


async def test_leaving_frees_jobs_at_once(store: JobStore, processes: SqlProcessStore) -> None:
    await processes.enter(OWNER, host="a", pid=1, now=NOW)
    await store.add(make_job())
    await processes.leave(OWNER, NOW)
    assert await can_lease(store, OTHER, NOW)


@pytest.mark.parametrize(
    ("host", "pid", "alive", "freed"),
    [
        pytest.param("a", 2, False, True, id="same-host-dead"),
        pytest.param("a", 2, True, False, id="same-host-alive"),
        pytest.param("a", 1, True, True, id="same-pid-is-a-former-life"),
        pytest.param("b", 1, False, False, id="other-host-cannot-be-judged"),
    ],
)
async def test_entering_frees_jobs_of_the_surely_dead(
    database: Database, store: JobStore, *, host: str, pid: int, alive: bool, freed: bool
) -> None:
    processes = SqlProcessStore(database, is_alive=lambda _pid: alive)
    await processes.enter(OTHER, host=host, pid=pid, now=NOW)
    await store.add(make_job(owner=OTHER))
    await processes.enter(OWNER, host="a", pid=1, now=NOW)
    assert await can_lease(store, OWNER, NOW) is freed


async def test_job_leased_by_the_dead_is_due_at_once(store: JobStore, processes: SqlProcessStore) -> None:
    await processes.enter(OWNER, host="a", pid=1, now=NOW)
    await store.add(make_job(cadence=30.0))
    assert await can_lease(store, OWNER, NOW)
    await processes.enter(OTHER, host="a", pid=1, now=NOW + SECOND)
    assert await can_lease(store, OTHER, NOW + SECOND)


async def test_process_taken_for_dead_comes_back_with_its_next_beat(
    store: JobStore, processes: SqlProcessStore, other_database: Database
) -> None:
    await processes.enter(OWNER, host="a", pid=1, now=NOW)
    await SqlProcessStore(other_database, is_alive=lambda _pid: False).enter(OTHER, host="a", pid=2, now=NOW)
    await processes.beat(OWNER, NOW)
    await store.add(make_job())
    assert not await can_lease(store, OTHER, NOW)


async def test_entering_twice_is_harmless(processes: SqlProcessStore) -> None:
    await processes.enter(OWNER, host="a", pid=1, now=NOW)
    await processes.enter(OWNER, host="b", pid=2, now=NOW)


async def test_forgotten_row_of_a_living_process_stays_its_own(store: JobStore, processes: SqlProcessStore) -> None:
    await processes.enter(OTHER, host="b", pid=1, now=NOW)
    await store.add(make_job(accepted_at=None, owner=OTHER, created_at=NOW - timedelta(hours=1)))
    assert await store.unaccepted(OWNER, stale_before=NOW - STALE_AFTER) == []


def test_this_process_is_alive() -> None:
    assert is_alive(os.getpid())


def test_process_id_that_nobody_has_is_dead() -> None:
    assert not is_alive(2**22 + 1)  # above Linux's largest
