"""Wait for news or for time to pass, whichever comes first."""

from __future__ import annotations

import asyncio

from bot.clock import Clock


async def event_or_timeout(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    """Return True when `event` was set within `seconds` of `clock`'s time, False otherwise; leaves no task behind."""
    if event.is_set():
        return True
    waiting = asyncio.ensure_future(event.wait())
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        return event.is_set()
    finally:
        waiting.cancel()
        sleeping.cancel()
        await asyncio.gather(waiting, sleeping, return_exceptions=True)
