"""How SQLite finds what is asked for every second: by the right index, however many jobs are open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.domain.jobs import ProcessId
from bot.store.engine import Database, open_database
from bot.store.jobs import SqlJobStore
from tests.factories import NOW

ME = ProcessId("me")
STALE = NOW - timedelta(minutes=1)

Asking = Callable[[SqlJobStore], Awaitable[object]]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'muster.db'}") as opened:
        yield opened


async def plans(database: Database, asking: Asking) -> list[str]:
    """What SQLite means to do for each statement that goes to the jobs."""
    said: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "FROM jobs" in statement or "UPDATE jobs" in statement:
            said.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    await asking(SqlJobStore(database))
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    async with database.engine.connect() as connection:
        rows = [await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {what}", values) for what, values in said]
        return ["; ".join(row.detail for row in explained) for explained in rows]


async def test_what_is_due_next_is_the_first_entry_of_an_index(database: Database) -> None:
    (plan,) = await plans(database, lambda store: store.next_due(ME, stale_before=STALE))
    assert "USING COVERING INDEX ix_jobs_due_at" in plan or "USING INDEX ix_jobs_due_at" in plan
    assert "ORDER BY" not in plan, "all that is due would be sorted"


async def test_lease_ends_at_its_limit_and_sorts_nothing(database: Database) -> None:
    urgent, others = await plans(database, lambda store: store.lease(ME, now=NOW, stale_before=STALE, limit=5))
    assert "USING INDEX ix_jobs_urgent" in urgent
    assert "USING INDEX ix_jobs_due_at" in others
    assert "ORDER BY" not in urgent + others


async def test_jobs_never_acknowledged_have_an_index_of_their_own(database: Database) -> None:
    (plan,) = await plans(database, lambda store: store.unaccepted(ME, stale_before=STALE))
    assert "USING INDEX ix_jobs_unaccepted" in plan
