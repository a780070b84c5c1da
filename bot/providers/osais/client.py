"""The endpoints of OSAIS's client API, with one token: logging in, renewing that, and serialised submissions.

A Bearer is asked for when the first call needs one, renewed long before it ends, and once more when a call is refused
with 401 or 403. Submissions leave one after the other, one that is repeated with a new Bearer too: a uid is a time
rounded to a second, so two in one second might get the same (its client documentation, 2023). Processes that share a
token share the turns too, through the database.

What an answer means is decided by its `data`, not by its status (AI-side library; an answer of the route helper may be
200 and a refusal). To a submission only a null `data` below 500 says that nothing was begun; what a 503, a 429, a
redirect, or a page of something in between means is documented nowhere, and each request is charged. Nor is a page that
stands in for any other answer, whatever its status, a statement of OSAIS: not about a request, and not about our key.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import quote

from pydantic import SecretStr

from bot.clock import Clock
from bot.errors import ProtocolError, Rejected, StoreError, SubmissionUncertain, Unauthorized, Unavailable
from bot.http import Answer, HttpClient
from bot.pacing import Pacer
from bot.providers.osais.errors import (
    LOGIN_SILENT,
    NONSENSE,
    REFUSED,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNCERTAIN,
    gone,
    refusal_of,
    said_by,
    told_of_osais,
)
from bot.providers.osais.wire import Accepted, Checked, parse

log = logging.getLogger(__name__)

#: Seconds between two submissions with one token.
APART: Final = 1.1
#: A Bearer is renewed after a third of its life, and at least daily (the sample application advises that), in seconds.
DAY: Final = 24 * 3600.0
#: Something in between may answer 401 or 403 for OSAIS. Whether the Bearer is why is tried with one older than this, s.
NOT_NEW: Final = 600.0
_HOURS: Final = re.compile(r"\s*([0-9]{1,6})\s*h\s*")
#: GETs of OSAIS are said to carry `max-age` of a year: whatever lies in between must not answer for it.
_FRESH: Final = {"Cache-Control": "no-cache"}
#: One call, given the headers that say who asks.
Call = Callable[[Mapping[str, str]], Awaitable[Answer]]


class SharesTurns(Protocol):
    """Gives turns to all processes that use one token (the database)."""

    async def take_turn(self, key: str, *, now: datetime, apart: timedelta) -> datetime:
        """Give the caller the next moment that is at least `apart` after the last one given. Raises `StoreError`."""
        ...


class OsaisClient:
    """Typed calls with one token. Raises `ProviderError`s, whose sentences name OSAIS, and nothing else."""

    def __init__(
        self,
        http: HttpClient,
        clock: Clock,
        *,
        base_url: str,
        token: SecretStr,
        secret: SecretStr,
        turns: SharesTurns | None = None,
    ) -> None:
        """Take the parts; `turns` are shared with all who use the same token."""
        self._http = http
        self._shared = turns
        self._turn_key = f"osais:turn:{hashlib.sha256(token.get_secret_value().encode()).hexdigest()[:16]}"
        self._clock = clock
        self._base = base_url.rstrip("/")
        self._token = token
        self._secret = secret
        self._bearer = ""
        self._renew_at = self._logged_in_at = float("-inf")
        self._door = asyncio.Lock()
        self._turns = Pacer(clock, ((1, APART),))
        self._submitting = asyncio.Lock()
        self._left_at = float("-inf")

    async def turn(self) -> None:
        """Wait until one more request may be handed over."""
        await self._turns.acquire()

    async def submit(self, engine: str, params: Mapping[str, Any]) -> Accepted:
        """`POST private/client/ai/<engine>`, once. Raises `SubmissionUncertain` when it may have been accepted.

        What OSAIS refuses with 401 or 403 was not begun, and is sent once more with a new Bearer.
        """
        url = self._url("private/client/ai", engine)
        async with self._submitting:
            bearer = await self._current(stale="")
            answer = await self._post_in_turn(url, params, bearer)
            if _refuses_bearer(answer):
                answer = await self._post_in_turn(url, params, await self._current(stale=bearer))
        return _accepted(answer)

    async def _post_in_turn(self, url: str, params: Mapping[str, Any], bearer: str) -> Answer:
        """Wait for a turn, ours and then that of all processes, and submit."""
        await self._clock.sleep(max(0.0, self._left_at + APART - self._clock.monotonic()))
        await self._shared_turn()
        try:
            with told_of_osais():
                return await self._http.post_once(url, dict(params), headers=_authorization(bearer))
        finally:
            self._left_at = self._clock.monotonic()

    async def _shared_turn(self) -> None:
        """Wait for this token's next turn among all processes; a database that stumbles leaves each to its own."""
        if self._shared is None:
            return
        now = self._clock.now()
        try:
            mine = await self._shared.take_turn(self._turn_key, now=now, apart=timedelta(seconds=APART))
        except StoreError as error:
            log.warning("no shared turn", extra={"action": "osais.no-turn", "cause": str(error)})
            return
        await self._clock.sleep(max(0.0, (mine - now).total_seconds()))

    async def check(self, uid: str) -> Checked | None:
        """`GET private/client/request/<uid>`; None while OSAIS does not know it (yet).

        Raises `RemoteGone` for a request that is somebody else's.
        """
        url = self._url("private/client/request", uid)
        answer = await self._with_bearer(lambda headers: self._http.get_json(url, headers={**headers, **_FRESH}))
        data = _data(answer)
        if data is not None:
            with told_of_osais():
                return parse(Checked, data)
        if not _in_envelope(answer):
            raise Unavailable(f"check: HTTP {answer.status}, and not by OSAIS", user_message=UNAVAILABLE)
        if answer.status == 403:
            raise gone(said_by(answer) or "HTTP 403")
        if answer.status == 401:
            raise refusal_of(answer)
        return None

    async def call_at(self, *, domain: str, notify: str, upload: str) -> None:
        """`PATCH private/client/notify`: tell where callbacks go. The paths begin without a slash."""
        url = self._url("private/client/notify")
        body = {"domain": domain, "uriNotify": notify, "uriUpload": upload}
        answer = await self._with_bearer(lambda headers: self._http.patch_json(url, body, headers=headers))
        if _data(answer) is None:
            raise refusal_of(answer)

    async def config(self, engine: str) -> Mapping[str, Any]:
        """`GET public/config/<engine>`: what it takes; needs no token."""
        with told_of_osais():
            answer = await self._http.get_json(self._url("public/config", engine), headers=_FRESH)
            data = _data(answer)
            if not isinstance(data, dict):
                raise ProtocolError(said_by(answer) or f"HTTP {answer.status}", path="data")
            return data

    # -- the Bearer -----------------------------------------------------------------------------------------------

    async def _with_bearer(self, call: Call) -> Answer:
        """Make a call with the Bearer; once more with a new one when it is refused with 401 or 403."""
        bearer = await self._current(stale="")
        with told_of_osais():
            answer = await call(_authorization(bearer))
        doubtful = _is_page(answer) and self._clock.monotonic() - self._logged_in_at < NOT_NEW
        if answer.status not in {401, 403} or _data(answer) is not None or doubtful:
            return answer
        bearer = await self._current(stale=bearer)
        with told_of_osais():
            return await call(_authorization(bearer))

    async def _current(self, *, stale: str) -> str:
        """The Bearer in use; a new one when it is the `stale` one, or due to be renewed."""
        async with self._door:
            if not self._bearer or self._bearer == stale or self._clock.monotonic() >= self._renew_at:
                await self.log_in()
            return self._bearer

    async def log_in(self) -> None:
        """`POST public/client/login`: get a Bearer. Raises `Unauthorized` or `Unavailable`."""
        body = {"token": self._token.get_secret_value(), "secret": self._secret.get_secret_value()}
        try:
            with told_of_osais():
                answer = await self._http.post_json(self._url("public/client/login"), body)
        except SubmissionUncertain as error:  # nothing is lost by logging in once more
            raise Unavailable(f"login: {error.detail}", user_message=LOGIN_SILENT) from error
        found = _login_of(answer)
        bearer = found.get("authToken")
        if not isinstance(bearer, str) or not re.fullmatch(r"[!-~]+", bearer):
            raise ProtocolError("a login without authToken", path="data.authToken", user_message=NONSENSE)
        self._bearer, self._logged_in_at = bearer, self._clock.monotonic()
        self._renew_at = self._logged_in_at + min(DAY, seconds_of(found.get("duration")) / 3)
        log.info("logged in at OSAIS", extra={"action": "osais.login"})

    def _url(self, path: str, *parts: str) -> str:
        return "/".join((self._base, "api/v1", path, *(quote(part, safe="") for part in parts)))


