"""The endpoints of the Horde that we use, each paced to its limit (server 5.1.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.clock import Clock
from bot.pacing import Pacer
from bot.providers.horde.calls import HordeCalls, StatusPace, read_reference
from bot.providers.horde.wire import (
    Accepted,
    ActiveModel,
    Alchemist,
    AlchemyStatus,
    Check,
    Heartbeat,
    Performance,
    Reference,
    Status,
    User,
    parse,
    parse_rows,
)

#: (calls, seconds). Windows a tenth longer than the server's: what we send evenly may arrive less so.
_POSTS: Final = ((2, 1.1), (90, 66.0))
_ALCHEMY_POSTS: Final = ((90, 66.0),)
_CHECKS: Final = ((10, 1.1),)
_STATUSES: Final = ((9, 61.0),)
_OTHERS: Final = ((30, 61.0),)


class HordeClient:
    """Typed calls for pictures and alchemy. Raises `ProviderError`s and nothing else."""

    def __init__(
        self,
        calls: HordeCalls,
        clock: Clock,
        *,
        reference_url: str,
        checks: Sequence[tuple[int, float]] = _CHECKS,
    ) -> None:
        self._calls = calls
        self._reference_url = reference_url
        self._posts = Pacer(clock, _POSTS)
        self._alchemy_posts = Pacer(clock, _ALCHEMY_POSTS)
        self._checks = Pacer(clock, checks)
        self._statuses = StatusPace(clock, _STATUSES)
        self._others = Pacer(clock, _OTHERS)

    @property
    def anonymous(self) -> bool:
        """Whether the key is everybody's."""
        return self._calls.anonymous

    @property
    def shared_key(self) -> bool:
        """Whether the key is a share of somebody's, which is not accepted everywhere."""
        return self._calls.shared_key

    async def turn(self) -> None:
        """Wait until one more request may be posted: 2 a second, 90 a minute, for our whole address."""
        await self._posts.acquire()

    async def submit_image(self, payload: Mapping[str, Any]) -> Accepted:
        """`POST /generate/async`, once. Raises `SubmissionUncertain` when it may have been accepted."""
        return await self._calls.submit("generate/async", payload, Accepted)

    async def check(self, remote_id: str) -> Check:
        """`GET /generate/check/{id}`: how far it is, cheaply. Raises `RemoteGone`."""
        await self._checks.acquire()
        return parse(Check, await self._calls.read("generate/check", remote_id))

    async def status(self, remote_id: str) -> Status:
        """`GET /generate/status/{id}`: with fresh links. At most nine a minute for one id, else `Busy`, unsent."""
        self._statuses.take(remote_id)
        return parse(Status, await self._calls.read("generate/status", remote_id))

    async def cancel(self, remote_id: str) -> None:
        """`DELETE /generate/status/{id}`. Raises `RemoteGone`."""
        await self._calls.delete("generate/status", remote_id)

    async def alchemy_turn(self) -> None:
        """Wait until one more alchemy request may be posted: 90 a minute, for our whole address."""
        await self._alchemy_posts.acquire()

    async def submit_alchemy(self, payload: Mapping[str, Any]) -> Accepted:
        """`POST /interrogate/async`, once. Raises `SubmissionUncertain` when it may have been accepted."""
        return await self._calls.submit("interrogate/async", payload, Accepted)

    async def alchemy_status(self, remote_id: str) -> AlchemyStatus:
        """`GET /interrogate/status/{id}`: states and results; ten a second are allowed. Raises `RemoteGone`."""
        return parse(AlchemyStatus, await self._calls.read("interrogate/status", remote_id))

    async def cancel_alchemy(self, remote_id: str) -> None:
        """`DELETE /interrogate/status/{id}`. Raises `RemoteGone`."""
        await self._calls.delete("interrogate/status", remote_id)

    async def performance(self) -> Performance:
        """`GET /status/performance`: how many there are; a short answer, up to a minute old."""
        await self._others.acquire()
        return parse(Performance, await self._calls.read("status/performance"))

    async def alchemists(self) -> list[Alchemist]:
        """`GET /workers`: who does alchemy. The list may be long; over 8 MiB it is a `ProtocolError`."""
        await self._others.acquire()
        return parse_rows(Alchemist, await self._calls.read("workers", params={"type": "interrogation"}))

    async def find_user(self) -> User:
        """`GET /find_user`: whose key ours is; the server's answer is up to 30 s old. Raises `Unauthorized`."""
        await self._others.acquire()
        return parse(User, await self._calls.read_own("find_user"))

    async def models(self) -> list[ActiveModel]:
        """`GET /status/models`: image models that somebody serves or waits for."""
        await self._others.acquire()
        return parse_rows(ActiveModel, await self._calls.read("status/models", params={"type": "image"}))

    async def heartbeat(self) -> Heartbeat:
        """`GET /status/heartbeat`: whether the Horde answers at all."""
        return parse(Heartbeat, await self._calls.read("status/heartbeat"))

    async def reference(self) -> list[Reference]:
        """Read the image model reference."""
        return parse_rows(Reference, await read_reference(self._calls.http, self._reference_url))
