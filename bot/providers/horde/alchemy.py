"""The Horde's alchemy as a `Provider`: one request for all forms of one picture, each form a part of its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PIL import Image

from bot.clock import Clock
from bot.domain.alchemy import DESCRIBING, FEE, AlchemyRequest, Form, FormArtifact, FormState, price_of
from bot.domain.jobs import Job, JobId, is_alchemy
from bot.domain.progress import Progress
from bot.errors import MediaError, MediaGone, ProtocolError, SubmissionUncertain, Unauthorized, Unavailable
from bot.media import MediaFetcher, Picture
from bot.providers.base import Capabilities, Harvest, Submission
from bot.providers.horde.alchemy_desk import AlchemyDesk
from bot.providers.horde.alchemy_mapping import ended, payload_of, progress_of, states_of
from bot.providers.horde.alchemy_results import drawing_of, drawing_size, link_of, told_of
from bot.providers.horde.client import HordeClient
from bot.providers.horde.remote import drop, remote_id_of
from bot.providers.horde.webhooks import Hints, Webhooks

log = logging.getLogger(__name__)

#: Files of one job downloaded at the same time.
MAX_DOWNLOADS = 4
#: Seconds for which a link that is dead, or brings something that is no picture, is tried again. It is made once, at
#: delivery, so there will be no other; but an object store may need a moment until it has a new object everywhere.
DEAD_LINK_PATIENCE = 20.0
#: Seconds after which a dead link is forgotten, in case its job never came back.
_FORGOTTEN = 3600.0

_LOST = (
    "I was interrupted just as I was handing this to the AI Horde. It has no list in which I could look up work on "
    "a picture, and nothing else told me either, so I can't tell whether it arrived. I haven't sent it a second "
    "time; please start it again if you'd like me to."
)
_SHARED_KEY = (
    "The AI Horde takes no shared keys for work on a picture, and this bot has one. Please tell whoever runs the bot."
)
_DEAD_LINK = "It was made, but its file was gone before I could fetch it. Please try again."
_BROKEN_FILE = "The file the worker made can't be used. Please try again."

_Brought = tuple[FormArtifact, bytes | None]


class HordeAlchemyProvider:
    """Alchemy on the AI Horde: see `bot.providers.base.Provider` for what each verb promises."""

    name = "horde-alchemy"

    def __init__(
        self,
        client: HordeClient,
        media: MediaFetcher,
        desk: AlchemyDesk,
        clock: Clock,
        *,
        trusted_workers: bool = False,
        webhooks: Webhooks | None = None,
    ) -> None:
        self._client = client
        self._media = media
        #: Whoever owns the loops calls its `refresh`; commands ask it what is missing.
        self.desk = desk
        self._clock = clock
        self._trusted_workers = trusted_workers
        self._hints = Hints(self.name, webhooks, clock)
        #: Since when a form's link has been dead, by `monotonic`.
        self._dead: dict[tuple[JobId, Form], float] = {}

    @property
    def pushes(self) -> bool:
        """Whether requests carry a webhook."""
        return self._hints.expected

    async def turn(self) -> None:
        """Wait for a place in the pace of submissions."""
        await self._client.alchemy_turn()

    async def submit(self, job: Job, *, source: bytes | None = None) -> Submission:
        """Hand all forms over in one request, once."""
        request = _request_of(job)
        if source is None:
            raise ProtocolError("a job of alchemy came without its picture", path="source")
        encoded, (width, height) = await asyncio.to_thread(_packed, source)
        payload = payload_of(request, encoded, trusted_workers=self._trusted_workers)
        try:
            accepted = await self._client.submit_alchemy({**payload, **self._hints.fields(job.id)})
        except Unauthorized as error:
            if self._client.shared_key:
                raise Unauthorized(error.detail, user_message=_SHARED_KEY) from error
            raise
        cost = price_of(request.forms, width, height) + FEE * len(request.forms)
        return Submission(remote_id=accepted.id, cost=cost)

    async def recover(self, job: Job) -> Submission | None:
        """Find it by its webhook or raise `SubmissionUncertain`: the Horde lists no alchemy (server 5.1.5)."""
        found = await self._hints.find(job, ask=self._client.alchemy_status)
        if found is not None:
            return Submission(remote_id=found)
        error = SubmissionUncertain(f"the answer for job {job.id} was lost", user_message=_LOST)
        raise self._hints.rather_wait(job, error)

    async def poll(self, job: Job) -> Progress:
        """Ask how far each form is."""
        states = await self._states(job)
        return progress_of(states, missing=self.desk.missing(states))

    async def fetch(self, job: Job) -> Harvest[FormArtifact]:
        """Fetch what is done and new, files at once: their links are not renewed. At the end, tell what failed too."""
        states = await self._states(job)
        known = {artifact.remote_id for artifact in job.artifacts}
        fresh = {form: told for form, told in states.items() if form.value not in known}
        brought = await self._bring(job, {form: result for form, (state, result) in fresh.items() if state.done})
        found = [one for one in brought.values() if one is not None]
        if ended(states):
            failed = ((form, state) for form, (state, _) in fresh.items() if not state.done)
            found += [(_empty(form, state=state), None) for form, state in failed]
        return _numbered(job, found, missing=sum(1 for one in brought.values() if one is None))

    async def cancel(self, job: Job) -> None:
        """Drop what is not done; what is done keeps its result. Never handed over counts as stopped."""
        await drop(job, self._client.cancel_alchemy)

    def describe(self) -> Capabilities:
        """Tell that there are no models to choose, from memory."""
        return Capabilities(models=(), live=self.desk.live)

    async def _states(self, job: Job) -> dict[Form, tuple[FormState, Any]]:
        return states_of(await self._client.alchemy_status(remote_id_of(job)), _request_of(job))

    async def _bring(self, job: Job, results: Mapping[Form, Any]) -> dict[Form, _Brought | None]:
        """Make artifacts of results, a few downloads at a time; None for a file that is to be tried again."""
        gate = asyncio.Semaphore(MAX_DOWNLOADS)

        async def one(form: Form, result: Any) -> _Brought | None:
            async with gate:
                return await self._one(job, form, result)

        async with asyncio.TaskGroup() as group:
            tasks = {form: group.create_task(one(form, result)) for form, result in results.items()}
        return {form: task.result() for form, task in tasks.items()}

    async def _one(self, job: Job, form: Form, result: Any) -> _Brought | None:
        try:
            if form is Form.VECTORIZE:
                return _drawing(form, drawing_of(form, result))
            if form in DESCRIBING:
                return FormArtifact(
                    index=0, remote_id=form.value, form=form, extension="", told=told_of(form, result)
                ), None
            picture = await self._downloaded(job, form, link_of(form, result))
        except MediaGone:
            return _empty(form, unreadable=_DEAD_LINK), None
        except MediaError:
            return _empty(form, unreadable=_BROKEN_FILE), None
        except ProtocolError as error:
            log.info("an odd result", extra={"action": "horde.odd-result", "job_id": job.id, "form": form.value})
            return _empty(form, unreadable=error.user_message), None
        return None if picture is None else _file(form, picture)

    async def _downloaded(self, job: Job, form: Form, link: str) -> Picture | None:
        """Fetch a file; None when trying again may help."""
        try:
            picture = await self._media.fetch(link)
        except (MediaError, Unavailable) as error:
            about = {"action": "horde.unfetched", "job_id": job.id, "form": form.value, "cause": str(error)}
            log.info("a file could not be fetched", extra=about)
            if isinstance(error, Unavailable) or self._may_revive(job, form):
                return None
            raise
        self._dead.pop((job.id, form), None)
        return picture

    def _may_revive(self, job: Job, form: Form) -> bool:
        now = self._clock.monotonic()
        for key in [key for key, since in self._dead.items() if now - since > _FORGOTTEN]:
            del self._dead[key]
        return now - self._dead.setdefault((job.id, form), now) < DEAD_LINK_PATIENCE


def _request_of(job: Job) -> AlchemyRequest:
    if not is_alchemy(job):
        raise ProtocolError(f"a job of kind {job.request.kind} came to the alchemy provider")
    return job.request


def _packed(source: bytes) -> tuple[str, tuple[int, int]]:
    """The picture as base64, and its size in pixels."""
    with Image.open(io.BytesIO(source)) as image:
        return base64.b64encode(source).decode(), image.size


def _empty(form: Form, *, state: FormState = FormState.DONE, unreadable: str = "") -> FormArtifact:
    """A form that brought nothing: it failed, or (with the sentence for why) what it brought is of no use."""
    notes = (unreadable,) if unreadable else ()
    return FormArtifact(
        index=0, remote_id=form.value, form=form, state=state, extension="", unreadable=bool(unreadable), notes=notes
    )


def _file(form: Form, picture: Picture) -> _Brought:
    artifact = FormArtifact(
        index=0,
        remote_id=form.value,
        form=form,
        sha256=picture.sha256,
        extension=picture.extension,
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
    )
    return artifact, picture.data


def _drawing(form: Form, data: bytes) -> _Brought:
    width, height = drawing_size(data)
    digest = hashlib.sha256(data).hexdigest()
    return _file(form, Picture(data=data, extension="svg", width=width, height=height, sha256=digest))


def _numbered(job: Job, found: list[_Brought], *, missing: int) -> Harvest[FormArtifact]:
    """Number what came, after what is already here."""
    first = max((artifact.index for artifact in job.artifacts), default=-1) + 1
    numbered = [(replace(artifact, index=first + place), data) for place, (artifact, data) in enumerate(found)]
    return Harvest(
        artifacts=tuple(artifact for artifact, _ in numbered),
        bytes_of={artifact.index: data for artifact, data in numbered if data is not None},
        missing=missing,
    )
