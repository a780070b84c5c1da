"""Finding a request whose answer was lost, without ever taking a stranger's.

The Horde has no idempotency key. A registered key can ask which requests it has open (`find_user`), but that list
holds every client of the key, may be 30 s old, and tells ids only. So an unknown id is ours only if it has as many
pictures as ours *and* what it has finished carries seeds that can only be ours. Until a candidate has finished one,
the answer is "not yet": adopting somebody else's request would show, or cancel, what is not ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from bot.clock import Clock
from bot.domain.jobs import Job, JobId
from bot.domain.requests import ImageRequest
from bot.errors import RemoteGone, SubmissionUncertain, Unavailable
from bot.providers.horde.client import HordeClient
from bot.providers.horde.remote import KnownIds
from bot.providers.horde.searches import FORGOTTEN, Listed, OpenRequests, Search, Searches, attempted_at
from bot.providers.horde.seeds import possible_seeds
from bot.providers.horde.webhooks import NOT_YET
from bot.providers.horde.wire import Check, Generation


class _Verdict(Enum):
    OURS = auto()
    #: For good: it has more pictures than ours, or a seed that cannot be ours.
    NOT_OURS = auto()
    #: As many pictures as ours, none finished yet.
    PERHAPS = auto()
    #: It ended without a picture, so it will never tell.
    UNKNOWABLE = auto()


class Recovery:
    """Remembers when each answer was lost, and looks for what became of it."""

    def __init__(self, client: HordeClient, clock: Clock, *, known_ids: KnownIds) -> None:
        self._client = client
        self._known_ids = known_ids
        self._open = OpenRequests(self._ask_for_list, clock)
        self._searches = Searches(clock)
        #: Found for these jobs of this process, and not written to their rows yet. A job whose row could not be written
        #: looks again, and has to find the same one.
        self._adopted: dict[str, JobId] = {}

    def begin(self, job_id: JobId) -> None:
        """Note that the answer to this job's submission was lost just now."""
        self._searches.begin(job_id)

    async def find(self, job: Job, request: ImageRequest) -> str | None:
        """Return the remote id of `job`; None when it surely was not accepted.

        Raises `SubmissionUncertain` when that cannot be told, `Unavailable` when it cannot be told yet.
        """
        if self._client.anonymous:
            raise SubmissionUncertain("an anonymous key has no list of requests")
        search = self._searches.of(job)
        try:
            found = await self._look(job, request, search)
        except SubmissionUncertain:
            self._searches.end(job.id)
            raise
        self._searches.end(job.id)
        return found

    async def _look(self, job: Job, request: ImageRequest, search: Search) -> str | None:
        listed = await self._open.listed()
        asked_at = listed.asked_at
        verdicts = set()
        for remote_id in search.may_be_ours(await self._candidates(job, search, listed), asked_at):
            verdict = await self._judge(remote_id, request)
            if verdict is _Verdict.OURS:
                if self._adopted.setdefault(remote_id, job.id) == job.id:
                    return remote_id
                verdict = _Verdict.NOT_OURS  # the search for a job like this one was quicker
            if verdict is _Verdict.NOT_OURS:
                search.ruled_out.add(remote_id)
            verdicts.add(verdict)
        if _Verdict.PERHAPS in verdicts:
            raise Unavailable("a request that may be ours has not finished a picture yet", user_message=NOT_YET)
        if not search.settled(asked_at):
            raise Unavailable("the list of requests may not be up to date yet", user_message=NOT_YET)
        if _Verdict.UNKNOWABLE in verdicts:
            raise SubmissionUncertain("a request that may be ours ended without a picture")
        if asked_at - attempted_at(job) > FORGOTTEN:
            raise SubmissionUncertain("it may have expired meanwhile, so its absence proves nothing")
        return None

    async def _ask_for_list(self) -> Sequence[str] | None:
        active = (await self._client.find_user()).active_generations
        return None if active is None else active.image

    async def _candidates(self, job: Job, search: Search, listed: Listed) -> list[str]:
        known = await self._known_ids(listed.ids)
        # A number that stands in a row by now, or that the Horde does not list any more, needs no remembering.
        for remote_id in [one for one in self._adopted if one in known or one not in listed.ids]:
            del self._adopted[remote_id]
        taken = search.ruled_out.union(known, (one for one, whose in self._adopted.items() if whose != job.id))
        return [remote_id for remote_id in listed.ids if remote_id not in taken]

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