def seconds_of(duration: Any) -> float:
    """How long a Bearer lives: `72h`; a day where it says anything else."""
    found = _HOURS.fullmatch(duration) if isinstance(duration, str) else None
    return float(found[1]) * 3600 if found and float(found[1]) > 0 else DAY


def _authorization(bearer: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer}"}


def _data(answer: Answer) -> Any:
    """What decides: the `data` of an answer, or None for a refusal and for what is no answer of OSAIS at all."""
    return answer.data.get("data") if isinstance(answer.data, dict) else None


def _login_of(answer: Answer) -> Mapping[str, Any]:
    """What a login brought: under `data` by the documentation, at the top by a comment of the sample application.

    Raises `Unauthorized` for a refusal, which has neither, and `Unavailable` for what OSAIS did not answer by itself.
    """
    body = answer.data if isinstance(answer.data, dict) else {}
    places = [place for place in (body.get("data"), body) if isinstance(place, dict)]
    found = next((place for place in places if place.get("authToken")), None)
    if found is not None:
        return found
    if body.get("data") is not None:
        return {}
    log.error("OSAIS refuses the login", extra={"action": "osais.login-refused", "status": answer.status})
    if _in_envelope(answer) and answer.status in {400, 401, 403, 404}:
        raise Unauthorized(said_by(answer) or f"HTTP {answer.status}", user_message=UNAUTHORIZED)
    raise Unavailable(f"login: HTTP {answer.status}", user_message=LOGIN_SILENT)


