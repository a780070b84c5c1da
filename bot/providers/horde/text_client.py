"""The endpoints of the Horde's text side that we use, each paced to its limit (server 5.1.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr, ValidationError

from bot.clock import Clock
from bot.errors import Busy, ProtocolError, RemoteGone, SubmissionUncertain, Unavailable
from bot.http import Answer, HttpClient, retry_after_of
from bot.pacing import Pacer
from bot.providers.horde.client import ANONYMOUS_KEY
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
    """Typed calls to one Horde with one key. Raises `ProviderError`s and nothing else.

    Reading and cancelling need no key (the id is the secret), so it is only sent where it is needed.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        base_url: str,
        api_key: SecretStr,
        client_agent: str,
        reference_url: str,
        http: HttpClient | None = None,
    ) -> None:
        self._session = session
        self._http = http or HttpClient(session, clock)
        self._reference_http = HttpClient(session, clock, max_body=MAX_REFERENCE)
        self._clock = clock
        self._base = base_url.rstrip("/")
        self._key = api_key
        self._agent = {"Client-Agent": client_agent}
        self._reference_url = reference_url
        self._posts = Pacer(clock, _POSTS)
        self._others = Pacer(clock, _OTHERS)
        self._statuses: dict[str, Pacer] = {}

    @property
    def anonymous(self) -> bool:
        """Whether the key is everybody's."""
        return self._key.get_secret_value() == ANONYMOUS_KEY

    async def turn(self) -> None:
        """Wait until one more text may be posted: 2 a second, 90 a minute, counted apart from pictures."""
        await self._posts.acquire()

    async def submit_text(self, payload: Mapping[str, Any]) -> TextAccepted:
        """`POST /generate/text/async`, once. Raises `SubmissionUncertain` when it may have been accepted."""
        answer = await self._http.post_json(self._url("generate/text/async"), dict(payload), headers=self._with_key())
        if not answer.ok:
            raise text_error_of(answer)
        try:
            return parse(TextAccepted, answer.data)
        except ProtocolError as error:
            raise SubmissionUncertain(f"accepted, but without a usable id: {error.detail}") from error

    async def status(self, remote_id: str) -> TextStatus:
        """`GET /generate/text/status/{id}`. At most fifty a minute for one id, else `Busy`, unsent."""
        self._guard_status(remote_id)
        return parse(TextStatus, await self._read(self._url("generate/text/status", remote_id)))

    async def cancel(self, remote_id: str) -> None:
        """`DELETE /generate/text/status/{id}`. Raises `RemoteGone`."""
        answer = await self._http.delete_json(self._url("generate/text/status", remote_id), headers=self._agent)
        _require_ok(answer)

    async def find_user(self) -> TextUser:
        """`GET /find_user`: which texts our key has open; the answer is up to 30 s old. Raises `Unauthorized`."""
        await self._others.acquire()
        answer = await self._http.get_json(self._url("find_user"), headers=self._with_key())
        _require_ok(answer)
        return parse(TextUser, answer.data)

    async def models(self) -> list[ActiveModel]:
        """`GET /status/models?type=text`: text models that somebody serves or waits for."""
        await self._others.acquire()
        return parse_rows(ActiveModel, await self._read(self._url("status/models"), {"type": "text"}))

    async def reference(self) -> list[TextReference]:
        """Read the text model reference, a public JSON file: `{name: {…}}`."""
        answer = await self._reference_http.get_json(self._reference_url)
        _require_ok(answer)
        rows = answer.data
        if isinstance(rows, dict):
            rows = [{**row, "name": name} for name, row in rows.items() if isinstance(row, dict)]
        return parse_rows(TextReference, rows)

    async def workers(self) -> list[TextWorker]:
        """`GET /workers?type=text`, read piece by piece: megabytes, of which a few numbers are kept."""
        await self._others.acquire()
        kept: list[TextWorker] = []

        def keep(row: Any) -> None:
            try:
                kept.append(TextWorker.model_validate(row))
            except ValidationError:
                return  # an odd row is nobody's fault; the others count

        await self._stream(self._url("workers"), {"type": "text"}, keep)
        return kept

    async def _stream(self, url: str, params: Mapping[str, str], keep: Callable[[Any], None]) -> None:
        """Hand each row of a list to `keep`. Not tried again: the next refresh is a minute away."""
        timeout = aiohttp.ClientTimeout(total=None)
        try:
            async with (
                asyncio.timeout(WORKER_LIST_TIMEOUT),
                self._session.get(
                    url, params=params, headers=self._agent, timeout=timeout, allow_redirects=False
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
            raise Unavailable(f"the connection broke: {type(error).__name__}") from error
        except ValueError as error:
            raise ProtocolError("not a usable address", path="url") from error

    async def _read(self, url: str, params: Mapping[str, str] | None = None) -> Any:
        answer = await self._http.get_json(url, headers=self._agent, params=params)
        _require_ok(answer)
        return answer.data

    def _guard_status(self, remote_id: str) -> None:
        for known in [key for key, pacer in self._statuses.items() if pacer.idle]:
            del self._statuses[known]
        pacer = self._statuses.setdefault(remote_id, Pacer(self._clock, _STATUSES))
        if not pacer.try_acquire():
            raise Busy("status was asked fifty times within a minute", retry_after=max(1.0, pacer.delay()))

    def _with_key(self) -> dict[str, str]:
        return {**self._agent, "apikey": self._key.get_secret_value()}

    def _url(self, path: str, remote_id: str | None = None) -> str:
        if remote_id is None:
            return f"{self._base}/{path}"
        if not remote_id.strip("."):
            raise RemoteGone("no usable remote id")
        return f"{self._base}/{path}/{quote(remote_id, safe='')}"


async def _require_list(response: aiohttp.ClientResponse) -> None:
    """Raise what stands in the way of reading the list."""
    if response.status == 429:
        raise Busy("HTTP 429", retry_after=retry_after_of(response.headers))
    if response.status >= 500 or 300 <= response.status < 400:
        raise Unavailable(f"HTTP {response.status}")
    if response.status != 200:
        raise text_error_of(Answer(status=response.status))


def _require_ok(answer: Answer) -> None:
    if not answer.ok:
        raise text_error_of(answer)
