"""Messages in quick succession that belong together: people press Enter in the middle of what they want to say."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.clock import Clock

T = TypeVar("T")

#: Seconds without a further message after which somebody has finished, and the longest that a burst is waited for.
QUIET, LONGEST = 2.5, 10.0


@dataclass(slots=True)
class _Burst(Generic[T]):
    """What was said so far, and until when more is waited for."""

    quiet_until: float
    items: list[T] = field(default_factory=list)


class Bursts(Generic[T]):
    """Puts together what the same person says in the same place."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[Hashable, _Burst[T]] = {}

    async def gathered(self, key: Hashable, item: T) -> tuple[T, ...] | None:
        """Wait until all of a burst has been said, and return it; None for an item that goes along with an earlier one.

        `key` says whose and where.
        """
        began = self._clock.monotonic()
        burst = self._open.get(key)
        if burst is not None:
            burst.items.append(item)
            burst.quiet_until = began + QUIET
            return None
        burst = self._open[key] = _Burst(quiet_until=began + QUIET, items=[item])
        try:
            while (left := min(burst.quiet_until, began + LONGEST) - self._clock.monotonic()) > 0:
                await self._clock.sleep(left)
        finally:
            del self._open[key]
        return tuple(burst.items)
