"""The endpoints of the Horde's text side that we use, each paced to its limit (server 5.1.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import aiohttp
from pydantic import ValidationError

from bot.clock import Clock
from bot.errors import Busy, ProtocolError, Unavailable
from bot.http import Answer, HttpClient, retry_after_of
from bot.network_words import words_of
from bot.pacing import Pacer
from bot.providers.horde.calls import HordeCalls, StatusPace, read_reference
from bot.providers.horde.rows import RowReader
from bot.providers.horde.text_errors import text_error_of
from bot.providers.horde.text_wire import TextAccepted, TextReference, TextStatus, TextUser, TextWorker
from bot.providers.horde.wire import ActiveModel, parse, parse_rows

#: (calls, seconds). Windows a tenth longer than the server's: what we send evenly may arrive less so.
_POSTS: Final = ((2, 1.1), (90, 66.0))
_STATUSES: Final = ((50, 61.0),)
_OTHERS: Final = ((30, 61.0),)
#: Bytes of the list of workers that are read at most, and seconds that it may take.
MAX_WORKER_LIST: Final = 64 * 1024 * 1024
WORKER_LIST_TIMEOUT: Final = 60.0
#: Bytes of the model reference; it has several rows for each model.
MAX_REFERENCE: Final = 16 * 1024 * 1024


class HordeTextClient:
    """Typed calls for texts. Raises `ProviderError`s and nothing else."""

    def __init__(self, calls: HordeCalls, session: aiohttp.ClientSession, clock: Clock, *, reference_url: str) -> None:
        """Take the parts; the `session` is for the one list that is too long to be read at once."""
        self._calls = replace(calls, error_of=text_error_of)
        self._session = session
        self._reference_http = HttpClient(session, clock, max_body=MAX_REFERENCE)
        self._reference_url = reference_url
        self._posts = Pacer(clock, _POSTS)
        self._statuses = StatusPace(clock, _STATUSES)
        self._others = Pacer(clock, _OTHERS)

    @property
    def anonymous(self) -> bool:
        """Whether the key is everybody's."""
        return self._calls.anonymous

    async def turn(self) -> None:
        """Wait until one more text may be posted: 2 a second, 90 a minute, counted apart from pictures."""
        await self._posts.acquire()

    async def submit_text(self, payload: Mapping[str, Any]) -> TextAccepted:
        """`POST /generate/text/async`, once. Raises `SubmissionUncertain` when it may have been accepted."""
        return await self._calls.submit("generate/text/async", payload, TextAccepted)

    async def status(self, remote_id: str) -> TextStatus:
        """`GET /generate/text/status/{id}`. At most fifty a minute for one id, else `Busy`, unsent."""
        self._statuses.take(remote_id)
        return parse(TextStatus, await self._calls.read("generate/text/status", remote_id))

    async def cancel(self, remote_id: str) -> None:
        """`DELETE /generate/text/status/{id}`. Raises `RemoteGone`."""
        await self._calls.delete("generate/text/status", remote_id)

    async def find_user(self) -> TextUser:
        """`GET /find_user`: which texts our key has open; the answer is up to 30 s old. Raises `Unauthorized`."""
        await self._others.acquire()
        return parse(TextUser, await self._calls.read_own("find_user"))

    async def models(self) -> list[ActiveModel]:
        """`GET /status/models?type=text`: text models that somebody serves or waits for."""
        await self._others.acquire()
        return parse_rows(ActiveModel, await self._calls.read("status/models", params={"type": "text"}))

    async def reference(self) -> list[TextReference]:
        """Read the text model reference."""
        return parse_rows(TextReference, await read_reference(self._reference_http, self._reference_url))

    async def workers(self) -> list[TextWorker]:
        """`GET /workers?type=text`, read piece by piece: megabytes, of which a few numbers are kept."""
        await self._others.acquire()
        kept: list[TextWorker] = []

        def keep(row: Any) -> None:
            try:
                kept.append(TextWorker.model_validate(row))
            except ValidationError:
                return  # an odd row is nobody's fault; the others count

        await self._stream(self._calls.url("workers"), {"type": "text"}, keep)
        return kept

    async def _stream(self, url: str, params: Mapping[str, str], keep: Callable[[Any], None]) -> None:
        """Hand each row of a list to `keep`. Not tried again: the next refresh is a minute away."""
        timeout = aiohttp.ClientTimeout(total=None)
        try:
            async with (
                asyncio.timeout(WORKER_LIST_TIMEOUT),
                self._session.get(
                    url, params=params, headers=self._calls.agent, timeout=timeout, allow_redirects=False
                ) as response,
            ):
                await _require_list(response)
                reader, read = RowReader(), 0
                async for chunk in response.content.iter_chunked(64 * 1024):
                    read += len(chunk)
                    if read > MAX_WORKER_LIST:
                        raise ProtocolError("the list is too large", path="$")
                    for row in reader.feed(chunk):
                        keep(row)
                if not reader.ended:
                    raise ProtocolError("the list breaks off", path="$")
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise Unavailable(words_of(error)) from error
        except ValueError as error:
            raise ProtocolError("not a usable address", path="url") from error


async def _require_list(response: aiohttp.ClientResponse) -> None:
    """Raise what stands in the way of reading the list."""
    if response.status == 429:
        raise Busy("HTTP 429", retry_after=retry_after_of(response.headers))
    if response.status >= 500 or 300 <= response.status < 400:
        raise Unavailable(f"HTTP {response.status}")
    if response.status != 200:
        raise text_error_of(Answer(status=response.status))
