"""What people hand in: fetched once, before submission, and kept with the job, so that a restart still has it."""

from __future__ import annotations

import asyncio
import logging

from pydantic import TypeAdapter, ValidationError

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId
from bot.domain.sources import SourceFacts, SourceMedia
from bot.errors import MediaGone
from bot.media import ATTACHMENT, MAX_DECODING, RESULT, MediaFetcher, MediaLimits
from bot.services.ports import Refetcher
from bot.services.preparing import Prepared, prepare
from bot.store.base import ArtifactStore

log = logging.getLogger(__name__)

#: Where the first source lies among a job's artifacts, and where what was learned of it does, as JSON.
SOURCE_INDEX, FACTS_INDEX = -1, -2

_facts: TypeAdapter[SourceFacts] = TypeAdapter(SourceFacts)


class KeptSources:
    """Fetches sources through the guarded fetcher, makes them ready to be sent, and keeps them with their job.

    `refetcher` is asked for a fresh address when the one we have is dead.
    """

    def __init__(
        self,
        *,
        media: MediaFetcher,
        artifacts: ArtifactStore,
        clock: Clock,
        process: ProcessId,
        refetcher: Refetcher | None = None,
    ) -> None:
        self._media = media
        self._artifacts = artifacts
        self._clock = clock
        self._process = process
        self._refetcher = refetcher
        #: A decoded picture may take a hundred megabytes.
        self._preparing = asyncio.Semaphore(MAX_DECODING)

    async def first(self, job: Job) -> bytes | None:
        """The bytes of the job's first source as they are sent; None when it has none.

        Raises `MediaError` when it cannot be used, `Unavailable` when it cannot be fetched now.
        """
        if not job.request.sources:
            return None
        kept = await self._artifacts.get(job.id, SOURCE_INDEX)
        if kept is not None:
            return kept
        prepared = await self._prepared(job.request.sources[0])
        now, facts = self._clock.now(), _facts.dump_json(prepared.facts)
        # The facts first: whoever finds the source finds them too.
        await self._artifacts.put(job.id, FACTS_INDEX, facts, owner=self._process, now=now)
        await self._artifacts.put(job.id, SOURCE_INDEX, prepared.data, owner=self._process, now=now)
        return prepared.data

    async def ready(self, source: SourceMedia) -> bytes:
        """The bytes of something that belongs to no job, as they are sent; raises like `first`."""
        return (await self._prepared(source)).data

    async def about(self, job_id: JobId) -> SourceFacts | None:
        """What was learned of the job's first source; None before it was fetched, and once it was purged."""
        kept = await self._artifacts.get(job_id, FACTS_INDEX)
        try:
            return None if kept is None else _facts.validate_json(kept)
        except ValidationError:
            return None

    async def _prepared(self, source: SourceMedia) -> Prepared:
        data, limits = await self._bytes(source)
        async with self._preparing:
            return await asyncio.to_thread(prepare, data, max_pixels=limits.max_pixels)

    async def _bytes(self, source: SourceMedia) -> tuple[bytes, MediaLimits]:
        """The bytes as handed in. Our own results may be larger than what people may bring."""
        if source.job_id:
            ours = await self._artifacts.get(JobId(source.job_id), source.index)
            if ours is not None:
                return ours, RESULT
        limits = RESULT if source.own else ATTACHMENT
        if not source.url:  # nothing but our own copy was known of it
            raise MediaGone("our own copy is gone")
        try:
            picture = await self._media.fetch(source.url, limits)
        except MediaGone:
            fresh = await self._fresh_url(source)
            if fresh is None:
                raise
            picture = await self._media.fetch(fresh, limits)
        return picture.data, limits

    async def _fresh_url(self, source: SourceMedia) -> str | None:
        if self._refetcher is None or not source.findable:
            return None
        log.info("asking for a source's fresh address", extra={"action": "source.refetch"})
        return await self._refetcher.fresh_url(source)
