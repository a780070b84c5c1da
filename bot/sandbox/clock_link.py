"""A clock for another process that follows the world's (`world.py`) over the control API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import aiohttp

from bot.sandbox.world import PacedClock, Reading

log = logging.getLogger(__name__)

#: Real seconds between tries to find the sandbox again.
RETRY_SECONDS = 0.2


class FollowingClock(PacedClock):
    """A `Clock` that runs on by itself and takes over each change of the world's clock as it is told of it.

    A sandbox that pauses or goes away costs nothing but the changes made meanwhile; they come with the next connection.
    """

    @classmethod
    @contextlib.asynccontextmanager
    async def follow(cls, control_url: str) -> AsyncIterator[FollowingClock]:
        """Yield a clock that agrees with the world at `control_url` (".../sandbox"); waits for its first reading."""
        async with aiohttp.ClientSession() as session:
            link = _Link(session, f"{control_url.rstrip('/')}/clock/follow")
            following = asyncio.create_task(link.run(), name="clock-link")
            try:
                either: set[asyncio.Future[Any]] = {link.clock, following}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if following.done():
                    following.result()
                yield link.clock.result()
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    def take_over(self, reading: Reading) -> None:
        """Count on from the world's reading; what would be a step back is waited out instead."""
        self._count_from(reading)


class _Link:
    """The connection that keeps one `FollowingClock` true."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.clock: asyncio.Future[FollowingClock] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        while True:
            try:
                await self._follow_once()
            except (aiohttp.ClientError, OSError) as error:
                log.debug("the sandbox's clock is out of reach: %s", error, extra={"action": "clock.lost"})
            # Real time on purpose: this is about the connection, and world time may stand still.
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow_once(self) -> None:
        async with self._session.ws_connect(self._url) as socket:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                told = json.loads(message.data)
                self._take_over(_reading(told))
                await socket.send_str(str(told["version"]))

    def _take_over(self, reading: Reading) -> None:
        if self.clock.done():
            self.clock.result().take_over(reading)
        else:
            self.clock.set_result(FollowingClock(reading))


def _reading(told: dict[str, object]) -> Reading:
    return Reading(
        now=datetime.fromisoformat(str(told["now"])),
        monotonic=float(str(told["monotonic"])),
        rate=float(str(told["rate"])),
    )
