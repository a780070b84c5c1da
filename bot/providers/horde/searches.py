"""What all searches for requests whose answer was lost have in common: what is remembered, and what is asked.

Every search needs the same list, that of the requests which our key has open, and the Horde itself tells it no fresher
than 30 s (`find_user`, server 5.1.5). So it is asked for once for all of them, and then kept for a while. What it can
prove depends on when it was asked for, never on when somebody reads it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.domain.jobs import Job, JobId
from bot.errors import ProviderError, SubmissionUncertain, Unavailable
from bot.providers.horde.webhooks import NOT_YET

#: The list is believed to be complete this long after the request left (the server keeps it for 30 s).
SETTLED: Final = timedelta(seconds=35)
#: A request leaves at most this long after `Job.attempted_at`: it may wait for its turn, then for its answer.
LONGEST_ATTEMPT: Final = timedelta(seconds=90)
#: After this the Horde may have forgotten the request already, so that its absence proves nothing.
FORGOTTEN: Final = timedelta(minutes=18)
#: A search this old was given up: the tracker ends them sooner, and does not say so (services/handing_over.py).
GIVEN_UP: Final = timedelta(minutes=30)
#: Seconds for which a list is good for all searches, and for which none asks again when it could not be had.
LIST_LIFE: Final = 15.0
IN_VAIN: Final = 5.0


@dataclass(slots=True, kw_only=True)
class Search:
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


class Searches:
    """The searches under way, by job."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way: dict[JobId, Search] = {}

    def begin(self, job_id: JobId) -> None:
        """Note that the answer to this job's submission was lost just now."""
        self._forget_given_up()
        self._under_way[job_id] = Search(lost_at=self._clock.now())

    def of(self, job: Job) -> Search:
        """This job's search. After a restart nobody remembers when the answer was lost, but it was before now."""
        self._forget_given_up()
        latest = min(self._clock.now(), attempted_at(job) + LONGEST_ATTEMPT)
        return self._under_way.setdefault(job.id, Search(lost_at=latest))

    def end(self, job_id: JobId) -> None:
        """Note that there is nothing left to find out."""
        self._under_way.pop(job_id, None)

    def _forget_given_up(self) -> None:
        now = self._clock.now()
        for job_id in [job_id for job_id, one in self._under_way.items() if now - one.lost_at > GIVEN_UP]:
            del self._under_way[job_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The requests that our key had open."""

    ids: tuple[str, ...]
    asked_at: datetime


class OpenRequests:
    """The list that all searches read; see the module's text."""

    def __init__(self, ask: Callable[[], Awaitable[Collection[str] | None]], clock: Clock) -> None:
        """Take the parts; `ask` gets the list, or None where the key is not told it."""
        self._ask = ask
        self._clock = clock
        self._asking = asyncio.Lock()
        self._listed: Listed | None = None
        self._until = 0.0

    async def listed(self) -> Listed:
        """The list, or `SubmissionUncertain` where there is none. Raises what asking does, to whoever asked."""
        async with self._asking:
            if self._clock.monotonic() >= self._until:
                await self._renew()
            if self._listed is None:
                raise Unavailable("the list of requests was asked for in vain just now", user_message=NOT_YET)
            return self._listed

    async def _renew(self) -> None:
        self._listed, asked_at = None, self._clock.now()
        try:
            ids = await self._ask()
        except ProviderError:
            self._until = self._clock.monotonic() + IN_VAIN
            raise
        if ids is None:
            raise SubmissionUncertain("a shared key is not told its list of requests")
        self._listed = Listed(ids=tuple(ids), asked_at=asked_at)
        self._until = self._clock.monotonic() + LIST_LIFE


def attempted_at(job: Job) -> datetime:
    """When the job's request was about to leave."""
    return job.attempted_at or job.created_at
