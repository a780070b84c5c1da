"""OSAIS as a `Provider`: its calls and its checks meet in the inbox.

Calls are written into the inbox by the listener, whichever process it runs in. A check (what polling is called here)
puts the files that it shows and that no call brought into the same inbox. So `poll` and `fetch` read one place, and
`mapping.progress_of` judges all that is known of a run, however it came to be known.

While calls come, nothing is checked; when they were silent for a while, or where they cannot come because there is no
public address, checks take over.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from bot.clock import Clock
from bot.domain.callbacks import Callback, Upload
from bot.domain.engines import GRACE, EngineArtifact, EngineRequest, Medium, Step
from bot.domain.jobs import EngineJob, Job, JobId, is_engine
from bot.domain.progress import Progress
from bot.domain.sources import SourceMedia
from bot.errors import MediaError, ProtocolError, ProviderError, Rejected, SubmissionUncertain, Unavailable
from bot.media import MediaFetcher, MediaLimits
from bot.providers.base import Capabilities, Harvest, Submission
from bot.providers.osais.catalogue import EngineCatalogue
from bot.providers.osais.client import OsaisClient
from bot.providers.osais.configs import MAY_SEND
from bot.providers.osais.errors import NONSENSE, SAME_NUMBER, UNCERTAIN, gone
from bot.providers.osais.mapping import Known, params_of, progress_of, uploads_of, wants_check
from bot.providers.osais.pictures import fitted
from bot.providers.osais.wire import Checked
from bot.sniffing import EXTENSIONS, sniff

log = logging.getLogger(__name__)

#: What is taken of a file by its address: as much as of an upload (32 MiB); pixels are told by its header.
FILE: Final = MediaLimits(max_bytes=32 * 1024 * 1024, max_pixels=50_000_000, timeout=60.0)
#: How many runs are remembered from one check to the next; one that is forgotten is checked once more.
REMEMBERED: Final = 1000
MAX_NAME: Final = 100
#: Where AIs say they put a file (PyPI's osais 1.0.49), and where it can be fetched if the operator allows the host.
S3, S3_HTTPS = "s3://osais/", "https://osais.s3.eu-west-2.amazonaws.com/"

V = TypeVar("V")
#: Tells a fresh address of what somebody handed in; None when it is gone.
FreshUrl = Callable[[SourceMedia], Awaitable[str | None]]
#: Tells whether a job of ours has this number already.
IsKnown = Callable[[str], Awaitable[bool]]


class KeepsCalls(Protocol):
    """What services told us by calling us (the inbox)."""

    async def put(self, callback: Callback, data: bytes | None = None) -> bool:
        """Write a call down, with a file's bytes; False when it was there already."""
        ...

    async def of(self, provider: str, remote_id: str) -> Sequence[Callback]:
        """The calls about one request, in the order they came."""
        ...

    async def content(self, callback_id: int) -> bytes | None:
        """A file's bytes, or None when they are gone."""
        ...


class OffersSources(Protocol):
    """Serves what a job works on under our own public address, for a short while."""

    async def offer(self, job_id: JobId, data: bytes, media_type: str) -> str:
        """An unguessable address under which the bytes are to be had."""
        ...


