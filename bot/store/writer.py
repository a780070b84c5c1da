"""One lane for all writes of a process.

SQLite takes one writer at a time, and a commit costs the same whether it carries one row or a hundred. So writes queue
here, one task takes all that wait, runs them in one transaction (`BEGIN IMMEDIATE` on SQLite: a deferred one that turns
into a writer half-way is refused whatever the busy timeout says), and commits once. Nobody waits longer for company:
whatever arrives during a commit makes up the next batch.

There is a second lane, for people. What stands between a command and its answer (`submit_alike`) takes turns with
everything else, so it waits for one ordinary batch at most; and all that wait together are one operation, because with
hundreds of commands at once it is the number of statements that makes the last one wait.

Operations in a batch must not pay for each other. When one fails, the whole batch is rolled back and each operation
runs again in a transaction of its own; only the culprit gets the error. That means an operation may run twice, so it
does nothing but talk to the connection it is given. The same road leads out of a deadlock on PostgreSQL, where two
processes may lock the same rows in a different order: single operations can't.

Whoever stops waiting (is cancelled) leaves the batch as it is: a write that has not begun is dropped, one under way is
kept.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import StoreError

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item

#: What a write does; run inside a transaction, perhaps twice.
Operation = Callable[[AsyncConnection], Awaitable[T]]
#: The same for several items at once: for each its value, or the exception that is its alone.
Alike = Callable[[AsyncConnection, Sequence[I]], Awaitable[Sequence[T | Exception]]]

#: Execution option of connections whose transactions write (see the `begin` listener in engine.py).
WRITES = "muster_writes"
#: Operations in one transaction at most, and items that are written alike: a flood still shows results.
MAX_BATCH, MAX_ALIKE = 32, 256


@contextmanager
def storage_errors() -> Iterator[None]:
    """Translate what the driver raises into `StoreError`; statement parameters are never part of the text."""
    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"{type(error).__name__}: {error.orig}") from error
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"{type(error).__name__}: {error}") from error


def _of_the_database(error: Exception) -> bool:
    """Whether the database failed, and not what was asked of it (a duplicate, a stale owner)."""
    return type(error) is StoreError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pending:
    write: Alike[Any, Any]
    item: Any
    answer: asyncio.Future[Any]


async def _one_by_one(connection: AsyncConnection, operations: Sequence[Operation[Any]]) -> list[Any]:
    return [await operation(connection) for operation in operations]


class Writer:
    """Runs write operations in order, those that wait together in one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: deque[_Pending] = deque()
        #: The lane for people, and whether it is its turn.
        self._first: deque[_Pending] = deque()
        self._first_is_next = True
        self._wake = asyncio.Event()
        self._closed = False
        #: False while the last write failed for a reason of the database's.
        self.healthy = True
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task; `close` ends it."""
        self._task = asyncio.create_task(self._run(), name="store-writer")

    async def close(self) -> None:
        """Finish what waits, refuse what comes, and wait for the task. Cancelled meanwhile, it gives up what waits."""
        self._closed = True
        self._wake.set()
        if self._task is not None and not self._task.cancelled():
            await self._task

    async def submit(self, operation: Operation[T]) -> T:
        """Run `operation` in a transaction and return its value once that is committed.

        Raises what the operation raises; errors of the database as `StoreError`.
        """
        value: T = await self._queue(self._waiting, _one_by_one, operation)
        return value

    async def submit_alike(self, write: Alike[I, T], item: I) -> T:
        """Run `write` for this item and all that wait for the same, before other writes; returns the item's value.

        Raises the item's exception; errors of the database as `StoreError`.
        """
        value: T = await self._queue(self._first, write, item)
        return value

    async def _queue(self, lane: deque[_Pending], write: Alike[Any, Any], item: object) -> Any:
        if self._closed or self._task is None or self._task.done():
            raise StoreError("the database is closed")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        lane.append(_Pending(write=write, item=item, answer=answer))
        self._wake.set()
        return await answer

    async def _run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while batch := self._take():
                    await self._settle(batch)
                if self._closed:
                    return
        finally:
            for pending in (*self._first, *self._waiting):
                pending.answer.cancel()

    def _take(self) -> list[_Pending]:
        """The next batch, of one lane and then of the other; empty when nothing waits."""
        if self._first_is_next:
            batch = _drawn(self._first, MAX_ALIKE) or _drawn(self._waiting, MAX_BATCH)
        else:
            batch = _drawn(self._waiting, MAX_BATCH) or _drawn(self._first, MAX_ALIKE)
        self._first_is_next = not self._first_is_next
        return batch

    async def _settle(self, batch: Sequence[_Pending]) -> None:
        try:
            values = await self._commit(batch)
        except asyncio.CancelledError:
            for pending in batch:
                pending.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - handed to whoever asked for the write
            self.healthy = not _of_the_database(error)
            await self._after_failure(batch, error)
        else:
            self.healthy = True
            for pending, value in zip(batch, values, strict=True):
                _tell(pending.answer, value)

    async def _after_failure(self, batch: Sequence[_Pending], error: Exception) -> None:
        if len(batch) > 1:
            for position, pending in enumerate(batch):
                try:
                    await self._settle([pending])
                except asyncio.CancelledError:
                    for left in batch[position + 1 :]:
                        left.answer.cancel()
                    raise
        elif not batch[0].answer.done():
            batch[0].answer.set_exception(error)

    async def _commit(self, batch: Sequence[_Pending]) -> list[Any]:
        with storage_errors():
            async with self._engine.connect() as connection:
                writing = await connection.execution_options(**{WRITES: True})
                async with writing.begin():
                    return [value for group in _groups(batch) for value in await _written(writing, group)]


def _drawn(lane: deque[_Pending], most: int) -> list[_Pending]:
    """Take so many out of a lane; who does not wait any more is left out."""
    batch: list[_Pending] = []
    while lane and len(batch) < most:
        pending = lane.popleft()
        if not pending.answer.done():
            batch.append(pending)
    return batch


def _groups(batch: Sequence[_Pending]) -> Iterator[list[_Pending]]:
    for _, group in itertools.groupby(batch, key=lambda pending: pending.write):
        yield list(group)


async def _written(connection: AsyncConnection, group: Sequence[_Pending]) -> Sequence[Any]:
    return await group[0].write(connection, [pending.item for pending in group])


def _tell(answer: asyncio.Future[Any], value: object) -> None:
    if answer.done():
        return
    if isinstance(value, Exception):
        answer.set_exception(value)
    else:
        answer.set_result(value)