def _accepted(answer: Answer) -> Accepted:
    """Judge the answer to a submission. Raises a refusal, or `SubmissionUncertain` for all that does not say it is.

    A 403 that stays with a new Bearer is about the request (no credit, say), so what OSAIS says of it is told.
    """
    data = _data(answer)
    if data is None:
        if answer.status == 403 and _in_envelope(answer):
            raise Rejected(said_by(answer) or "HTTP 403 without a word", code=said_by(answer), user_message=REFUSED)
        if _refuses_bearer(answer) or (answer.status < 500 and _in_envelope(answer)):
            raise refusal_of(answer)
        detail = f"HTTP {answer.status}, which does not say that nothing was begun"
        raise SubmissionUncertain(detail, user_message=UNCERTAIN)
    try:
        return parse(Accepted, data)
    except ProtocolError as error:
        detail = f"accepted, but without a usable uid: {error.detail}"
        raise SubmissionUncertain(detail, user_message=UNCERTAIN) from error


def _in_envelope(answer: Answer) -> bool:
    """Whether it is OSAIS that answers, and not something in between: it always says `data`, be it null."""
    return isinstance(answer.data, dict) and "data" in answer.data


def _is_page(answer: Answer) -> bool:
    """Whether something in between may have answered (or a part of OSAIS that knows no envelope)."""
    return not isinstance(answer.data, dict)


def _refuses_bearer(answer: Answer) -> bool:
    """Whether the answer to a submission says that it was not even looked at; a page says nothing."""
    return answer.status in {401, 403} and not _is_page(answer) and _data(answer) is None
