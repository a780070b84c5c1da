"""Keeping within a service's rate limits, on the injected clock so that tests can run an hour of it at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.clock import Clock

#: Differences below this are rounding, in seconds.
_NOTHING = 1e-6


@dataclass(slots=True, eq=False, kw_only=True)
class _Waiter:
    """One who waits; the lowest rank goes next."""

    rank: tuple[bool, int]
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def __lt__(self, other: _Waiter) -> bool:
        return self.rank < other.rank


class Pacer:
    """Let at most `limit` callers through in any `per_seconds`, for each of several limits, first come first served.

    The windows slide, so that whatever fixed windows the service counts in, none holds more than its limit.
    """

    def __init__(self, clock: Clock, limits: Sequence[tuple[int, float]]) -> None:
        self._clock = clock
        self._limits = tuple(limits)
        #: When somebody was let through, oldest first; no longer than the largest limit.
        self._passed: deque[float] = deque(maxlen=max(limit for limit, _ in self._limits))
        self._waiting: list[_Waiter] = []
        self._numbers = itertools.count()

    async def acquire(self, *, first: bool = False) -> None:
        """Return when it is this caller's turn; with `first` before all who did not say so.

        A caller that is cancelled while waiting takes no place.
        """
        me = _Waiter(rank=(not first, next(self._numbers)))
        heapq.heappush(self._waiting, me)
        try:
            while self._waiting[0] is not me or (wait := self.delay()) > 0:
                if self._waiting[0] is me:
                    await self._clock.sleep(wait)
                else:
                    me.called.clear()
                    await me.called.wait()
            self._passed.append(self._clock.monotonic())
        finally:
            self._waiting.remove(me)
            heapq.heapify(self._waiting)
            if self._waiting:
                self._waiting[0].called.set()

    def try_acquire(self) -> bool:
        """Take a place if one is free right now."""
        if self._waiting or self.delay() > 0:
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
        if self._waiting:
            return False
        return not self._passed or self._clock.monotonic() - self._passed[-1] > longest
