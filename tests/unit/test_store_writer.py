"""The writer: one lane, shared commits, neighbours that don't pay for each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreError
from bot.store.engine import Database, open_database
from bot.store.tables import state
from bot.store.writer import MAX_BATCH


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite:///{tmp_path / 'muster.db'}") as database:
        yield database


@pytest.fixture
def commits(database: Database) -> list[object]:
    seen: list[object] = []
    event.listen(database.engine.sync_engine, "commit", seen.append)
    return seen


def write(key: str) -> Callable[[AsyncConnection], Awaitable[str]]:
    async def operation(connection: AsyncConnection) -> str:
        await connection.execute(insert(state).values(key=key, value=""))
        return key

    return operation


async def fail(_connection: AsyncConnection) -> None:
    raise LookupError("on purpose")


async def keys(database: Database) -> set[str]:
    async with database.reading() as connection:
        return set(await connection.scalars(select(state.c.key)))


async def test_writes_that_wait_together_commit_together(database: Database, commits: list[object]) -> None:
    names = [f"key-{n}" for n in range(MAX_BATCH)]
    assert await asyncio.gather(*(database.writer.submit(write(name)) for name in names)) == names
    assert await keys(database) == set(names)
    assert len(commits) == 1


async def test_flood_is_cut_into_batches(database: Database, commits: list[object]) -> None:
    await asyncio.gather(*(database.writer.submit(write(f"key-{n}")) for n in range(MAX_BATCH + 1)))
    assert len(commits) == 2


async def test_alike_writes_are_one_operation_and_overtake_others(database: Database) -> None:
    calls: list[str] = []

    async def alike(connection: AsyncConnection, names: Sequence[str]) -> list[str | LookupError]:
        calls.append(" ".join(names))
        await connection.execute(insert(state), [{"key": name, "value": ""} for name in names])
        return [LookupError(name) if name == "b" else name for name in names]

    async def other(_connection: AsyncConnection) -> None:
        calls.append("other")

    crowd = [database.writer.submit(other) for _ in range(2 * MAX_BATCH)]
    people = [database.writer.submit_alike(alike, name) for name in "abc"]
    outcomes = await asyncio.gather(*crowd, *people, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes[-3:]] == ["a", "b", "c"]
    assert isinstance(outcomes[-2], LookupError)
    assert calls.count("a b c") == 1
    assert calls.index("a b c") <= MAX_BATCH
    assert await keys(database) == {"a", "b", "c"}


async def test_refused_alike_write_harms_no_neighbour(database: Database) -> None:
    async def alike(connection: AsyncConnection, names: Sequence[str]) -> Sequence[str]:
        await connection.execute(insert(state), [{"key": name, "value": ""} for name in names])
        return names

    outcomes = await asyncio.gather(
        *(database.writer.submit_alike(alike, key) for key in "aab"), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [str, StoreError, str]
    assert await keys(database) == {"a", "b"}


async def test_failing_write_harms_no_neighbour(database: Database) -> None:
    writer = database.writer
    outcomes = await asyncio.gather(
        writer.submit(write("a")), writer.submit(fail), writer.submit(write("b")), return_exceptions=True
    )
    assert isinstance(outcomes[1], LookupError)
    assert await keys(database) == {"a", "b"}


async def test_refused_statement_harms_no_neighbour(database: Database) -> None:
    writer = database.writer
    outcomes = await asyncio.gather(*(writer.submit(write(key)) for key in "aab"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, StoreError, str]
    assert await keys(database) == {"a", "b"}


async def test_half_of_a_failed_write_is_undone(database: Database) -> None:
    async def half(connection: AsyncConnection) -> None:
        await write("half")(connection)
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        await database.writer.submit(half)
    assert await keys(database) == set()


async def test_cancelled_caller_leaves_the_batch_alone(database: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        await write("under-way")(connection)
        begun.set()
        await go_on.wait()

    under_way = asyncio.create_task(database.writer.submit(slow))
    await begun.wait()
    not_begun = asyncio.create_task(database.writer.submit(write("not-begun")))
    neighbour = asyncio.create_task(database.writer.submit(write("neighbour")))
    await asyncio.sleep(0)
    under_way.cancel()
    not_begun.cancel()
    go_on.set()
    assert await neighbour == "neighbour"
    assert await keys(database) == {"under-way", "neighbour"}
    with pytest.raises(asyncio.CancelledError):
        await under_way
    with pytest.raises(asyncio.CancelledError):
        await not_begun


async def test_closing_finishes_what_waits_and_refuses_the_rest(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path / 'muster.db'}") as database:
        waiting = [asyncio.create_task(database.writer.submit(write(f"key-{n}"))) for n in range(3)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*waiting) == ["key-0", "key-1", "key-2"]
    with pytest.raises(StoreError, match="closed"):
        await database.writer.submit(write("late"))


async def test_cancelled_while_closing_tells_those_who_wait(database: Database) -> None:
    begun = asyncio.Event()

    async def endless(_connection: AsyncConnection) -> None:
        begun.set()
        await asyncio.Event().wait()

    stuck = asyncio.create_task(database.writer.submit(endless))
    await begun.wait()
    behind = asyncio.create_task(database.writer.submit(write("behind")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.writer.close())
    await asyncio.sleep(0)
    closing.cancel()
    outcomes = await asyncio.gather(closing, stuck, behind, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    # The connection that was given up in the middle does not stop the database from closing cleanly.


async def test_reader_sees_the_last_commit_while_a_write_is_open(database: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        await write("open")(connection)
        begun.set()
        await go_on.wait()

    task = asyncio.create_task(database.writer.submit(slow))
    await begun.wait()
    try:
        assert await keys(database) == set()
    finally:
        go_on.set()
    await task
    assert await keys(database) == {"open"}


async def test_cancelled_reader_leaves_the_database_usable(database: Database) -> None:
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT count(*) FROM n"
    begun = asyncio.Event()

    async def read() -> None:
        async with database.reading() as connection:
            begun.set()
            await connection.execute(text(slow))

    task = asyncio.create_task(read())
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await database.writer.submit(write("after")) == "after"
