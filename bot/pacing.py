"""Keeping within a service's rate limits, on the injected clock so that tests can run an hour of it at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from bot.clock import Clock

#: Differences below this are rounding, in seconds.
_NOTHING = 1e-6


class Pacer:
    """Let at most `limit` callers through in any `per_seconds`, for each of several limits, first come first served.

    The windows slide, so that whatever fixed windows the service counts in, none holds more than its limit.
    """

    def __init__(self, clock: Clock, limits: Sequence[tuple[int, float]]) -> None:
        self._clock = clock
        self._limits = tuple(limits)
        #: When somebody was let through, oldest first; no longer than the largest limit.
        self._passed: deque[float] = deque(maxlen=max(limit for limit, _ in self._limits))
        self._door = asyncio.Lock()

    async def acquire(self) -> None:
        """Return when it is this caller's turn. A caller that is cancelled while waiting takes no place."""
        async with self._door:  # the lock is fair: it keeps the order of arrival
            while (wait := self.delay()) > 0:
                await self._clock.sleep(wait)
            self._passed.append(self._clock.monotonic())

    def try_acquire(self) -> bool:
        """Take a place if one is free right now."""
        if self._door.locked() or self.delay() > 0:
            return False
        self._passed.append(self._clock.monotonic())
        return True

    def delay(self) -> float:
        """Seconds until the next place is free, were nobody waiting; 0 when one is."""
        now = self._clock.monotonic()
        waits = (self._passed[-limit] + per - now for limit, per in self._limits if len(self._passed) >= limit)
        longest = max(waits, default=0.0)
        return longest if longest > _NOTHING else 0.0

    @property
    def idle(self) -> bool:
        """Whether it has nothing to remember any more and can be thrown away."""
        longest = max(per for _, per in self._limits)
        return not self._passed or self._clock.monotonic() - self._passed[-1] > longest
