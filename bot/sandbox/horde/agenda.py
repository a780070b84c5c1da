"""The world's diary: callbacks at moments of the injected clock, run by one loop that sleeps until the next of them.

One sleeper and one wake-up event are all the waiting there is, so advancing the clock moves the world at once and an
idle world costs nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from bot.clock import Clock

#: Two moments nearer than this are the same one: sums of floats must not ask for a sleep too short to change the time.
EPSILON = 1e-6


class Agenda:
    """Callbacks by due time, in seconds of `clock.monotonic()`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._tie = itertools.count()
        self._news = asyncio.Event()

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        """Have `callback` run in `seconds`."""
        heapq.heappush(self._entries, (self._clock.monotonic() + seconds, next(self._tie), callback))
        self._news.set()

    def every(self, seconds: float, callback: Callable[[], None]) -> None:
        """Have `callback` run each `seconds`, from one period on."""

        def again() -> None:
            callback()
            self.after(seconds, again)

        self.after(seconds, again)

    async def run(self) -> None:
        """Run what is due, then wait for the next moment or for news; until cancelled."""
        while True:
            self._run_due()
            self._news.clear()
            await self._wait()

    def _run_due(self) -> None:
        while self._entries and self._entries[0][0] <= self._clock.monotonic() + EPSILON:
            heapq.heappop(self._entries)[2]()

    async def _wait(self) -> None:
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._news.wait(), name="horde news")]
        if self._entries:
            delay = self._entries[0][0] - self._clock.monotonic()
            waits.append(asyncio.create_task(self._clock.sleep(delay), name="horde sleep"))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