class OsaisProvider:
    """Engines of OSAIS: see `bot.providers.base.Provider` for what each verb promises."""

    name = "osais"

    def __init__(
        self,
        client: OsaisClient,
        engines: EngineCatalogue,
        inbox: KeepsCalls,
        media: MediaFetcher,
        clock: Clock,
        *,
        is_known: IsKnown,
        pushed: bool = False,
        links: OffersSources | None = None,
        fresh_url: FreshUrl | None = None,
    ) -> None:
        """Take the parts; `pushed` says that OSAIS was given an address to call."""
        self._client = client
        self._engines = engines
        self._inbox = inbox
        self._media = media
        self._clock = clock
        self._is_known = is_known
        self._pushed = pushed
        self._links = links
        self._fresh_url = fresh_url
        #: What the last check of a run said; a run that is not in here was never checked by this process.
        self._known: OrderedDict[str, Known] = OrderedDict()
        #: Runs that this process handed over: their calls come from the very beginning.
        self._handed_over: OrderedDict[str, None] = OrderedDict()
        #: Addresses of files that were fetched, or can never be.
        self._seen: OrderedDict[str, bool] = OrderedDict()

    @property
    def pushes(self) -> bool:
        """Whether OSAIS was given an address to call."""
        return self._pushed

    async def turn(self) -> None:
        """Wait for a place in the pace of submissions."""
        await self._client.turn()

    async def probe(self) -> None:
        """Ask for a sign of life: a config is the one thing that needs no token and costs nothing."""
        await self._client.config("ping")

    async def submit(self, job: Job, *, source: bytes | None = None) -> Submission:
        """Hand the request over, once. A number that another job has fails loudly: their files would be mixed."""
        request = _engine_job(job).request
        params = params_of(request, await self._urls(job.id, request, source))
        accepted = await self._client.submit(request.engine, params)
        uid = accepted.uid
        if uid in self._handed_over or await self._is_known(uid):
            log.error("OSAIS gave a number twice", extra={"action": "osais.same-uid", "job_id": job.id, "uid": uid})
            raise ProtocolError("a uid that another job has", path="data.uid", user_message=SAME_NUMBER)
        _remember(self._handed_over, uid, None)
        return Submission(remote_id=uid)

    async def recover(self, job: Job) -> Submission | None:
        """Tell that it can never be told: OSAIS lists no requests and takes no key of ours for one."""
        raise SubmissionUncertain(f"nothing finds {job.id} again", user_message=UNCERTAIN)

    async def poll(self, job: Job) -> Progress:
        """Judge all that was told; ask when it is time to. Raises `RemoteGone` when it is somebody else's."""
        run, uid = _engine_job(job), _remote_id(job)
        news = progress_of(run, await self._inbox.of(self.name, uid), self._known.get(uid), self._clock.now())
        if not self._wants_check(run, uid, news):
            return news
        try:
            await self._check(run, uid)
        except ProviderError as error:
            if not self._bears(run, uid, news, error):
                raise
        return progress_of(run, await self._inbox.of(self.name, uid), self._known.get(uid), self._clock.now())

    async def fetch(self, job: Job) -> Harvest[EngineArtifact]:
        """Take the files that came and are not known yet out of the inbox."""
        run, uid = _engine_job(job), _remote_id(job)
        had = {artifact.remote_id for artifact in job.artifacts}
        calls = uploads_of(await self._inbox.of(self.name, uid))
        fresh = [call for call in calls if isinstance(call.said, Upload) and call.said.sha256 not in had]
        artifacts: list[EngineArtifact] = []
        bytes_of: dict[int, bytes] = {}
        first = max((artifact.index for artifact in job.artifacts), default=-1) + 1
        for index, call in enumerate(fresh, first):
            data = await self._inbox.content(call.id)
            artifacts.append(_artifact(run, index, call, data))
            if data is not None:
                bytes_of[index] = data
        if job.progress is not None and job.progress.over:
            artifacts += self._unreadable(run, uid, first + len(fresh), had)
        return Harvest(artifacts=tuple(artifacts), bytes_of=bytes_of)

    async def cancel(self, job: Job) -> None:
        """Do nothing: OSAIS has no way to stop a request. What it still sends is dropped or, within minutes, shown."""

    def describe(self) -> Capabilities:
        """Tell that there are no models to choose from: an engine is one."""
        return Capabilities(models=(), live=True)

    # -- handing over ---------------------------------------------------------------------------------------------

    async def _urls(self, job_id: JobId, request: EngineRequest, source: bytes | None) -> Mapping[str, str]:
        """By the service's names for them, the addresses from which it can load what people handed in."""
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

    # -- checking -------------------------------------------------------------------------------------------------

    def _wants_check(self, run: EngineJob, uid: str, news: Progress) -> bool:
        """Whether to ask now: at once for a run of an earlier process, whose calls may have met a closed door.

        Also where its time seems to be up: that may have passed while nobody was there to listen.
        """
        known = self._known.get(uid)
        if known is None and uid not in self._handed_over:
            return not news.over or news.step == Step.TIMED_OUT
        expected, now = run.request.expected, self._clock.now()
        return wants_check(news, known, expected=expected, pushed=self._pushed, now=now)

    def _bears(self, run: EngineJob, uid: str, news: Progress, error: ProviderError) -> bool:
        """Whether a check that failed may be passed over: calls go on, or there is nothing more to wait for."""
        if not isinstance(error, (Unavailable, ProtocolError)):
            return False
        now = self._clock.now()
        silence = now - (news.heard_at or now)
        if news.step == Step.STOPPED and silence >= 2 * GRACE:
            self._note(uid, replace(self._known.get(uid) or Known(asked_at=now), asked_at=now))
            return True
        return news.finished > len(run.artifacts)

    async def _check(self, run: EngineJob, uid: str) -> None:
        """Ask how far it is, and put files that no call brought into the inbox."""
        checked = await self._client.check(uid)
        now = self._clock.now()
        if checked is None:  # not known there yet, or not any more: the deadline ends it
            self._note(uid, Known(asked_at=now))
            return
        unreadable = [url for url in await self._missing(checked, uid) if not await self._take(run, uid, url)]
        self._note(uid, Known(asked_at=now, ended=checked.ended_at is not None, unreadable=tuple(unreadable)))

    async def _missing(self, checked: Checked, uid: str) -> list[str]:
        """The addresses whose files came by no call; files are told apart by name as far as they have one."""
        calls = await self._inbox.of(self.name, uid)
        came = {call.said.name for call in calls if isinstance(call.said, Upload)}
        urls = dict.fromkeys(_https(made.filename) for made in checked.response)
        return [url for url in urls if _name_of(url) not in came and not self._seen.get(url)]

    async def _take(self, run: EngineJob, uid: str, url: str) -> bool:
        """Fetch a file into the inbox; False when that will never be possible. Raises `Unavailable`."""
        if url in self._seen:
            return self._seen[url]
        try:
            data = await self._media.download(url, FILE)
        except MediaError as error:
            about = {"action": "osais.unfetched", "job_id": run.id, "cause": str(error)}
            log.warning("a file of OSAIS can't be fetched", extra=about)
            _remember(self._seen, url, False)
            return False
        _remember(self._seen, url, await self._put(run, uid, url, data))
        return self._seen[url]

    async def _put(self, run: EngineJob, uid: str, url: str, data: bytes) -> bool:
        sniffed = sniff(data)
        if sniffed is None or sniffed.too_large or sniffed.medium not in MAY_SEND[run.request.engine]:
            log.warning("not a file of this engine", extra={"action": "osais.odd-file", "job_id": run.id})
            return False
        said = Upload(
            name=_name_of(url),
            media_type=sniffed.media_type,
            size=len(data),
            sha256=await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest()),
            engine=run.request.engine,
        )
        now = self._clock.now()
        await self._inbox.put(Callback(provider=self.name, remote_id=uid, received_at=now, said=said), data)
        return True

    def _unreadable(self, run: EngineJob, uid: str, first: int, had: set[str]) -> list[EngineArtifact]:
        known = self._known.get(uid)
        urls = [url for url in (known.unreadable if known else ()) if url not in had]
        model = run.request.engine
        return [
            EngineArtifact(index=index, remote_id=url, name=_name_of(url), unreadable=True, model=model)
            for index, url in enumerate(urls, first)
        ]

    def _note(self, uid: str, known: Known) -> None:
        _remember(self._known, uid, known)


