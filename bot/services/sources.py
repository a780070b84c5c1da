"""What people hand in: fetched once, before submission, and kept with the job, so that a restart still has it."""

from __future__ import annotations

from bot.clock import Clock
from bot.domain.jobs import Job, ProcessId
from bot.media import ATTACHMENT, MediaFetcher
from bot.store.base import ArtifactStore

#: Where the first source lies among a job's artifacts.
SOURCE_INDEX = -1


class KeptSources:
    """Fetches sources through the guarded fetcher and keeps them in the artifact store."""

    def __init__(self, *, media: MediaFetcher, artifacts: ArtifactStore, clock: Clock, process: ProcessId) -> None:
        self._media = media
        self._artifacts = artifacts
        self._clock = clock
        self._process = process

    async def first(self, job: Job) -> bytes | None:
        """The bytes of the job's first source, fetched and kept if need be; None when it has none.

        Raises `MediaError` when it cannot be used, `Unavailable` when it cannot be fetched now.
        """
        if not job.request.sources:
            return None
        kept = await self._artifacts.get(job.id, SOURCE_INDEX)
        if kept is not None:
            return kept
        picture = await self._media.fetch(job.request.sources[0].url, ATTACHMENT)
        now = self._clock.now()
        await self._artifacts.put(job.id, SOURCE_INDEX, picture.data, owner=self._process, now=now)
        return picture.data
