"""The addresses from which OSAIS loads what people handed in: it takes no files, only https addresses of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from bot.domain.engines import EngineRequest, Medium
from bot.domain.jobs import JobId
from bot.domain.sources import SourceMedia
from bot.errors import Rejected
from bot.providers.osais.catalogue import EngineCatalogue
from bot.providers.osais.pictures import fitted

#: Tells a fresh address of what somebody handed in; None when it is gone.
FreshUrl = Callable[[SourceMedia], Awaitable[str | None]]

_NO_ADDRESS = (
    "OSAIS loads pictures from an address, and this one has none any more. "
    "Please use `/osais run` and attach the picture again."
)


class OffersSources(Protocol):
    """Serves what a job works on under our own public address, for a short while."""

    async def offer(self, job_id: JobId, data: bytes, media_type: str) -> str:
        """An unguessable address under which the bytes are to be had."""
        ...


class SourceUrls:
    """Finds such addresses: our own for pictures where we have one, Discord's for all else."""

    def __init__(self, engines: EngineCatalogue, links: OffersSources | None, fresh_url: FreshUrl | None) -> None:
        self._engines = engines
        self._links = links
        self._fresh_url = fresh_url

    async def of(self, job_id: JobId, request: EngineRequest, source: bytes | None) -> Mapping[str, str]:
        """The addresses by the service's names for them; `source` is the picture. Raises `Rejected`."""
        engine = self._engines.get(request.engine)
        urls: dict[str, str] = {}
        for medium in Medium:
            handed_in, taken = request.source(medium), engine.input(medium) if engine else None
            if handed_in is None or taken is None:
                continue
            if medium is Medium.IMAGE and source is not None and self._links is not None:
                data, media_type = await asyncio.to_thread(fitted, source, taken.most_side, taken.most_bytes)
                urls[taken.name] = await self._links.offer(job_id, data, media_type)
            else:
                urls[taken.name] = await self._address_of(handed_in)
        return urls

    async def _address_of(self, source: SourceMedia) -> str:
        """An address at Discord that works now. Raises `Rejected` where there is none."""
        url = source.url
        if source.findable and self._fresh_url is not None:
            url = await self._fresh_url(source) or url
        if not url:
            raise Rejected("a source without an address", code="source", user_message=_NO_ADDRESS)
        return url
