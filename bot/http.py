"""One JSON call to a remote service: timeout, size cap, retries, and errors from our own tree.

What can go wrong is sorted by the one question that matters to the caller: may the service have acted on the request?
Reads (and DELETEs, which can be repeated harmlessly) are tried again. A submission (`once=True`) never is: what fails
before it can have left is `Unavailable`, anything later is `SubmissionUncertain`.

Redirects are not followed: `aiohttp` would carry a custom `apikey` header along to wherever they lead.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import tenacity

from bot.clock import Clock
from bot.errors import Busy, ProtocolError, ProviderError, SubmissionUncertain, Unavailable
from bot.network_words import words_of

log = logging.getLogger(__name__)

#: Seconds for one call, from asking for a connection to the last byte.
TOTAL_TIMEOUT = 20.0
#: Largest answer taken, in bytes after decompression.
MAX_BODY = 8 * 1024 * 1024
#: How often a read is tried in all.
READ_TRIES = 3
#: A read that is asked to wait longer than this (seconds) is given back to the caller as `Busy`.
PATIENCE = 5.0
#: `Retry-After` is believed within these bounds, in seconds.
MIN_RETRY_AFTER, MAX_RETRY_AFTER = 0.5, 600.0

#: 503 is the service's own "not now"; the 52x are Cloudflare's for an origin that was never reached.
_NOT_REACHED = frozenset({503, 521, 523, 525, 526, 530})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service answered: below 500 and not rate limited, unless the caller wanted it unjudged."""

    status: int
    #: The parsed JSON; None when the body of an error was not JSON.
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One call: what is sent, and how its answer is taken."""

    method: str
    url: str
    #: May hold a key.
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    params: Mapping[str, str] | None = None
    #: Becomes JSON; None: nothing.
    body: object = field(default=None, repr=False)
    #: Whether the service must not get it twice.
    once: bool = False
    #: Whether the status tells how it ended; otherwise any JSON is an answer.
    judged: bool = True

    @property
    def payload(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body).encode()

    @property
    def sent_headers(self) -> Mapping[str, str]:
        typed = {} if self.body is None else {"Content-Type": "application/json"}
        return {**(self.headers or {}), **typed}


class HttpClient:
    """JSON over HTTP. Callers get an `Answer` or a `ProviderError`; a 4xx is an answer, for the provider to read."""

    def __init__(
        self, session: aiohttp.ClientSession, clock: Clock, *, timeout: float = TOTAL_TIMEOUT, max_body: int = MAX_BODY
    ) -> None:
        self._session = session
        self._clock = clock
        self._total = timeout
        self._max_body = max_body

    async def get_json(
        self, url: str, *, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None
    ) -> Answer:
        """Read, trying again on trouble. Raises `Unavailable`, `Busy` (429) or `ProtocolError`."""
        return await self._patiently(_Call(method="GET", url=url, headers=headers, params=params))

    async def delete_json(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Delete, trying again on trouble: the services we use answer a second DELETE like the first."""
        return await self._patiently(_Call(method="DELETE", url=url, headers=headers))

    async def patch_json(self, url: str, body: object, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Set fields of something, trying again on trouble: saying the same twice changes nothing."""
        return await self._patiently(_Call(method="PATCH", url=url, headers=headers, body=body))

    async def post_json(self, url: str, body: object, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Submit, once. Raises `Unavailable` (it did not arrive), `Busy` (429), or `SubmissionUncertain`."""
        return await self._send(_Call(method="POST", url=url, headers=headers, body=body, once=True))

    async def post_once(self, url: str, body: object, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Submit, once, to a service whose statuses do not tell whether it acted on the request.

        Whatever it answers is the caller's to judge, also a body that is no JSON (None). Raises `Unavailable` only when
        nothing can have left, and `SubmissionUncertain` when the answer was lost.
        """
        return await self._send(_Call(method="POST", url=url, headers=headers, body=body, once=True, judged=False))

    async def _patiently(self, call: _Call) -> Answer:
        retrying = tenacity.AsyncRetrying(
            sleep=self._clock.sleep,
            stop=tenacity.stop_after_attempt(READ_TRIES),
            wait=_wait,
            retry=tenacity.retry_if_exception(_worth_another_try),
            reraise=True,
        )
        return await retrying(self._send, call)

    async def _send(self, call: _Call) -> Answer:
        # `connect` covers waiting for a free connection too, so a call that timed out later than that may have left.
        timeout = aiohttp.ClientTimeout(total=None, connect=self._total / 2)
        payload = call.payload
        try:
            async with (
                asyncio.timeout(self._total),
                self._session.request(
                    call.method,
                    call.url,
                    data=payload,
                    headers=call.sent_headers,
                    params=call.params,
                    timeout=timeout,
                    allow_redirects=False,
                ) as response,
            ):
                body = await self._body_of(response)
                return _judged(response, body, once=call.once) if call.judged else _unjudged(response, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unavailable(f"cannot connect: {words_of(error)}") from error
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            if call.once:
                raise SubmissionUncertain(f"the answer was lost: {words_of(error)}") from error
            raise Unavailable(words_of(error)) from error
        except ValueError as error:  # a URL that yarl cannot take; nothing has left
            raise ProtocolError("not a usable address", path="url") from error

    async def _body_of(self, response: aiohttp.ClientResponse) -> bytes | None:
        """Read the body; None when it is larger than we take (endless ones are cut there)."""
        body = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > self._max_body:
                response.close()
                return None
        return bytes(body)


def _judged(response: aiohttp.ClientResponse, body: bytes | None, *, once: bool) -> Answer:
    status, data = response.status, _parsed(body)
    if status >= 500:
        if once and status not in _NOT_REACHED:
            raise SubmissionUncertain(f"HTTP {status}")
        raise Unavailable(f"HTTP {status}")
    if status == 429 and not _has_code(data):
        raise Busy("HTTP 429", retry_after=retry_after_of(response.headers))
    if 300 <= status < 400:
        raise Unavailable(f"HTTP {status}: redirects are not followed; check the address in the settings")
    if status < 300 and data is None:
        if once:
            raise SubmissionUncertain(f"HTTP {status}, but its body cannot be read")
        raise ProtocolError("the body is not JSON" if body is not None else "the body is too large", path="$")
    return Answer(status=status, data=data, headers=dict(response.headers))


def _unjudged(response: aiohttp.ClientResponse, body: bytes | None) -> Answer:
    return Answer(status=response.status, data=_parsed(body), headers=dict(response.headers))


def retry_after_of(headers: Mapping[str, str], default: float = 2.0) -> float:
    """Seconds a 429 asks us to wait, within sane bounds; `default` where it does not say (in a form we read)."""
    try:
        seconds = float(headers.get("Retry-After", default))
    except ValueError:
        seconds = default
    if not seconds >= 0:  # negative, or not a number
        seconds = default
    return min(max(seconds, MIN_RETRY_AFTER), MAX_RETRY_AFTER)


def _parsed(body: bytes | None) -> Any:
    if body is None:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _has_code(data: Any) -> bool:
    """Tell a business refusal that happens to be a 429 (it carries a code) from the rate limiter's (it does not)."""
    return isinstance(data, dict) and bool(data.get("rc"))


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, Busy):
        return error.retry_after <= PATIENCE
    return isinstance(error, Unavailable)


_backoff = tenacity.wait_exponential_jitter(multiplier=0.5, max=4.0, jitter=0.5)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, Busy):
        return error.retry_after
    if isinstance(error, ProviderError):
        log.debug("remote call failed, trying again: %s", error.detail, extra={"action": "http.retry"})
    return _backoff(state)
