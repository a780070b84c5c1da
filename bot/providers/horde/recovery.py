"""Finding a request whose answer was lost, without ever taking a stranger's.

The Horde has no idempotency key. A registered key can ask which requests it has open (`find_user`), but that list
holds every client of the key, may be 30 s old, and tells ids only. So an unknown id is ours only if it has as many
pictures as ours *and* what it has finished carries seeds that can only be ours. Until a candidate has finished one,
the answer is "not yet": adopting somebody else's request would show, or cancel, what is not ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from bot.clock import Clock
from bot.domain.jobs import Job, JobId
from bot.domain.requests import ImageRequest
from bot.errors import RemoteGone, SubmissionUncertain, Unavailable
from bot.providers.horde.client import HordeClient
from bot.providers.horde.seeds import possible_seeds
from bot.providers.horde.webhooks import NOT_YET
from bot.providers.horde.wire import Check, Generation

#: The list is believed to be complete this long after the request left (the server keeps it for 30 s).
SETTLED = timedelta(seconds=35)
#: A request leaves at most this long after `Job.attempted_at`: it may wait for its turn, then for its answer.
LONGEST_ATTEMPT = timedelta(seconds=90)
#: After this the Horde may have forgotten the request already, so that its absence proves nothing.
FORGOTTEN = timedelta(minutes=18)


class _Verdict(Enum):
    OURS = auto()
    #: For good: it has more pictures than ours, or a seed that cannot be ours.
    NOT_OURS = auto()
    #: As many pictures as ours, none finished yet.
    PERHAPS = auto()
    #: It ended without a picture, so it will never tell.
    UNKNOWABLE = auto()


@dataclass(slots=True, kw_only=True)
class _Search:
    """What is remembered of one job's search."""

    #: Latest moment at which the request can have left us.
    lost_at: datetime
    ruled_out: set[str] = field(default_factory=set)
    #: What was open when the list was first complete; None before. Whatever joins later is none of ours.
    suspects: frozenset[str] | None = None

    def settled(self, asked_at: datetime) -> bool:
        """Whether a list asked for at that time has our request, if it arrived."""
        return asked_at - self.lost_at > SETTLED

    def may_be_ours(self, open_ones: Collection[str], asked_at: datetime) -> list[str]:
        """Those of the requests on a list that are still in question: on a busy key, new ones join all the time."""
        if self.suspects is None and self.settled(asked_at):
            self.suspects = frozenset(open_ones)
        return [one for one in open_ones if self.suspects is None or one in self.suspects]


class Recovery:
    """Remembers when each answer was lost, and looks for what became of it."""

    def __init__(
        self, client: HordeClient, clock: Clock, *, known_ids: Callable[[], Awaitable[Collection[str]]]
    ) -> None:
        self._client = client
        self._clock = clock
        self._known_ids = known_ids
        self._searches: dict[JobId, _Search] = {}
        #: Found for a job of this process, perhaps not written to its row yet.
        self._adopted: set[str] = set()

    def begin(self, job_id: JobId) -> None:
        """Note that the answer to this job's submission was lost just now."""
        self._searches[job_id] = _Search(lost_at=self._clock.now())

    async def find(self, job: Job, request: ImageRequest) -> str | None:
        """Return the remote id of `job`; None when it surely was not accepted.

        Raises `SubmissionUncertain` when that cannot be told, `Unavailable` when it cannot be told yet.
        """
        if self._client.anonymous:
            raise SubmissionUncertain("an anonymous key has no list of requests")
        attempted_at, now = job.attempted_at or job.created_at, self._clock.now()
        # After a restart nobody remembers when the answer was lost, but it was before now.
        search = self._searches.setdefault(job.id, _Search(lost_at=min(now, attempted_at + LONGEST_ATTEMPT)))
        try:
            found = await self._look(request, search, attempted_at)
        except SubmissionUncertain:
            self._searches.pop(job.id, None)
            raise
        self._searches.pop(job.id, None)
        if found is not None:
            self._adopted.add(found)
        return found

    async def _look(self, request: ImageRequest, search: _Search, attempted_at: datetime) -> str | None:
        asked_at = self._clock.now()
        verdicts = set()
        for remote_id in search.may_be_ours(await self._candidates(search), asked_at):
            verdict = await self._judge(remote_id, request)
            if verdict is _Verdict.OURS:
                return remote_id
            if verdict is _Verdict.NOT_OURS:
                search.ruled_out.add(remote_id)
            verdicts.add(verdict)
        if _Verdict.PERHAPS in verdicts:
            raise Unavailable("a request that may be ours has not finished a picture yet", user_message=NOT_YET)
        if not search.settled(asked_at):
            raise Unavailable("the list of requests may not be up to date yet", user_message=NOT_YET)
        if _Verdict.UNKNOWABLE in verdicts:
            raise SubmissionUncertain("a request that may be ours ended without a picture")
        if asked_at - attempted_at > FORGOTTEN:
            raise SubmissionUncertain("it may have expired meanwhile, so its absence proves nothing")
        return None

    async def _candidates(self, search: _Search) -> list[str]:
        user = await self._client.find_user()
        if user.active_generations is None:
            raise SubmissionUncertain("a shared key is not told its list of requests")
        taken = set(await self._known_ids()) | search.ruled_out | self._adopted
        return [remote_id for remote_id in user.active_generations.image if remote_id not in taken]

    async def _judge(self, remote_id: str, request: ImageRequest) -> _Verdict:
        try:
            check = await self._client.check(remote_id)
            if not _count_fits(check, request.count):
                return _Verdict.NOT_OURS
            if not check.finished:
                return _Verdict.UNKNOWABLE if check.done or check.faulted else _Verdict.PERHAPS
            status = await self._client.status(remote_id)
        except RemoteGone:  # expired since the list was made
            return _Verdict.NOT_OURS
        if not status.generations:
            return _Verdict.PERHAPS
        fits = all(_seed_fits(generation, request) for generation in status.generations)
        return _Verdict.OURS if fits else _Verdict.NOT_OURS


def _count_fits(check: Check, count: int) -> bool:
    """Whether it may have as many pictures as ours.

    Fewer is no proof of the contrary: one that was cancelled or has failures no longer tells them all, and for a moment
    while a worker takes one it is neither waiting nor processing (server 5.1.5).
    """
    return check.waiting + check.processing + check.finished <= count


def _seed_fits(generation: Generation, request: ImageRequest) -> bool:
    seed = generation.seed
    return seed.isascii() and seed.isdigit() and int(seed) in possible_seeds(request.seed, request.count)
