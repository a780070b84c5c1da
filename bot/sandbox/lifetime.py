"""How long a program that serves a world runs: until a signal tells it to end, or a part of it does."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine


@contextlib.asynccontextmanager
async def until_told() -> AsyncIterator[asyncio.Event]:
    """Yield an event that SIGINT or SIGTERM sets, instead of ending the process."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    try:
        yield told
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def first_of(*coroutines: Coroutine[object, object, object]) -> None:
    """Wait until one of them ends, end the others, and raise if that one failed."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
