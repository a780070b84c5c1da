"""OSAIS as a `Provider`: its calls and its checks meet in the inbox.

Calls are written into the inbox by the listener, whichever process it runs in. A check (what polling is called here)
puts the files that it shows and that no call brought into the same inbox. So `poll` and `fetch` read one place, and
`mapping.progress_of` judges all that is known of a run, however it came to be known.

While calls come, nothing is checked; when they were silent for a while, or where they cannot come because there is no
public address, checks take over. An end is asked about once more; where OSAIS refuses to be asked (for whatever reason:
our key, its pace, its troubles), the run ends by what is known, a little later.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import accumulate
from typing import Final

from bot.clock import Clock
from bot.domain.callbacks import Callback, Upload
from bot.domain.engines import PROVIDER, EngineArtifact, Medium, Step
from bot.domain.jobs import EngineJob, Job, is_engine
from bot.domain.progress import Progress
from bot.errors import ProtocolError, ProviderError, RemoteGone, SubmissionUncertain
from bot.media import MediaFetcher
from bot.providers.base import Capabilities, Harvest, Heard, Submission
from bot.providers.osais.announced import AnnouncedFiles, KeepsCalls, Taken, https_of, name_of
from bot.providers.osais.catalogue import EngineCatalogue
from bot.providers.osais.client import OsaisClient
from bot.providers.osais.configs import may_send
from bot.providers.osais.errors import NONSENSE, SAME_NUMBER, UNCERTAIN, gone
from bot.providers.osais.failures import FailedChecks
from bot.providers.osais.mapping import Known, ended_at, params_of, progress_of, uploads_of, wants_check
from bot.providers.osais.memory import Memory
from bot.providers.osais.source_urls import FreshUrl, OffersSources, SourceUrls
from bot.providers.osais.wire import Checked
from bot.sniffing import EXTENSIONS, sniff

log = logging.getLogger(__name__)

#: Most bytes that are taken out of the inbox at once (one file always is); the rest follows at the next look.
AT_ONCE: Final = 64 * 1024 * 1024
#: Tells whether a job of ours has this number already.
IsKnown = Callable[[str], Awaitable[bool]]


class OsaisProvider:
    """Engines of OSAIS: see `bot.providers.base.Provider` for what each verb promises."""

    name = PROVIDER

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
        self._inbox = inbox
        self._clock = clock
        self._is_known = is_known
        self._pushed = pushed
        self._urls = SourceUrls(engines, links, fresh_url)
        self._announced = AnnouncedFiles(media, inbox, clock)
        #: What the last check of a run said; a run that is not in here was never checked by this process.
        self._known: Memory[Known] = Memory()
        self._failures = FailedChecks()
        #: Runs that this process handed over: their calls come from the very beginning.
        self._handed_over: Memory[None] = Memory()

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
        params = params_of(request, await self._urls.of(job.id, request, source))
        accepted = await self._client.submit(request.engine, params)
        uid = accepted.uid
        if uid in self._handed_over or await self._is_known(uid):
            log.error("OSAIS gave a number twice", extra={"action": "osais.same-uid", "job_id": job.id, "uid": uid})
            raise ProtocolError("a uid that another job has", path="data.uid", user_message=SAME_NUMBER)
        self._handed_over[uid] = None
        return Submission(remote_id=uid)

    async def recover(self, job: Job) -> Submission | None:
        """Tell that it can never be told: OSAIS lists no requests and takes no key of ours for one."""
        raise SubmissionUncertain(f"nothing finds {job.id} again", user_message=UNCERTAIN)

    async def heard(self, job: Job) -> Heard:
        """Judge all that was told so far."""
        run, uid = _engine_job(job), _remote_id(job)
        news = await self._judged(run, uid)
        if not run.over and self._hopeless(run, uid, news):
            self._let_go(uid)
            return Heard(progress=replace(news, over=True), enough=True)
        enough = not self._wants_check(run, uid, news)
        if news.over and not enough:  # an end that is only inferred is asked about first
            news = replace(news, over=False, step=run.progress.step if run.progress else "")
        return Heard(progress=news, enough=enough)

    async def poll(self, job: Job) -> Progress:
        """Check, and judge all that is known then. Raises `RemoteGone` when it is somebody else's."""
        run, uid = _engine_job(job), _remote_id(job)
        try:
            await self._check(run, uid)
        except RemoteGone:
            raise
        except ProviderError:
            self._failures.failed(uid, self._clock.now())
            raise
        self._failures.answered(uid)
        return await self._judged(run, uid)

    async def _judged(self, run: EngineJob, uid: str) -> Progress:
        return progress_of(run, await self._calls(run, uid), self._known.get(uid), self._clock.now())

    async def _calls(self, run: EngineJob, uid: str) -> list[Callback]:
        """What was told of a run. A file that its engine does not make came while nobody knew whose it was."""
        calls, engine = await self._inbox.of(self.name, uid), run.request.engine
        return [call for call in calls if not isinstance(call.said, Upload) or may_send(engine, call.said.media_type)]

    async def fetch(self, job: Job) -> Harvest[EngineArtifact]:
        """Take the files that came and are not known yet out of the inbox, as many as fit into memory at once."""
        run, uid = _engine_job(job), _remote_id(job)
        had = {artifact.remote_id for artifact in job.artifacts}
        calls = uploads_of(await self._calls(run, uid))
        fresh = [(call, call.said) for call in calls if isinstance(call.said, Upload) and call.said.sha256 not in had]
        sizes = accumulate(said.size for _, said in fresh)
        now = [one for one, total in zip(fresh, sizes, strict=True) if total <= AT_ONCE] or fresh[:1]
        artifacts: list[EngineArtifact] = []
        bytes_of: dict[int, bytes] = {}
        first = max((artifact.index for artifact in job.artifacts), default=-1) + 1
        for index, (call, said) in enumerate(now, first):
            data = await self._inbox.content(call.id)
            artifacts.append(_artifact(run, index, said, data))
            if data is not None:
                bytes_of[index] = data
        missing = len(fresh) - len(now)
        if job.progress is not None and job.progress.over and not missing:
            artifacts += self._unreadable(run, uid, first + len(fresh), had)
        return Harvest(artifacts=tuple(artifacts), bytes_of=bytes_of, missing=missing)

    async def cancel(self, job: Job) -> None:
        """Do nothing: OSAIS has no way to stop a request. What it still sends is dropped or, within minutes, shown."""

    def describe(self) -> Capabilities:
        """Tell that there are no models to choose from: an engine is one."""
        return Capabilities(models=(), live=True)

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

    def _hopeless(self, run: EngineJob, uid: str, news: Progress) -> bool:
        """Whether the run is at its end, and checks of it fail for so long that none is waited for."""
        end = ended_at(run, news)
        return end is not None and self._failures.hopeless(uid, end)

    def _let_go(self, uid: str) -> None:
        """Give up what was announced. What comes of it yet is found by those who look for late files."""
        known = self._known.get(uid)
        if known is not None and known.awaited:
            self._known[uid] = replace(known, awaited=(), unreadable=(*known.unreadable, *known.awaited))

    async def _check(self, run: EngineJob, uid: str) -> None:
        """Ask how far it is, and put files that no call brought into the inbox."""
        checked = await self._client.check(uid)
        now = self._clock.now()
        if checked is None:  # not known there yet, or not any more: the deadline ends it
            self._known[uid] = Known(asked_at=now)
            return
        taken = {url: await self._announced.take(run, uid, url) for url in await self._missing(checked, run, uid)}
        self._known[uid] = Known(
            asked_at=now,
            running=checked.ended_at is None and not self._pushed,
            ended=checked.ended_at is not None,
            awaited=tuple(url for url, state in taken.items() if state is Taken.NOT_YET),
            unreadable=tuple(url for url, state in taken.items() if state is Taken.NEVER),
        )

    async def _missing(self, checked: Checked, run: EngineJob, uid: str) -> list[str]:
        """The addresses whose files came by no call; files are told apart by name as far as they have one."""
        came = {call.said.name for call in await self._calls(run, uid) if isinstance(call.said, Upload)}
        urls = dict.fromkeys(https_of(made.filename) for made in checked.response)
        return [url for url in urls if name_of(url) not in came and not self._announced.kept(url)]

    def _unreadable(self, run: EngineJob, uid: str, first: int, had: set[str]) -> list[EngineArtifact]:
        known = self._known.get(uid)
        urls = [url for url in (known.unreadable if known else ()) if url not in had]
        model = run.request.engine
        return [
            EngineArtifact(index=index, remote_id=url, name=name_of(url), unreadable=True, model=model)
            for index, url in enumerate(urls, first)
        ]


def _artifact(run: EngineJob, index: int, said: Upload, data: bytes | None) -> EngineArtifact:
    """A file as the job knows it; unreadable where its bytes are gone."""
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