_NO_ADDRESS = (
    "OSAIS loads pictures from an address, and this one has none any more. "
    "Please use `/osais run` and attach the picture again."
)


def _remember(memory: OrderedDict[str, V], key: str, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)


def _artifact(run: EngineJob, index: int, call: Callback, data: bytes | None) -> EngineArtifact:
    """A file as the job knows it; unreadable where its bytes are gone."""
    said = call.said
    if not isinstance(said, Upload):
        raise TypeError("not an upload")
    sniffed = sniff(data) if data is not None else None
    return EngineArtifact(
        index=index,
        remote_id=said.sha256,
        model=run.request.engine,
        sha256=said.sha256 if data is not None else "",
        extension=EXTENSIONS.get(said.media_type, "bin"),
        width=sniffed.width if sniffed else 0,
        height=sniffed.height if sniffed else 0,
        size=said.size,
        medium=Medium(said.media_type.partition("/")[0]),
        name=said.name,
        unreadable=data is None,
    )


def _engine_job(job: Job) -> EngineJob:
    if not is_engine(job):
        raise ProtocolError(f"a job of kind {job.request.kind} came to OSAIS", user_message=NONSENSE)
    return job


def _remote_id(job: Job) -> str:
    if job.remote_id is None:
        raise gone("it was never handed over")
    return job.remote_id


def _https(url: str) -> str:
    return S3_HTTPS + url.removeprefix(S3) if url.startswith(S3) else url


def _name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2][:MAX_NAME]
