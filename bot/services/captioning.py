"""Pictures put into words before a question about them is asked: one small alchemy request for each.

Nothing of it is written down. Whoever asks comes again until the words are there; after a restart the request is made
anew, which costs a kudos and nobody's time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.domain.alchemy import AlchemyRequest, Form
from bot.domain.jobs import Job, JobId, ReplyAddress, is_alchemy
from bot.domain.sources import SourceMedia
from bot.errors import MediaError, ProviderError, Rejected, RemoteGone, Unauthorized
from bot.providers.base import Provider
from bot.services.ids import new_job_id

log = logging.getLogger(__name__)

#: How long a caption may take before the question is asked without it.
PATIENCE = timedelta(seconds=90)
#: Pictures of one question.
MAX_PICTURES = 4
#: Answers kept for whoever comes again.
_KEPT = 200


class ReadiesSource(Protocol):
    """Fetches something that people handed in, ready to be sent on."""

    async def ready(self, source: SourceMedia) -> bytes:
        """Its bytes. Raises `MediaError` when it cannot be used, `Unavailable` when it cannot be fetched now."""
        ...


@dataclass(slots=True)
class _Looking:
    """One picture on its way to words."""

    job: Job
    since: datetime
    caption: str | None = None


class Captioner:
    """Puts pictures into words; see the module's text."""

    def __init__(self, provider: Provider, sources: ReadiesSource, clock: Clock) -> None:
        self._provider = provider
        self._sources = sources
        self._clock = clock
        self._looking: dict[str, list[_Looking]] = {}

    async def of(self, key: str, pictures: Sequence[SourceMedia]) -> tuple[str, ...] | None:
        """One caption for each picture (empty where there is none to be had); None while that takes longer."""
        looks = self._looking.setdefault(key, [self._begun(picture) for picture in pictures[:MAX_PICTURES]])
        for look in looks:
            if look.caption is None:
                await self._step(look)
        captions = [look.caption for look in looks]
        while len(self._looking) > _KEPT:
            del self._looking[next(iter(self._looking))]
        if None in captions:
            return None
        self._looking.pop(key, None)
        return tuple(caption or "" for caption in captions)

    def _begun(self, picture: SourceMedia) -> _Looking:
        now = self._clock.now()
        nowhere = ReplyAddress(application_id=0, channel_id=0)
        request = AlchemyRequest(source=picture, forms=(Form.CAPTION,))
        provider = self._provider.name
        job = Job(id=JobId(new_job_id()), provider=provider, request=request, asker_id=0, reply=nowhere, created_at=now)
        return _Looking(job=job, since=now)

    async def _step(self, look: _Looking) -> None:
        """Go one step on; whatever is hopeless, or takes too long, ends without words."""
        try:
            await self._go_on(look)
        except (MediaError, Rejected, RemoteGone, Unauthorized) as error:
            log.info("no caption", extra={"action": "caption.failed", "cause": str(error)})
            look.caption = ""
        except ProviderError as error:
            log.info("no caption yet", extra={"action": "caption.later", "cause": str(error)})
        if look.caption is None and self._clock.now() - look.since > PATIENCE:
            look.caption = ""

    async def _go_on(self, look: _Looking) -> None:
        if look.job.remote_id is None:
            source = look.job.request.sources[0] if is_alchemy(look.job) else None
            data = await self._sources.ready(source) if source is not None else None
            await self._provider.turn()
            submission = await self._provider.submit(look.job, source=data)
            look.job = replace(look.job, remote_id=submission.remote_id)
            return
        progress = await self._provider.poll(look.job)
        if progress.over or progress.finished:
            harvest = await self._provider.fetch(look.job)
            forms = replace(look.job, artifacts=harvest.artifacts).forms
            words = [form.value for form in forms if isinstance(form.value, str)]
            look.caption = next((text for text in words if text), "")
