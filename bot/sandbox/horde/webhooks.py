"""Webhooks as the server sends them: one POST for each delivered job, at best.

Images and texts go through one queue with one sender, forms are sent at once. Three tries, one right after the other,
then the call is dropped for good; nothing is ever sent about faults or cancels (server 5.1.5).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.sandbox.outgoing import Outgoing

#: Jobs that wait for the sender; more are dropped.
QUEUE: Final = 256
#: Real seconds for each try, and how often it is tried.
TRY_SECONDS: Final = 3.0
TRIES: Final = 3
_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "python-requests/2.34.2", "Accept": "*/*"}

#: What is sent, once it is there: a picture in base64 has to be painted first.
Body = Callable[[], Awaitable[Mapping[str, object]]]


class Postman:
    """Sends webhooks. `copies` and `lost` are for tests: how often each arrives, and whether at all."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._waiting: asyncio.Queue[tuple[str, Body]] = asyncio.Queue(QUEUE)
        self._tasks: asyncio.TaskGroup | None = None
        self.copies = 1
        self.lost = False

    def apply(self, *, copies: int = 1, lost: bool = False) -> None:
        """Arrange what becomes of webhooks from now on."""
        self.copies, self.lost = copies, lost

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to send; `tasks` is the parent."""
        self._tasks = tasks
        tasks.create_task(self._run(), name="horde webhooks")

    def queue(self, url: str | None, body: Body) -> None:
        """Have a job's webhook sent in its turn, if its request has one."""
        if url is not None and not self._waiting.full():
            self._waiting.put_nowait((url, body))

    def send_now(self, url: str | None, body: Mapping[str, object]) -> None:
        """Send a form's webhook, if its request has one."""
        if url is not None and self._tasks is not None:
            self._tasks.create_task(self._send(url, body), name="horde form webhook")

    async def _run(self) -> None:
        while True:
            url, body = await self._waiting.get()
            await self._send(url, await body())

    async def _send(self, url: str, body: Mapping[str, object]) -> None:
        content = json.dumps(body).encode()
        for _ in range(0 if self.lost else self.copies):
            await self._try(url, content, body)

    async def _try(self, url: str, content: bytes, body: Mapping[str, object]) -> None:
        for _ in range(TRIES):
            answered = await self._outgoing.post(url, content, headers=_HEADERS, said=body)
            if answered.status is not None and answered.status < 400:
                return
