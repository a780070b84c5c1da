"""The Horde's image service as a `Provider`."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

from bot.clock import Clock
from bot.domain.jobs import Job, is_image
from bot.domain.progress import Progress
from bot.domain.requests import ImageRequest
from bot.domain.results import ImageArtifact
from bot.errors import (
    ContentRefused,
    MediaError,
    Paused,
    ProtocolError,
    ProviderError,
    RemoteGone,
    SubmissionUncertain,
    Unavailable,
)
from bot.media import MediaFetcher, Picture
from bot.providers.base import Capabilities, Harvest, Submission
from bot.providers.horde.catalogue import Catalogue
from bot.providers.horde.client import HordeClient
from bot.providers.horde.mapping import (
    artifact_of,
    censorship_of,
    cost_of,
    payload_of,
    progress_of,
    warnings_of,
)
from bot.providers.horde.recovery import Recovery
from bot.providers.horde.wire import Generation

log = logging.getLogger(__name__)

#: Pictures of one job downloaded at the same time.
MAX_DOWNLOADS = 4
#: The Horde (5.1.5) shuts an address out for three minutes after its first refused prompt: post nothing meanwhile.
REFUSAL_PAUSE = 180.0


class HordeImageProvider:
    """Pictures from the AI Horde: see `bot.providers.base.Provider` for what each verb promises."""

    name = "horde"

    def __init__(
        self,
        client: HordeClient,
        media: MediaFetcher,
        catalogue: Catalogue,
        clock: Clock,
        *,
        known_ids: Callable[[], Awaitable[Collection[str]]],
        trusted_workers: bool = False,
        refusal_pause: float = REFUSAL_PAUSE,
    ) -> None:
        """Take the parts; `known_ids` tells which remote ids already belong to a job of ours."""
        self._client = client
        self._media = media
        #: Whoever owns the loops calls its `refresh`; commands ask it for models.
        self.catalogue = catalogue
        self._clock = clock
        self._recovery = Recovery(client, clock, known_ids=known_ids)
        self._trusted_workers = trusted_workers
        self._refusal_pause = refusal_pause
        self._paused_until = 0.0

    @property
    def paused_for(self) -> float:
        """Seconds until the Horde lets our address in again; 0 when it does."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    async def turn(self) -> None:
        """Wait for a place in the pace of submissions; while our address is shut out, `Paused` is raised instead."""
        self._require_open()
        await self._client.turn()
        self._require_open()

    def _require_open(self) -> None:
        if self.paused_for > 0:
            raise Paused("the address is shut out", retry_after=self.paused_for)

    async def submit(self, job: Job, *, source: bytes | None = None) -> Submission:
        """Hand the request over, once; while our address is shut out, `Paused` is raised without asking."""
        self._require_open()
        request = _request_of(job)
        model = self.catalogue.info(request.model)
        payload = payload_of(
            request,
            max_steps=model.max_steps,
            trusted_workers=self._trusted_workers,
            source=await _packed(request, source),
        )
        try:
            accepted = await self._client.submit_image(payload)
        except Paused as error:
            self._pause(error.retry_after)
            raise
        except ContentRefused:
            self._pause(self._refusal_pause)
            raise
        except SubmissionUncertain:
            self._recovery.begin(job.id)
            raise
        cost = cost_of(accepted.kudos, count=request.count, baseline=model.baseline)
        return Submission(remote_id=accepted.id, cost=cost, warnings=warnings_of(accepted.warnings))

    async def recover(self, job: Job) -> Submission | None:
        """Look for a request whose answer was lost among those of our key: see `Recovery.find`."""
        remote_id = await self._recovery.find(job, _request_of(job))
        return None if remote_id is None else Submission(remote_id=remote_id)

    async def poll(self, job: Job) -> Progress:
        """Check how far it is."""
        check = await self._client.check(_remote_id(job))
        return progress_of(check, job.progress, self._clock.now())

    async def fetch(self, job: Job) -> Harvest[ImageArtifact]:
        """Fetch what is ready and new. A dead link is tried again with a fresh one, once."""
        status = await self._client.status(_remote_id(job))
        fresh = _unknown(status.generations, job)
        found = await self._download(fresh)
        if any(isinstance(one, MediaError) for one in found.values()):
            try:
                status = await self._client.status(_remote_id(job))
            except ProviderError:  # what is here already must not be lost over it
                return _harvest(job, fresh, found, over=False)
            again = [one for one in _unknown(status.generations, job) if isinstance(found.get(one.id), MediaError)]
            found |= await self._download(again)
        over = progress_of(status, job.progress, self._clock.now()).over
        return _harvest(job, fresh, found, over=over)

    async def cancel(self, job: Job) -> None:
        """Drop what no worker has taken; what is at a worker still arrives. Never handed over counts as stopped."""
        if job.remote_id is None:
            return
        try:
            await self._client.cancel(job.remote_id)
        except RemoteGone:
            return

    def describe(self) -> Capabilities:
        """Tell which models there are, from memory."""
        return Capabilities(models=self.catalogue.models(), live=self.catalogue.live)

    def _pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    async def _download(self, generations: Sequence[Generation]) -> dict[str, Picture | MediaError | Unavailable]:
        """Fetch the pictures that may be shown, a few at a time; what cannot be fetched comes back as its error."""
        gate = asyncio.Semaphore(MAX_DOWNLOADS)

        async def one(generation: Generation) -> Picture | MediaError | Unavailable:
            async with gate:
                try:
                    return await self._media.fetch(generation.img)
                except (MediaError, Unavailable) as error:
                    log.info(
                        "a picture could not be fetched",
                        extra={"action": "horde.unfetched", "generation": generation.id, "cause": str(error)},
                    )
                    return error

        wanted = [generation for generation in generations if censorship_of(generation) is None]
        async with asyncio.TaskGroup() as group:
            tasks = {generation.id: group.create_task(one(generation)) for generation in wanted}
        return {key: task.result() for key, task in tasks.items()}


