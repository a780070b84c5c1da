"""The endpoints of the Horde that we use, each paced to its limit (server 5.1.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from bot.clock import Clock
from bot.errors import Busy, ProtocolError, RemoteGone, SubmissionUncertain
from bot.http import Answer, HttpClient
from bot.pacing import Pacer
from bot.providers.horde.errors import error_of
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

#: Everybody's key: no account, lowest priority, no list of requests.
ANONYMOUS_KEY = "0000000000"
#: Shared keys are UUIDs; personal ones never are (server 5.1.5).
_SHARED_KEY = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

#: (calls, seconds). Windows a tenth longer than the server's: what we send evenly may arrive less so.
_POSTS = ((2, 1.1), (90, 66.0))
_ALCHEMY_POSTS = ((90, 66.0),)
_CHECKS = ((10, 1.1),)
_STATUSES = ((9, 61.0),)
_OTHERS = ((30, 61.0),)


class HordeClient:
    """Typed calls to one Horde with one key. Raises `ProviderError`s and nothing else.

    Reading and cancelling need no key (the id is the secret), so it is only sent where it is needed.
    """

    def __init__(
        self,
        http: HttpClient,
        clock: Clock,
        *,
        base_url: str,
        api_key: SecretStr,
        client_agent: str,
        reference_url: str,
        checks: Sequence[tuple[int, float]] = _CHECKS,
    ) -> None:
        self._http = http
        self._clock = clock
        self._base = base_url.rstrip("/")
        self._key = api_key
        self._agent = {"Client-Agent": client_agent}
        self._reference_url = reference_url
        self._posts = Pacer(clock, _POSTS)
        self._alchemy_posts = Pacer(clock, _ALCHEMY_POSTS)
        self._checks = Pacer(clock, checks)
        self._others = Pacer(clock, _OTHERS)
        self._statuses: dict[str, Pacer] = {}

    @property
    def anonymous(self) -> bool:
        """Whether the key is everybody's."""
        return self._key.get_secret_value() == ANONYMOUS_KEY

    @property
    def shared_key(self) -> bool:
        """Whether the key is a share of somebody's, which is not accepted everywhere."""
        return _SHARED_KEY.fullmatch(self._key.get_secret_value()) is not None

    async def turn(self) -> None:
        """Wait until one more request may be posted: 2 a second, 90 a minute, for our whole address."""
        await self._posts.acquire()

    async def submit_image(self, payload: Mapping[str, Any]) -> Accepted:
        """`POST /generate/async`, once. Raises `SubmissionUncertain` when it may have been accepted."""
        return await self._submit("generate/async", payload)

    async def check(self, remote_id: str) -> Check:
        """`GET /generate/check/{id}`: how far it is, cheaply. Raises `RemoteGone`."""
        await self._checks.acquire()
        return parse(Check, await self._read(self._url("generate/check", remote_id)))

    async def status(self, remote_id: str) -> Status:
        """`GET /generate/status/{id}`: with fresh links. At most nine a minute for one id, else `Busy`, unsent."""
        self._guard_status(remote_id)
        return parse(Status, await self._read(self._url("generate/status", remote_id)))

    async def cancel(self, remote_id: str) -> None:
        """`DELETE /generate/status/{id}`. Raises `RemoteGone`."""
        answer = await self._http.delete_json(self._url("generate/status", remote_id), headers=self._agent)
        _require_ok(answer)

    async def alchemy_turn(self) -> None:
        """Wait until one more alchemy request may be posted: 90 a minute, for our whole address."""
        await self._alchemy_posts.acquire()

    async def submit_alchemy(self, payload: Mapping[str, Any]) -> Accepted:
        """`POST /interrogate/async`, once. Raises `SubmissionUncertain` when it may have been accepted."""
        return await self._submit("interrogate/async", payload)

    async def alchemy_status(self, remote_id: str) -> AlchemyStatus:
        """`GET /interrogate/status/{id}`: states and results; ten a second are allowed. Raises `RemoteGone`."""
        return parse(AlchemyStatus, await self._read(self._url("interrogate/status", remote_id)))

    async def cancel_alchemy(self, remote_id: str) -> None:
        """`DELETE /interrogate/status/{id}`. Raises `RemoteGone`."""
        answer = await self._http.delete_json(self._url("interrogate/status", remote_id), headers=self._agent)
        _require_ok(answer)

    async def performance(self) -> Performance:
        """`GET /status/performance`: how many there are; a short answer, up to a minute old."""
        await self._others.acquire()
        return parse(Performance, await self._read(self._url("status/performance")))

    async def alchemists(self) -> list[Alchemist]:
        """`GET /workers`: who does alchemy. The list may be long; over 8 MiB it is a `ProtocolError`."""
        await self._others.acquire()
        return parse_rows(Alchemist, await self._read(self._url("workers"), {"type": "interrogation"}))

    async def find_user(self) -> User:
        """`GET /find_user`: whose key ours is; the server's answer is up to 30 s old. Raises `Unauthorized`."""
        await self._others.acquire()
        answer = await self._http.get_json(self._url("find_user"), headers=self._with_key())
        _require_ok(answer)
        return parse(User, answer.data)

    async def models(self) -> list[ActiveModel]:
        """`GET /status/models`: image models that somebody serves or waits for."""
        await self._others.acquire()
        return parse_rows(ActiveModel, await self._read(self._url("status/models"), {"type": "image"}))

    async def heartbeat(self) -> Heartbeat:
        """`GET /status/heartbeat`: whether the Horde answers at all."""
        return parse(Heartbeat, await self._read(self._url("status/heartbeat")))

    async def reference(self) -> list[Reference]:
        """Read the image model reference, a public JSON file: `{name: {…}}`."""
        answer = await self._http.get_json(self._reference_url)
        _require_ok(answer)
        rows = answer.data
        if isinstance(rows, dict):
            rows = [{"name": name, **row} for name, row in rows.items() if isinstance(row, dict)]
        return parse_rows(Reference, rows)

    async def _submit(self, path: str, payload: Mapping[str, Any]) -> Accepted:
        answer = await self._http.post_json(self._url(path), dict(payload), headers=self._with_key())
        if not answer.ok:
            raise error_of(answer)
        try:
            return parse(Accepted, answer.data)
        except ProtocolError as error:
            raise SubmissionUncertain(f"accepted, but without a usable id: {error.detail}") from error

    async def _read(self, url: str, params: Mapping[str, str] | None = None) -> Any:
        answer = await self._http.get_json(url, headers=self._agent, params=params)
        _require_ok(answer)
        return answer.data

    def _guard_status(self, remote_id: str) -> None:
        for known in [key for key, pacer in self._statuses.items() if pacer.idle]:
            del self._statuses[known]
        pacer = self._statuses.setdefault(remote_id, Pacer(self._clock, _STATUSES))
        if not pacer.try_acquire():
            raise Busy("status was asked nine times within a minute", retry_after=max(1.0, pacer.delay()))

    def _with_key(self) -> dict[str, str]:
        return {**self._agent, "apikey": self._key.get_secret_value()}

    def _url(self, path: str, remote_id: str | None = None) -> str:
        if remote_id is None:
            return f"{self._base}/{path}"
        if not remote_id.strip("."):
            raise RemoteGone("no usable remote id")
        return f"{self._base}/{path}/{quote(remote_id, safe='')}"


def _require_ok(answer: Answer) -> None:
    if not answer.ok:
        raise error_of(answer)
