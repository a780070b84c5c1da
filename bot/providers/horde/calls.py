"""What all calls to one Horde have in common: where it lies, who asks, and how its answers are taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from pydantic import SecretStr

from bot.clock import Clock
from bot.errors import Busy, ProtocolError, ProviderError, RemoteGone, SubmissionUncertain
from bot.http import Answer, HttpClient
from bot.pacing import Pacer
from bot.providers.horde.errors import error_of
from bot.providers.horde.wire import ModelT, parse

#: Everybody's key: no account, lowest priority, no list of requests.
ANONYMOUS_KEY: Final = "0000000000"
#: Shared keys are UUIDs; personal ones never are (server 5.1.5).
_SHARED_KEY: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HordeCalls:
    """Calls to one Horde with one key. All raise `ProviderError`s and nothing else.

    Reading and cancelling need no key (the id is the secret), so it is only sent where it is needed.
    """

    http: HttpClient
    base_url: str
    api_key: SecretStr
    #: Who asks, as `name:version:contact`.
    client_agent: str
    #: What an answer that is not 2xx means.
    error_of: Callable[[Answer], ProviderError] = error_of

    @property
    def anonymous(self) -> bool:
        """Whether the key is everybody's."""
        return self.api_key.get_secret_value() == ANONYMOUS_KEY

    @property
    def shared_key(self) -> bool:
        """Whether the key is a share of somebody's, which is not accepted everywhere."""
        return _SHARED_KEY.fullmatch(self.api_key.get_secret_value()) is not None

    @property
    def agent(self) -> Mapping[str, str]:
        """The headers of a call that needs no key."""
        return {"Client-Agent": self.client_agent}

    def url(self, path: str, remote_id: str | None = None) -> str:
        """Where an endpoint lies. Raises `RemoteGone` for an id that cannot be one of the Horde's."""
        base = self.base_url.rstrip("/")
        if remote_id is None:
            return f"{base}/{path}"
        if not remote_id.strip("."):
            raise RemoteGone("no usable remote id")
        return f"{base}/{path}/{quote(remote_id, safe='')}"

    async def read(self, path: str, remote_id: str | None = None, *, params: Mapping[str, str] | None = None) -> Any:
        """`GET`, tried again on trouble: the JSON of its answer."""
        return self._read_of(
            await self.http.get_json(self.url(path, remote_id), headers=self.agent, params=params),
        )

    async def read_own(self, path: str) -> Any:
        """`GET` what belongs to the key. Raises `Unauthorized`."""
        return self._read_of(await self.http.get_json(self.url(path), headers=self._with_key()))

    async def delete(self, path: str, remote_id: str) -> None:
        """`DELETE`, tried again on trouble. Raises `RemoteGone`."""
        self._read_of(await self.http.delete_json(self.url(path, remote_id), headers=self.agent))

    async def submit(self, path: str, payload: Mapping[str, Any], accepted: type[ModelT]) -> ModelT:
        """`POST`, once. Raises `SubmissionUncertain` when it may have been accepted."""
        answer = await self.http.post_json(self.url(path), dict(payload), headers=self._with_key())
        data = self._read_of(answer)
        try:
            return parse(accepted, data)
        except ProtocolError as error:
            raise SubmissionUncertain(f"accepted, but without a usable id: {error.detail}") from error

    def _read_of(self, answer: Answer) -> Any:
        if not answer.ok:
            raise self.error_of(answer)
        return answer.data

    def _with_key(self) -> dict[str, str]:
        return {**self.agent, "apikey": self.api_key.get_secret_value()}


class StatusPace:
    """So many looks at a status in such a time, counted for each id on its own, as the Horde does."""

    def __init__(self, clock: Clock, limits: Sequence[tuple[int, float]]) -> None:
        self._clock = clock
        self._limits = tuple(limits)
        self._pacers: dict[str, Pacer] = {}

    def take(self, remote_id: str) -> None:
        """Take one look. Raises `Busy` where that would be one too many, so that it is not sent."""
        for known in [key for key, pacer in self._pacers.items() if pacer.idle]:
            del self._pacers[known]
        pacer = self._pacers.setdefault(remote_id, Pacer(self._clock, self._limits))
        if not pacer.try_acquire():
            wait = max(1.0, pacer.delay())
            raise Busy("status was asked too often within a minute", retry_after=wait, asked=False)


async def read_reference(http: HttpClient, url: str) -> Any:
    """Read a model reference, a public JSON file `{name: {…}}`, as rows that carry their name."""
    answer = await http.get_json(url)
    if not answer.ok:
        raise error_of(answer)
    rows = answer.data
    if isinstance(rows, dict):
        return [{**row, "name": name} for name, row in rows.items() if isinstance(row, dict)]
    return rows
