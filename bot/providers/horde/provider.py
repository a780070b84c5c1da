"""The Horde's image service as a `Provider`."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
from collections.abc import Sequence

from PIL import Image

from bot.clock import Clock
from bot.domain.jobs import Job, is_image
from bot.domain.progress import Progress
from bot.domain.requests import ImageRequest
from bot.domain.results import ImageArtifact
from bot.errors import (
    Busy,
    MediaError,
    ProtocolError,
    ProviderError,
    SubmissionUncertain,
    Unavailable,
)
from bot.media import MediaFetcher, Picture
from bot.providers.base import Capabilities, Harvest, Submission
from bot.providers.horde.catalogue import Catalogue
from bot.providers.horde.client import HordeClient
from bot.providers.horde.gate import AddressGate
from bot.providers.horde.mapping import (
    Size,
    artifact_of,
    censorship_of,
    cost_of,
    in_shape_of,
    payload_of,
    progress_of,
)
from bot.providers.horde.recovery import Recovery
from bot.providers.horde.remote import KnownIds, drop, remote_id_of
from bot.providers.horde.webhooks import Hints, Webhooks
from bot.providers.horde.wire import Generation, Status

log = logging.getLogger(__name__)

#: Pictures of one job downloaded at the same time.
MAX_DOWNLOADS = 4
#: A status read because a webhook came is good for the fetch that follows it within so many seconds.
STATUS_LIFE = 1.0


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
        gate: AddressGate,
        known_ids: KnownIds,
        trusted_workers: bool = False,
        webhooks: Webhooks | None = None,
    ) -> None:
        """Take the parts; `known_ids` tells which remote ids belong to a job of ours already."""
        self._client = client
        self._media = media
        #: Whoever owns the loops calls its `refresh`; commands ask it for models.
        self.catalogue = catalogue
        self._clock = clock
        self._gate = gate
        self._known_ids = known_ids
        self._recovery = Recovery(client, clock, known_ids=known_ids)
        self._hints = Hints(self.name, webhooks, clock)
        #: Read after a webhook, with the time by `monotonic`; taken by the fetch that follows.
        self._statuses: dict[str, tuple[float, Status]] = {}
        self._trusted_workers = trusted_workers

    @property
    def pushes(self) -> bool:
        """Whether requests carry a webhook."""
        return self._hints.expected

    async def turn(self) -> None:
        """Wait for a place in the pace of submissions; while our address is shut out, `Paused` is raised instead."""
        await self._gate.turn(self._client.turn)

    async def submit(self, job: Job, *, source: bytes | None = None) -> Submission:
        """Hand the request over, once; while our address is shut out, `Paused` is raised without asking."""
        self._gate.require_open()
        request = _request_of(job)
        model = self.catalogue.info(request.model)
        encoded, size = await _packed(request, source)
        payload = payload_of(
            in_shape_of(size, request, native=model.native),
            max_steps=model.max_steps,
            trusted_workers=self._trusted_workers,
            source=encoded,
        )
        try:
            with self._gate.posting():
                accepted = await self._client.submit_image({**payload, **self._hints.fields(job.id)})
        except SubmissionUncertain:
            self._recovery.begin(job.id)
            raise
        cost = cost_of(accepted.kudos, count=request.count, baseline=model.baseline)
        return Submission(remote_id=accepted.id, cost=cost)

    async def recover(self, job: Job) -> Submission | None:
        """Look for a request whose answer was lost: by its webhook, or among those of our key (`Recovery.find`)."""
        remote_id = await self._hints.find(job, ask=self._client.check, known_ids=self._known_ids)
        if remote_id is None:
            try:
                remote_id = await self._recovery.find(job, _request_of(job))
            except SubmissionUncertain as error:
                raise self._hints.rather_wait(job, error) from error
        return None if remote_id is None else Submission(remote_id=remote_id)

    async def poll(self, job: Job) -> Progress:
        """Check how far it is. When a webhook told of a picture, ask for the status at once: checks are cached."""
        remote_id = remote_id_of(job)
        status = await self._status_after_hint(remote_id) if await self._hints.have_news(job) else None
        check = status or await self._client.check(remote_id)
        return progress_of(check, job.progress, self._clock.now())

    async def _status_after_hint(self, remote_id: str) -> Status | None:
        """The status, kept for the fetch that follows; None when it was asked for too often already."""
        try:
            status = await self._client.status(remote_id)
        except Busy:
            return None
        now = self._clock.monotonic()
        self._statuses = {key: kept for key, kept in self._statuses.items() if now - kept[0] <= STATUS_LIFE}
        self._statuses[remote_id] = (now, status)
        return status

    async def _fresh_status(self, remote_id: str) -> Status:
        read_at, status = self._statuses.pop(remote_id, (0.0, None))
        if status is not None and self._clock.monotonic() - read_at <= STATUS_LIFE:
            return status
        return await self._client.status(remote_id)

    async def fetch(self, job: Job) -> Harvest[ImageArtifact]:
        """Fetch what is ready and new. A dead link is tried again with a fresh one, once."""
        status = await self._fresh_status(remote_id_of(job))
        fresh = _unknown(status.generations, job)
        found = await self._download(fresh)
        if any(isinstance(one, MediaError) for one in found.values()):
            try:
                status = await self._client.status(remote_id_of(job))
            except ProviderError:  # what is here already must not be lost over it
                return _harvest(job, fresh, found, over=False)
            again = [one for one in _unknown(status.generations, job) if isinstance(found.get(one.id), MediaError)]
            found |= await self._download(again)
        over = progress_of(status, job.progress, self._clock.now()).over
        return _harvest(job, fresh, found, over=over)

    async def cancel(self, job: Job) -> None:
        """Drop what no worker has taken; what is at a worker still arrives. Never handed over counts as stopped."""
        await drop(job, self._client.cancel)

    async def probe(self) -> None:
        """Ask whether the Horde answers at all. Raises `ProviderError`."""
        await self._client.heartbeat()

    def describe(self) -> Capabilities:
        """Tell which models there are, from memory."""
        return Capabilities(models=self.catalogue.models(), live=self.catalogue.live)

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


async def _packed(request: ImageRequest, source: bytes | None) -> tuple[str | None, Size | None]:
    """The picture to start from as base64, and its size in pixels; None when there is none, or it can't be told."""
    if request.source is None:
        return None, None
    if source is None:
        raise ProtocolError("a job with a source came without its picture", path="source")
    return await asyncio.to_thread(_encoded, source)


def _encoded(source: bytes) -> tuple[str, Size | None]:
    try:
        with Image.open(io.BytesIO(source)) as image:
            size: Size | None = image.size
    except (OSError, Image.DecompressionBombError):
        size = None  # what is no picture is for the Horde to refuse
    return base64.b64encode(source).decode(), size


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
