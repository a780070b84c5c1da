"""The world's clock: real time times a rate plus whatever was advanced, for the simulators and all who follow it.

Simulators, faults and the bot under test have to agree on the time, or a link that died in the Horde would still be
alive for the bot. So the sandbox owns one `WorldClock`, and a bot in a child process keeps a copy that is told of
every change over a WebSocket (`clock_link.py`). Between changes both count by themselves from the machine's monotonic
clock, which is the same in every process of a machine; only the changes travel.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import WSMsgType, web

from bot.sandbox import control

#: Real seconds an advance waits for its followers; one that is slower (or stopped) is not waited for.
ACKNOWLEDGE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The clock at one moment: all that is needed to count on from there."""

    now: datetime
    #: World seconds since the world began.
    monotonic: float
    #: World seconds in a real second; 0 stands still.
    rate: float

    def to_dict(self) -> dict[str, object]:
        """Return the reading as the control API shows it."""
        return {"now": self.now.isoformat(), "monotonic": self.monotonic, "rate": self.rate}


class PacedClock:
    """A `Clock` that counts on from a reading at its rate, and wakes sleepers whenever it is given a new one."""

    def __init__(self, reading: Reading, *, real: Callable[[], float] = time.monotonic) -> None:
        self._real = real
        self._reading = reading
        self._taken = real()
        self._latest = reading.monotonic
        self._changed = asyncio.Event()

    @property
    def rate(self) -> float:
        """World seconds in a real second."""
        return self._reading.rate

    def now(self) -> datetime:
        """The world's wall clock, in UTC."""
        return self._reading.now + timedelta(seconds=self.monotonic() - self._reading.monotonic)

    def monotonic(self) -> float:
        """World seconds since the world began; never fewer than it said before, whatever readings arrive."""
        counted = self._reading.monotonic + (self._real() - self._taken) * self._reading.rate
        self._latest = max(self._latest, counted)
        return self._latest

    def read(self) -> Reading:
        """Take a reading of this moment."""
        return Reading(now=self.now(), monotonic=self.monotonic(), rate=self.rate)

    async def sleep(self, seconds: float) -> None:
        """Return after so many world seconds: at once if the clock is advanced past them meanwhile."""
        due = self.monotonic() + seconds
        if seconds <= 0:
            await asyncio.sleep(0)
        while (left := due - self.monotonic()) > 0:
            changed = self._changed
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left / self.rate if self.rate else None):
                    await changed.wait()

    def _count_from(self, reading: Reading) -> None:
        self._reading, self._taken = reading, self._real()
        self._changed.set()
        self._changed = asyncio.Event()


class WorldClock(PacedClock):
    """The clock everybody follows: can be advanced and quickened, never set back."""

    def __init__(
        self, *, start: datetime | None = None, rate: float = 1.0, real: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(Reading(now=start or datetime.now(UTC), monotonic=0.0, rate=rate), real=real)
        #: Counts the changes, so that a follower can say which one it has seen.
        self.version = 0

    def advance(self, seconds: float) -> None:
        """Move time on at once; raises ValueError if that would be back."""
        self._change(seconds=seconds, rate=self.rate)

    def set_rate(self, rate: float) -> None:
        """Let time run at `rate` world seconds a real second; 0 stops it, below is a ValueError."""
        self._change(seconds=0.0, rate=rate)

    async def changes(self) -> AsyncIterator[tuple[int, Reading]]:
        """Yield (version, reading) now and after every change; changes that come together may be yielded as one."""
        while True:
            changed = self._changed
            yield self.version, self.read()
            await changed.wait()

    def _change(self, *, seconds: float, rate: float) -> None:
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError("time only moves on: advance by 0 seconds or more")
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError("the rate has to be 0 or more")
        reading = self.read()
        moved = timedelta(seconds=seconds)
        self.version += 1
        self._count_from(Reading(now=reading.now + moved, monotonic=reading.monotonic + seconds, rate=rate))


class ClockControl:
    """The clock's control routes, and the followers that have to have heard of a change before it is answered."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self._seen: dict[web.WebSocketResponse, int] = {}
        self._heard = asyncio.Event()

    def control_routes(self) -> list[web.RouteDef]:
        """Routes below /sandbox/clock."""
        return [
            web.get("/sandbox/clock", self._show),
            web.post("/sandbox/clock", self._set),
            web.get("/sandbox/clock/follow", self._follow),
        ]

    async def close(self) -> None:
        """Let every follower go."""
        for socket in list(self._seen):
            await socket.close()

    async def settle(self, *, guard: float = ACKNOWLEDGE_SECONDS) -> None:
        """Wait until each follower has confirmed the newest change, at most `guard` real seconds."""
        version = self._clock.version
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(guard):
                while any(seen < version for seen in self._seen.values()):
                    await self._heard.wait()

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response(self._clock.read().to_dict())

    async def _set(self, request: web.Request) -> web.Response:
        body = await control.json_object(request)
        seconds, rate = control.number(body, "advance"), control.number(body, "rate")
        try:
            if rate is not None:
                self._clock.set_rate(rate)
            if seconds is not None:
                self._clock.advance(seconds)
        except (ValueError, OverflowError) as error:
            control.refuse(str(error))
        await self.settle()
        return web.json_response(self._clock.read().to_dict())

    async def _follow(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        # Counted from the first moment: a change made while the follower connects waits for it as well.
        self._seen[socket] = -1
        telling = asyncio.create_task(self._tell(socket), name="clock-follower")
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and message.data.isdecimal():
                    self._seen[socket] = int(message.data)
                    self._note()
        finally:
            # First of all and at once: a connection that is lost cancels us here.
            self._seen.pop(socket, None)
            self._note()
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        return socket

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError):
            async for version, reading in self._clock.changes():
                await socket.send_json({**reading.to_dict(), "version": version})

    def _note(self) -> None:
        self._heard.set()
        self._heard = asyncio.Event()
