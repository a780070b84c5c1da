"""What the Horde's webhooks are good for: to look at once, and to find a request whose answer was lost.

They are not signed, may never come, and bring no news of faults (server 5.1.5). So nothing rests on them: whatever one
says is asked about, and without them everything takes its usual course.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from bot.clock import Clock
from bot.domain.jobs import Job, JobId
from bot.errors import ProviderError, RemoteGone, SubmissionUncertain, Unavailable
from bot.providers.horde.remote import KnownIds

#: How long after a lost submission its webhook is waited for where nothing else could tell.
WAITED_FOR: Final = timedelta(minutes=5)
#: So many of the requests that webhooks told of are asked about, newest first: a job has one, or a few.
ASKED_ABOUT: Final = 5
#: What a person reads while a lost submission is looked for; the tracker gives up then (services/handing_over.py).
NOT_YET: Final = (
    "I was interrupted while handing this to the AI Horde, and I'm finding out whether it arrived: 20 minutes at most."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One call of the Horde."""

    #: The request that it is about, and the delivered part, by the Horde's ids.
    request: str
    part: str


class Webhooks(Protocol):
    """The listener's side: addresses to be called at, and what was said there."""

    def address(self, job_id: JobId) -> str:
        """Where the Horde is to call about a job; only the Horde gets to know it."""
        ...

    async def hints(self, provider: str, job_id: JobId) -> Sequence[Hint]:
        """What calls about a job said, oldest first."""
        ...


class Hints:
    """One provider's use of webhooks; with `webhooks=None` there are none."""

    def __init__(self, provider: str, webhooks: Webhooks | None, clock: Clock) -> None:
        self._provider = provider
        self._webhooks = webhooks
        self._clock = clock

    @property
    def expected(self) -> bool:
        """Whether requests carry a webhook."""
        return self._webhooks is not None

    def fields(self, job_id: JobId) -> Mapping[str, str]:
        """What a request carries so that the Horde calls."""
        return {} if self._webhooks is None else {"webhook": self._webhooks.address(job_id)}

    async def have_news(self, job: Job) -> bool:
        """Whether the Horde told of more delivered parts of this very request than we know of."""
        parts = {hint.part for hint in await self._of(job) if hint.request == job.remote_id}
        return len(parts) > (job.progress.finished if job.progress else 0)

    async def find(
        self, job: Job, *, ask: Callable[[str], Awaitable[object]], known_ids: KnownIds | None = None
    ) -> str | None:
        """The id of a request whose answer was lost, as a webhook told it; `ask` has to know it. Raises what that does.

        None when none told (yet).
        """
        told = dict.fromkeys(hint.request for hint in reversed(await self._of(job)))
        taken = await known_ids(told.keys()) if told and known_ids is not None else ()
        # A job's second request finds the first one's hints.
        for request in [one for one in told if one not in taken and one != job.remote_id][:ASKED_ABOUT]:
            try:
                await ask(request)
            except RemoteGone:
                continue
            return request
        return None

    def rather_wait(self, job: Job, error: SubmissionUncertain) -> ProviderError:
        """What to raise where nobody can tell whether a request arrived: its webhook may yet, for a while."""
        since = job.attempted_at or job.created_at
        if self._webhooks is None or self._clock.now() - since > WAITED_FOR:
            return error
        return Unavailable("its webhook may still come", user_message=NOT_YET)

    async def _of(self, job: Job) -> Sequence[Hint]:
        return () if self._webhooks is None else await self._webhooks.hints(self._provider, job.id)
