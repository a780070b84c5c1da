"""Files that a check shows: fetched by their address, and put into the inbox as if a call had brought them.

A file may be announced before it is there (AIs put it on S3 meanwhile), and a host may be silent for a while; neither
says anything of OSAIS itself. So such a file is awaited, and given up only after its patience.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, Protocol

from bot.clock import Clock
from bot.domain.callbacks import Callback, Upload
from bot.domain.jobs import EngineJob
from bot.errors import InboxFull, MediaError, MediaGone, Unavailable
from bot.media import MediaFetcher, MediaLimits
from bot.providers.osais.configs import may_send
from bot.providers.osais.memory import Memory
from bot.sniffing import sniff

log = logging.getLogger(__name__)

#: What is taken of a file by its address: as much as of an upload (32 MiB); pixels are told by its header.
FILE: Final = MediaLimits(max_bytes=32 * 1024 * 1024, max_pixels=50_000_000, timeout=60.0)
#: How long a file is awaited where nothing is at its address yet, and where the host is silent.
GONE_PATIENCE, SILENT_PATIENCE = timedelta(minutes=2), timedelta(minutes=15)
#: Where AIs say they put a file (PyPI's osais 1.0.49), and where it can be fetched if the operator allows the host.
S3, S3_HTTPS = "s3://osais/", "https://osais.s3.eu-west-2.amazonaws.com/"
MAX_NAME: Final = 100


class KeepsCalls(Protocol):
    """What services told us by calling us (the inbox)."""

    async def put(self, callback: Callback, data: bytes | None = None) -> bool:
        """Write a call down, with a file's bytes; False when it was there already. Raises `InboxFull`."""
        ...

    async def of(self, provider: str, remote_id: str) -> Sequence[Callback]:
        """The calls about one request, in the order they came."""
        ...

    async def content(self, callback_id: int) -> bytes | None:
        """A file's bytes, or None when they are gone."""
        ...


class Taken(Enum):
    """What became of a file that a check showed."""

    KEPT = auto()
    NOT_YET = auto()
    NEVER = auto()


class AnnouncedFiles:
    """Fetches such files, each until it is settled what becomes of it."""

    def __init__(self, media: MediaFetcher, inbox: KeepsCalls, clock: Clock) -> None:
        self._media = media
        self._inbox = inbox
        self._clock = clock
        #: By address: what became of it, and since when those are awaited that are not there.
        self._settled: Memory[Taken] = Memory()
        self._absent_since: Memory[datetime] = Memory()

    def kept(self, url: str) -> bool:
        """Whether the file at this address lies in the inbox."""
        return self._settled.get(url) is Taken.KEPT

    async def take(self, run: EngineJob, uid: str, url: str) -> Taken:
        """Fetch the file at `url` into the inbox, unless that was settled before."""
        if url in self._settled:
            return self._settled[url]
        try:
            data = await self._media.download(url, FILE)
        except (MediaError, Unavailable) as error:
            if self._awaited(url, error):
                return Taken.NOT_YET
            about = {"action": "osais.unfetched", "job_id": run.id, "cause": str(error)}
            log.warning("a file of OSAIS can't be fetched", extra=about)
            state = Taken.NEVER
        else:
            state = await self._put(run, uid, url, data)
        self._settled[url] = state
        return state

    def _awaited(self, url: str, error: MediaError | Unavailable) -> bool:
        """Whether a file that could not be had is still expected to show up."""
        patience = {MediaGone: GONE_PATIENCE, Unavailable: SILENT_PATIENCE}.get(type(error), timedelta())
        now = self._clock.now()
        self._absent_since[url] = since = self._absent_since.get(url, now)
        return now - since < patience

    async def _put(self, run: EngineJob, uid: str, url: str, data: bytes) -> Taken:
        sniffed = sniff(data)
        if sniffed is None or sniffed.too_large or not may_send(run.request.engine, sniffed.media_type):
            log.warning("not a file of this engine", extra={"action": "osais.odd-file", "job_id": run.id})
            return Taken.NEVER
        said = Upload(
            name=name_of(url),
            media_type=sniffed.media_type,
            size=len(data),
            sha256=await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest()),
            engine=run.request.engine,
        )
        callback = Callback(provider=run.provider, remote_id=uid, received_at=self._clock.now(), said=said)
        try:
            await self._inbox.put(callback, data)  # False for the same bytes under another name
        except InboxFull as error:
            about = {"action": "osais.inbox-full", "job_id": run.id, "cause": str(error)}
            log.warning("a run makes more than is kept", extra=about)
            return Taken.NEVER
        return Taken.KEPT


def https_of(url: str) -> str:
    """The address under which a file can be fetched."""
    return S3_HTTPS + url.removeprefix(S3) if url.startswith(S3) else url


def name_of(url: str) -> str:
    """What a file is called at its address: as its call would name it."""
    return url.partition("?")[0].rpartition("/")[2][:MAX_NAME]