def _request_of(job: Job) -> ImageRequest:
    if not is_image(job):
        raise ProtocolError(f"a job of kind {job.request.kind} came to the image provider")
    return job.request


async def _packed(request: ImageRequest, source: bytes | None) -> str | None:
    """The picture to start from as base64; None when there is none."""
    if request.source is None:
        return None
    if source is None:
        raise ProtocolError("a job with a source came without its picture", path="source")
    return (await asyncio.to_thread(base64.b64encode, source)).decode()


def _remote_id(job: Job) -> str:
    if job.remote_id is None:
        raise RemoteGone("it was never handed over")
    return job.remote_id


def _unknown(generations: Sequence[Generation], job: Job) -> list[Generation]:
    """Return those not among the job's artifacts, each once."""
    known = {artifact.remote_id for artifact in job.artifacts}
    return list({one.id: one for one in generations if one.id not in known}.values())


def _harvest(
    job: Job, fresh: Sequence[Generation], found: dict[str, Picture | MediaError | Unavailable], *, over: bool
) -> Harvest[ImageArtifact]:
    """Number what came. What could not be fetched is missing; when nothing more will come, it is unreadable."""
    artifacts: list[ImageArtifact] = []
    bytes_of: dict[int, bytes] = {}
    missing = 0
    first = max((artifact.index for artifact in job.artifacts), default=-1) + 1
    for generation in fresh:
        picture = found.get(generation.id)
        if isinstance(picture, Unavailable) or (isinstance(picture, MediaError) and not over):
            missing += 1
            continue
        index = first + len(artifacts)
        shown = picture if isinstance(picture, Picture) else None
        artifacts.append(artifact_of(generation, index, _request_of(job), shown))
        if shown is not None:
            bytes_of[index] = shown.data
    return Harvest(artifacts=tuple(artifacts), bytes_of=bytes_of, missing=missing)
