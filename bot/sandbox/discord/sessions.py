"""Gateway sessions and their connections: what a client was told, and the wire it was told over."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import zlib
from enum import IntEnum
from typing import Final

from aiohttp import web

from .model import Json

#: Sends a client may make in one connection's minute (4008).
SENDS_PER_MINUTE: Final = 120
#: Events kept for RESUME.
HISTORY: Final = 5000


class Op(IntEnum):
    """Gateway opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE = 4
    RESUME = 6
    RECONNECT = 7
    MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class CloseOrder(Exception):
    """Close the connection with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Session:
    """What a client has been told; survives its connections."""

    def __init__(self, session_id: str, shard: tuple[int, int], intents: int) -> None:
        self.id = session_id
        self.shard = shard
        self.intents = intents
        self.sequence = 0
        self.history: collections.deque[Json] = collections.deque(maxlen=HISTORY)
        self.connection: Connection | None = None

    def send(self, event: str, data: Json) -> None:
        """Dispatch an event now, or keep it until the client resumes."""
        self.sequence += 1
        frame = {"op": Op.DISPATCH, "t": event, "s": self.sequence, "d": data}
        self.history.append(frame)
        if self.connection is not None:
            self.connection.send(frame)

    def missed_since(self, sequence: int) -> list[Json] | None:
        """Return what was sent after a number, None if that is no longer known."""
        if sequence > self.sequence or (self.history and sequence < self.history[0]["s"] - 1):
            return None
        return [frame for frame in self.history if frame["s"] > sequence]


class Connection:
    """One WebSocket: frames go out in order through a queue, compressed as asked."""

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self.socket = socket
        self.session: Session | None = None
        #: True once the client closed it for good.
        self.goodbye = False
        self._deflate = zlib.compressobj() if compressed else None
        self._outbox: asyncio.Queue[Json | None] = asyncio.Queue()
        self._later: set[asyncio.TimerHandle] = set()
        self._sends: collections.deque[float] = collections.deque(maxlen=SENDS_PER_MINUTE)

    def send(self, frame: Json) -> None:
        """Put a frame into the queue."""
        self._outbox.put_nowait(frame)

    def send_later(self, seconds: float, frame: Json) -> None:
        """Put a frame into the queue after so many real seconds, if the connection is still there."""

        def send() -> None:
            self._later.discard(timer)
            self.send(frame)

        timer = asyncio.get_running_loop().call_later(seconds, send)
        self._later.add(timer)

    def stop(self) -> None:
        """Send nothing any more of what was to be sent later."""
        while self._later:
            self._later.pop().cancel()

    async def write(self) -> None:
        """Send what is queued until cancelled."""
        while (frame := await self._outbox.get()) is not None:
            text = json.dumps(frame, separators=(",", ":"))
            with contextlib.suppress(ConnectionError):
                if self._deflate is None:
                    await self.socket.send_str(text)
                else:
                    data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(data)

    def count_send(self) -> None:
        """Note that the client said something; over 120 a minute it is cut off (4008)."""
        now = asyncio.get_running_loop().time()
        if len(self._sends) == SENDS_PER_MINUTE and self._sends[0] > now - 60:
            raise CloseOrder(4008, "Rate limited.")
        self._sends.append(now)
