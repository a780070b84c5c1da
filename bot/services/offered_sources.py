"""What a job works on, under an address of our own: for services that load it by themselves."""

from __future__ import annotations

from typing import Final, Protocol

from bot.clock import Clock
from bot.domain.jobs import JobId, ProcessId
from bot.sniffing import EXTENSIONS
from bot.store.base import ArtifactStore

#: Where the copy that is offered lies among a job's artifacts (-1 and -2 are taken: see `sources.py`).
OFFERED_INDEX: Final = -3


class MakesLinks(Protocol):
    """Makes addresses of files that are kept with a job (the web listener)."""

    def link(self, job_id: JobId, index: int, extension: str) -> str:
        """An unguessable address of a file, for a short while."""
        ...


class OfferedSources:
    """Keeps the copy that a service is to load, and tells its address."""

    def __init__(self, links: MakesLinks, artifacts: ArtifactStore, clock: Clock, process: ProcessId) -> None:
        self._links = links
        self._artifacts = artifacts
        self._clock = clock
        self._process = process

    async def offer(self, job_id: JobId, data: bytes, media_type: str) -> str:
        """An address under which the bytes are to be had."""
        await self._artifacts.put(job_id, OFFERED_INDEX, data, owner=self._process, now=self._clock.now())
        return self._links.link(job_id, OFFERED_INDEX, EXTENSIONS.get(media_type, "bin"))
