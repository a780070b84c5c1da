"""Pictures put into words before a question about them is asked: one small alchemy request for each.

How far each of them is stands in the row of the job that waits for the words (`Look`). So whoever has that row goes on
from there after a restart, and takes the requests back when the question is given up. Only a crash in the moment
between a request and the write of its id leaves one behind; it costs a kudos and nobody's time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from bot.clock import Clock
from bot.domain.alchemy import AlchemyRequest, Form
from bot.domain.conversation import Look
from bot.domain.jobs import Job, JobId
from bot.domain.replies import ReplyAddress
from bot.domain.sources import SourceMedia
from bot.errors import MediaError, ProviderError, Rejected, RemoteGone, SubmissionUncertain, Unauthorized
from bot.providers.base import Provider
from bot.services.ids import new_job_id

log = logging.getLogger(__name__)

#: How long a caption may take before the question is asked without it.
PATIENCE = timedelta(seconds=90)
#: Pictures of one question.
MAX_PICTURES = 4
#: Stands for a picture of which only the request is known.
_NO_PICTURE = SourceMedia(url="")


class ReadiesSource(Protocol):
    """Fetches something that people handed in, ready to be sent on."""

    async def ready(self, source: SourceMedia) -> bytes:
        """Its bytes. Raises `MediaError` when it cannot be used, `Unavailable` when it cannot be fetched now."""
        ...


class Captioner:
    """The `Captions` of an alchemist."""

    def __init__(self, provider: Provider, sources: ReadiesSource, clock: Clock) -> None:
        self._provider = provider
        self._sources = sources
        self._clock = clock

    async def further(self, looks: Sequence[Look], pictures: Sequence[SourceMedia]) -> tuple[Look, ...]:
        """Go one step on with each picture; without `looks` from the beginning."""
        wanted = pictures[:MAX_PICTURES]
        known = looks if len(looks) == len(wanted) else [Look(since=self._clock.now()) for _ in wanted]
        return tuple([await self._step(look, picture) for look, picture in zip(known, wanted, strict=True)])

    async def drop(self, looks: Sequence[Look]) -> None:
        """Leave nothing behind at the provider."""
        for look in looks:
            if look.remote_id is not None and look.caption is None:
                await self._take_back(look)

    async def _step(self, look: Look, picture: SourceMedia) -> Look:
        """Go one step on; whatever is hopeless, takes too long, or may have got lost, ends without words."""
        if look.caption is not None:
            return look
        try:
            look = await self._gone_on(look, picture)
        except (MediaError, Rejected, RemoteGone, SubmissionUncertain, Unauthorized) as error:
            log.info("no caption", extra={"action": "caption.failed", "cause": str(error)})
            return replace(look, caption="")
        except ProviderError as error:
            log.info("no caption yet", extra={"action": "caption.later", "cause": str(error)})
        if look.caption is None and self._clock.now() - look.since > PATIENCE:
            await self.drop([look])
            return replace(look, caption="")
        return look

    async def _gone_on(self, look: Look, picture: SourceMedia) -> Look:
        job = self._job_of(look, picture)
        if look.remote_id is None:
            data = await self._sources.ready(picture)
            await self._provider.turn()
            return replace(look, remote_id=(await self._provider.submit(job, source=data)).remote_id)
        progress = await self._provider.poll(job)
        if not (progress.over or progress.finished):
            return look
        harvest = await self._provider.fetch(job)
        words = [form.value for form in replace(job, artifacts=harvest.artifacts).forms if isinstance(form.value, str)]
        return replace(look, caption=next((text for text in words if text), ""))

    async def _take_back(self, look: Look) -> None:
        try:
            await self._provider.cancel(self._job_of(look, _NO_PICTURE))
        except ProviderError as error:
            log.info("left behind", extra={"action": "caption.left", "cause": str(error)})

    def _job_of(self, look: Look, picture: SourceMedia) -> Job:
        """The request as the provider knows it: as a job, which nobody writes down and nothing replies to."""
        return Job(
            id=JobId(new_job_id()),
            provider=self._provider.name,
            request=AlchemyRequest(source=picture, forms=(Form.CAPTION,)),
            asker_id=0,
            reply=ReplyAddress(application_id=0, channel_id=0),
            created_at=look.since,
            remote_id=look.remote_id,
        )
