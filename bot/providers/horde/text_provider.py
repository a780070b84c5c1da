"""The Horde's text service as a `Provider`."""

from __future__ import annotations

import logging
from collections.abc import Collection

from bot.chat.templates import TemplateBook
from bot.clock import Clock
from bot.domain.conversation import TextRequest
from bot.domain.jobs import Job
from bot.domain.progress import Progress
from bot.errors import ProtocolError, SubmissionUncertain
from bot.providers.base import Capabilities, Harvest, ModelInfo, Submission
from bot.providers.horde.gate import AddressGate
from bot.providers.horde.mapping import progress_of
from bot.providers.horde.remote import KnownIds, drop, remote_id_of
from bot.providers.horde.text_catalogue import TextCatalogue
from bot.providers.horde.text_client import HordeTextClient
from bot.providers.horde.text_mapping import text_artifact_of, text_payload_of
from bot.providers.horde.text_recovery import TextRecovery
from bot.providers.horde.webhooks import Hints, Webhooks

log = logging.getLogger(__name__)


class HordeTextProvider:
    """Answers from the AI Horde's text models: see `bot.providers.base.Provider` for what each verb promises."""

    name = "horde-text"

    def __init__(
        self,
        client: HordeTextClient,
        catalogue: TextCatalogue,
        clock: Clock,
        *,
        gate: AddressGate,
        known_ids: KnownIds,
        trusted_workers: bool = False,
        blocked_words: Collection[str] = (),
        webhooks: Webhooks | None = None,
    ) -> None:
        """Take the parts; `known_ids` tells which remote ids belong to a job of ours already."""
        self._client = client
        #: Whoever owns the loops calls its `refresh`; commands ask it for models.
        self.catalogue = catalogue
        self._clock = clock
        self._gate = gate
        self._known_ids = known_ids
        self._recovery = TextRecovery(client, clock, known_ids=known_ids)
        self._hints = Hints(self.name, webhooks, clock)
        self._trusted_workers = trusted_workers
        self._blocked_words = tuple(blocked_words)

    @property
    def book(self) -> TemplateBook:
        """The templates in use."""
        return self.catalogue.book

    @property
    def pushes(self) -> bool:
        """Whether requests carry a webhook."""
        return self._hints.expected

    async def turn(self) -> None:
        """Wait for a place in the pace of submissions; while our address is shut out, `Paused` is raised instead."""
        await self._gate.turn(self._client.turn)

    async def submit(self, job: Job, *, source: bytes | None = None) -> Submission:  # noqa: ARG002 - a text has none
        """Hand the request over, once; while our address is shut out, `Paused` is raised without asking.

        The Horde tells no price in advance.
        """
        self._gate.require_open()
        request = _request_of(job)
        payload = text_payload_of(
            request, self.book, today=self._clock.now().date(), trusted_workers=self._trusted_workers
        )
        try:
            with self._gate.posting():
                accepted = await self._client.submit_text({**payload, **self._hints.fields(job.id)})
        except SubmissionUncertain:
            self._recovery.begin(job.id)
            raise
        return Submission(remote_id=accepted.id)

    async def recover(self, job: Job) -> Submission | None:
        """Find a request whose answer was lost by its webhook, or tell that it did not arrive: see `text_recovery`."""
        found = await self._hints.find(job, ask=self._client.status, known_ids=self._known_ids)
        if found is not None:
            return Submission(remote_id=found)
        try:
            await self._recovery.require_absent(job, _request_of(job))
        except SubmissionUncertain as error:
            raise self._hints.rather_wait(job, error) from error
        return None

    async def poll(self, job: Job) -> Progress:
        """Ask how far it is. There is no cheaper way than the whole status, and none is needed at 60 a minute."""
        status = await self._client.status(remote_id_of(job))
        return progress_of(status, job.progress, self._clock.now())

    async def fetch(self, job: Job) -> Harvest:
        """Fetch the answer if it is there and not known yet."""
        remote_id, request = remote_id_of(job), _request_of(job)
        if job.artifacts:
            return Harvest(artifacts=(), bytes_of={})
        status = await self._client.status(remote_id)
        if not status.generations:
            return Harvest(artifacts=(), bytes_of={})
        generation = status.generations[0]
        artifact, leaked = text_artifact_of(
            generation,
            request,
            self.book,
            today=self._clock.now().date(),
            remote_id=remote_id,
            kudos=status.kudos,
            blocked=self._blocked_words,
        )
        if leaked:
            log.warning(
                "%s reads another template than %s: it wrote %s",
                generation.model,
                request.template,
                leaked,
                extra={"action": "text.template-leak", "job_id": job.id, "model": generation.model},
            )
        return Harvest(artifacts=(artifact,), bytes_of={})

    async def cancel(self, job: Job) -> None:
        """Drop it if no worker has taken it; what is at a worker still arrives. Never handed over counts as stopped."""
        await drop(job, self._client.cancel)

    def describe(self) -> Capabilities:
        """Tell which models there are, from memory."""
        models = [
            ModelInfo(
                name=model.name,
                baseline=model.baseline,
                workers=model.workers,
                eta=model.eta,
                nsfw=model.nsfw,
                style=model.style,
            )
            for model in self.catalogue.models()
        ]
        return Capabilities(models=models, live=self.catalogue.live)


def _request_of(job: Job) -> TextRequest:
    if not isinstance(job.request, TextRequest):
        raise ProtocolError(f"a job of kind {job.request.kind} came to the text provider")
    return job.request
