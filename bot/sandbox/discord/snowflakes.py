"""Discord ids: 64-bit numbers that carry their time, so that sorting by id sorts by age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from bot.clock import Clock

#: The first moment of 2015, from which Discord counts milliseconds (Discord docs, "Snowflakes").
DISCORD_EPOCH: Final = datetime(2015, 1, 1, tzinfo=UTC)


class Snowflakes:
    """Hands out ids of the world's time, strictly rising even while the clock stands still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return a new id whose upper 42 bits are the present millisecond."""
        self._last = max(self._last + 1, snowflake_at(self._clock.now()))
        return self._last


def snowflake_at(moment: datetime) -> int:
    """Return the smallest id of that millisecond."""
    return int((moment - DISCORD_EPOCH) / timedelta(milliseconds=1)) << 22


def time_of(snowflake: int) -> datetime:
    """Return when an id was made, exact to the millisecond."""
    return DISCORD_EPOCH + timedelta(milliseconds=snowflake >> 22)


def iso(moment: datetime) -> str:
    """Return a time as Discord writes it."""
    return moment.isoformat(timespec="microseconds")
