"""The door through which services push: OSAIS's callbacks, the AI Horde's webhooks, and the files that OSAIS fetches.

    POST /cb/<secret>/notify, /cb/<secret>/upload     OSAIS: a stage, a file
    POST /hook/horde/<job token>                      the AI Horde: something of a job is done
    GET  /source/<token>                              what a job works on

What a call says is written down before it is acknowledged; all that follows from it (looking, fetching, Discord) is the
tracker's, in whichever process owns the job, and cannot change the answer. An address that is wrong in any way is an
unknown path, answered before the body is asked for. See docs/webhooks.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web
from pydantic import SecretStr

from bot.domain.callbacks import Callback, Notice, Upload
from bot.domain.engines import PROVIDER as OSAIS
from bot.domain.jobs import Job, is_engine
from bot.errors import StoreError
from bot.web.bodies import Body, read_body
from bot.web.doors import Doors
from bot.web.horde_hooks import HOOK_LIMIT, read_hint
from bot.web.osais_calls import (
    NOTIFY_LIMIT,
    Call,
    acknowledgement,
    read_notice,
    read_upload,
    token_of,
    upload_limit,
)
from bot.web.receiving import Places, receive
from bot.web.refusals import Refused
from bot.web.sniffing import check_makes, media_type_of

log = logging.getLogger(__name__)

#: Seconds between two log lines about refused calls.
_LOG_EVERY: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """How one kind of OSAIS's calls is read."""

    read: Callable[[Body], Call]
    #: Most bytes of a body, by its content type.
    limit: Callable[[str], int]
    #: Files are decoded and hashed beside the event loop.
    large: bool


_NOTIFY: Final = _Route(read=read_notice, limit=lambda _: NOTIFY_LIMIT, large=False)
_UPLOAD: Final = _Route(read=read_upload, limit=upload_limit, large=True)


class Listener:
    """Answers every call that is not about health."""

    def __init__(self, doors: Doors, *, wake: Callable[[], None], osais_token: SecretStr | None) -> None:
        """Take the parts; `wake` has the tracker look. Where OSAIS is not offered its addresses do not exist."""
        self._address = doors.address
        self._inbox = doors.inbox
        self._jobs = doors.jobs
        self._hooks = doors.hooks
        self._sources = doors.sources
        self._clock = doors.clock
        self._wake = wake
        self._osais_token = osais_token.get_secret_value() if osais_token is not None else ""
        self._places = Places()
        self._log_again_at = self._stranger_again_at = self._clock.monotonic()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call; raises aiohttp's 404 for every address that is not exactly one of ours."""
        try:
            match [request.method, *self._address.segments(request.path)]:
                case ["POST", "cb", secret, "notify"] if self._is_osais(secret):
                    return await self._osais(request, _NOTIFY)
                case ["POST", "cb", secret, "upload"] if self._is_osais(secret):
                    async with self._places.taken():
                        return await self._osais(request, _UPLOAD)
                case ["POST", "hook", "horde", token]:
                    return await self._horde(request, token)
                case ["GET" | "HEAD", "source", token]:
                    return await self._source(token)
                case _:
                    raise web.HTTPNotFound
        except Refused as refused:
            self._note(refused)
            return _refusal(refused.status, refused.detail)
        except StoreError as error:
            log.warning("a call could not be kept", extra={"action": "web.not-kept", "cause": str(error)})
            return _refusal(503, "it could not be kept; please try again")

    def _is_osais(self, secret: str) -> bool:
        return self._address.is_callback_secret(secret) and bool(self._osais_token)

    # -- OSAIS ----------------------------------------------------------------------------------------------------

    async def _osais(self, request: web.Request, route: _Route) -> web.Response:
        content_type = _content_type(request)
        content = await receive(request, limit=route.limit(content_type), clock=self._clock)
        understand = partial(self._understood, content, content_type, route.read)
        call, token = await asyncio.to_thread(understand) if route.large else understand()
        remote_id = str(call.uid)
        job = await self._jobs.find_by_remote(OSAIS, remote_id)
        said, now = call.said, self._clock.now()
        _check_fits(said, job)
        fresh = await self._inbox.put(
            Callback(provider=OSAIS, remote_id=remote_id, received_at=now, said=said), call.data
        )
        if fresh:
            await self._tell(remote_id, job)
        if job is None:
            self._note_stranger(remote_id)
        what = "file" if isinstance(said, Upload) else "stage"
        log.debug("OSAIS called", extra={"action": "web.osais", "what": what, "uid": call.uid, "fresh": fresh})
        return web.json_response(acknowledgement(token, call.uid), status=201)

    def _understood(self, content: bytes, content_type: str, read: Callable[[Body], Call]) -> tuple[Call, str]:
        body = read_body(content, content_type)
        token = token_of(body, self._osais_token)
        return read(body), token

    async def _tell(self, remote_id: str, job: Job | None) -> None:
        """Have whoever owns the job look; should that fail, the next look finds the call all the same."""
        try:
            job = job or await self._jobs.find_by_remote(OSAIS, remote_id)  # it may have its number only now
            if job is not None:
                await self._jobs.nudge(job.id, self._clock.now())
        except StoreError as error:
            log.warning("nobody was told of a call", extra={"action": "web.not-told", "cause": str(error)})
        self._wake()

    # -- the AI Horde ---------------------------------------------------------------------------------------------

    async def _horde(self, request: web.Request, token: str) -> web.Response:
        job_id = self._address.job_of(token)
        if job_id is None:
            raise web.HTTPNotFound
        content = await receive(request, limit=HOOK_LIMIT, clock=self._clock)
        if await self._hooks.take_in(job_id, read_hint(content)):
            self._wake()
        return web.json_response({"ok": True})

    # -- source files ---------------------------------------------------------------------------------------------

    async def _source(self, token: str) -> web.Response:
        data = await self._sources.content(token)
        if data is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=data, content_type=media_type_of(data), headers=headers)

    def _note(self, refused: Refused) -> None:
        """Log a refusal now and then, and never what was sent."""
        if self._clock.monotonic() >= self._log_again_at:
            self._log_again_at = self._clock.monotonic() + _LOG_EVERY
            cause = {"status": refused.status, "cause": refused.detail}
            log.warning("a service's call was refused", extra={"action": "web.refused", **cause})

    def _note_stranger(self, remote_id: str) -> None:
        """Log now and then that there are calls for requests that nobody here is known to have made (yet)."""
        if self._clock.monotonic() >= self._stranger_again_at:
            self._stranger_again_at = self._clock.monotonic() + _LOG_EVERY
            log.info("a call about an unknown request", extra={"action": "web.unknown-uid", "uid": remote_id})


def _check_fits(said: Notice | Upload, job: Job | None) -> None:
    """Raise `Refused` for a file that the job's engine does not make; which one the call names decides nothing.

    While no job is known to have the number, any engine may have made it: whoever adopts it judges again.
    """
    if job is None or not is_engine(job):
        return
    engine = job.request.engine
    if said.engine not in {"", engine}:
        log.debug("a call names another engine", extra={"action": "web.other-engine", "job_id": job.id})
    if isinstance(said, Upload):
        check_makes(engine, said.media_type)


def _content_type(request: web.Request) -> str:
    """The header as it is: aiohttp's own reading of it makes something up where there is none."""
    return request.headers.get("Content-Type", "")


def _refusal(status: int, message: str) -> web.Response:
    body: Mapping[str, object] = {"data": None, "status": status, "message": message}
    return web.json_response(body, status=status)
