"""What happens in the world, for whoever watches: tests that wait for a condition, and the live page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Self, TypeVar

from .model import Json

T = TypeVar("T")

#: A watcher that falls this far behind loses the oldest news.
BACKLOG: Final = 2000


class Subscription:
    """A queue of events; iterate over it, and close it (or use `with`) when done."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed
        self._queue: asyncio.Queue[Json | None] = asyncio.Queue()

    async def get(self) -> Json:
        """Return the next event; `StopAsyncIteration` after the subscription was closed."""
        return await self.__anext__()

    def put(self, event: Json | None) -> None:
        """Take in an event; None ends the iteration."""
        if self._queue.qsize() >= BACKLOG:
            self._queue.get_nowait()
        self._queue.put_nowait(event)

    def close(self) -> None:
        """Stop listening."""
        self._feed.forget(self)
        self.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Json:
        event = await self._queue.get()
        if event is None:
            raise StopAsyncIteration
        return event


class EventFeed:
    """Passes every event on to all who listen."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def subscribe(self) -> Subscription:
        """Begin to listen; nothing of the past is repeated."""
        subscription = Subscription(self)
        self._subscriptions.append(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Drop a listener, known or not."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def publish(self, event: Json) -> None:
        """Tell everyone."""
        for subscription in self._subscriptions:
            subscription.put(event)

    def close(self) -> None:
        """End every subscription."""
        for subscription in list(self._subscriptions):
            subscription.close()

    async def wait_until(self, condition: Callable[[], T | None], *, guard: float = 10.0) -> T:
        """Return the condition's value once it is true; `TimeoutError` after `guard` real seconds.

        The condition is asked again after every event, so nothing has to be polled.
        """
        with self.subscribe() as events:
            async with asyncio.timeout(guard):
                while not (value := condition()):
                    await events.get()
                return value
