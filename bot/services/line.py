"""The line: who is handed over next, fairly, while a service or a person's own share is full.

Jobs wait here, each in the task of its look, while the pace of submissions, the account's room or their person's share
is used up. Whenever there is a place, the line is put in order: everybody's first job comes before anybody's second,
where jobs in work count as one's first ones; among equals the one accepted first goes. So however many jobs one person
has waiting, everybody else's next one is at most one round away. Whoever has used up the share is passed over; whoever
is only too large for the room is not, or a large request might never go.

    share   how many jobs one person may have in work at once, of all kinds and at all providers
    room    how many parts may wait at a provider at once: the Horde counts what no worker has taken yet. What is on its
            way there counts with all its parts; one larger than the room goes when nothing else waits
    pace    how often a provider takes a request: its own `turn`

Who is in work, in whichever process, is read from the rows. Who waits stands in the rows as well, as a job in our own
queue with the time of its acceptance, so a restart finds the same order; each process orders those that wait in it. A
job that was let go stands in the rows only a moment later. Until its look is done with it, it is counted from memory
and left out of what is read, so it is neither missed nor counted twice.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.clock import Clock
from bot.domain.jobs import Job, JobId
from bot.errors import ProviderError, StoreError
from bot.providers.base import Provider
from bot.services.log_context import about
from bot.services.waiting import event_or_timeout
from bot.store.base import InWork, JobStore

log = logging.getLogger(__name__)

#: How many jobs one person may have in work unless the settings say otherwise.
SHARE: Final = 2
#: Seconds between two looks at the rows while somebody waits.
LOOK_AGAIN = 1.0
#: Seconds between two looks at whether places have changed enough to tell of it.
TELL_AGAIN = 3.0
#: Who waits for less than this, in seconds, is not told of it.
PATIENT = 2.0
#: A place that moved by less than this share is not told again.
NOTICEABLE = 0.2

#: How many parts may wait at a provider; None where nothing is known of a limit.
Room = Callable[[str], int | None]
#: Writes into a job's row, for its reply, which place it has.
Tell = Callable[[Job, str], Awaitable[None]]


@dataclass(slots=True, eq=False, kw_only=True)
class _Place:
    job: Job
    #: Rises with the order of arrival.
    number: int
    since: float
    go: asyncio.Future[None]
    told: str = ""
    ahead: int | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class _Queue:
    places: dict[JobId, _Place] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    #: The provider said that it takes nothing before then, by the clock's `monotonic`.
    shut_until: float = 0.0


class Line:
    """Lets waiting jobs go one by one; see the module's text."""

    def __init__(
        self,
        *,
        store: JobStore,
        providers: Mapping[str, Provider],
        clock: Clock,
        share: int = SHARE,
        room: Room | None = None,
    ) -> None:
        self._store = store
        self._providers = providers
        self._clock = clock
        self._share = share
        self._room = room
        self._queues = {name: _Queue() for name in providers}
        self._numbers = itertools.count()
        #: Let go, and counted from here until `settled`; what is read from the rows leaves them out.
        self._let_go: dict[JobId, Job] = {}
        self._in_work: tuple[InWork, ...] | None = None
        self._read_at = 0.0
        #: How often there was something new to read.
        self._news = 0

    # -- what a look does -----------------------------------------------------------------------------------------

    async def turn(self, job: Job) -> None:
        """Wait until the job may be handed over. Raises the `ProviderError` that its provider turns everybody away by.

        A caller that is cancelled leaves the line. One that was let go calls `settled` afterwards.
        """
        queue = self._queues[job.provider]
        go: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = _Place(job=job, number=next(self._numbers), since=self._clock.monotonic(), go=go)
        queue.places[job.id] = place
        queue.news.set()
        try:
            await go
        finally:
            queue.places.pop(job.id, None)

    def settled(self, job_id: JobId) -> None:
        """Note that the rows tell what became of a job that was let go."""
        if self._let_go.pop(job_id, None) is not None:
            self.stir()

    def stir(self) -> None:
        """Note that there may be a place."""
        self._in_work = None
        self._news += 1
        for queue in self._queues.values():
            if queue.places:
                queue.news.set()

    def shut(self, provider: str, seconds: float) -> None:
        """Let nobody go to this provider for so long: it said so."""
        queue = self._queues[provider]
        queue.shut_until = max(queue.shut_until, self._clock.monotonic() + seconds)

    # -- the loops ------------------------------------------------------------------------------------------------

    async def run(self, tell: Tell) -> None:
        """Let jobs go, and tell those who wait which place they have, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for provider in self._queues:
                group.create_task(self._serve(provider), name=f"line-{provider}")
            group.create_task(self._keep_telling(tell), name="line-places")

    async def _serve(self, provider: str) -> None:
        """Let one provider's jobs go, one by one."""
        queue = self._queues[provider]
        while True:
            queue.news.clear()
            first = await self._next(provider)
            if first is None:
                await self._wait(queue)
                continue
            try:
                await self._providers[provider].turn()
            except ProviderError as error:
                if not first.go.done():
                    first.go.set_exception(error)
                queue.places.pop(first.job.id, None)
                continue
            chosen = await self._next(provider)  # whoever is first by now
            if chosen is not None:
                self._let_go_now(queue, chosen)

    def _let_go_now(self, queue: _Queue, place: _Place) -> None:
        self._let_go[place.job.id] = place.job
        self._news += 1  # a reading under way did not leave it out
        queue.places.pop(place.job.id, None)
        place.go.set_result(None)

    async def _keep_telling(self, tell: Tell) -> None:
        while True:
            await self._clock.sleep(TELL_AGAIN)
            for provider, queue in self._queues.items():
                if queue.places:
                    await self._tell_all(provider, tell)

    async def _wait(self, queue: _Queue) -> None:
        if not queue.places:
            await queue.news.wait()
            return
        shut = queue.shut_until - self._clock.monotonic()
        await event_or_timeout(queue.news, self._clock, max(LOOK_AGAIN, shut))

    async def _tell_all(self, provider: str, tell: Tell) -> None:
        in_work = await self._read()
        if in_work is None:
            return
        for ahead, place in enumerate(self._ordered(provider, in_work)):
            if self._clock.monotonic() - place.since < PATIENT or place.go.done():
                continue
            told = self._sentence(place, ahead, in_work)
            if told == place.told:
                continue
            place.told = told
            try:
                await tell(place.job, told)
            except StoreError as error:
                log.info("could not tell a place", extra=about(place.job, "line.untold", error))

    # -- the order ------------------------------------------------------------------------------------------------

    async def _next(self, provider: str) -> _Place | None:
        """Whoever may go now: the first in order whose person has not used up the share."""
        queue = self._queues[provider]
        if not queue.places or queue.shut_until > self._clock.monotonic():
            return None
        in_work = await self._read()
        if in_work is None:
            return None
        held = self._jobs_of(in_work)
        for place in self._ordered(provider, in_work):
            if held[place.job.asker_id] < self._share and not place.go.done():
                return place if self._has_room(provider, place.job, in_work) else None
        return None

    def _ordered(self, provider: str, in_work: Iterable[InWork]) -> list[_Place]:
        rounds = self._jobs_of(in_work)
        ranked: list[tuple[int, _Place]] = []
        for place in sorted(self._queues[provider].places.values(), key=_age):
            ranked.append((rounds[place.job.asker_id], place))
            rounds[place.job.asker_id] += 1
        return [place for _, place in sorted(ranked, key=lambda one: (one[0], _age(one[1])))]

    def _has_room(self, provider: str, job: Job, in_work: Iterable[InWork]) -> bool:
        """Whether the account has room for the whole job; the largest one goes when nothing else waits there."""
        room = self._room(provider) if self._room is not None else None
        waiting = sum(one.waiting for one in in_work if one.provider == provider)
        waiting += sum(one.request.parts for one in self._let_go.values() if one.provider == provider)
        return room is None or not waiting or waiting + job.request.parts <= room

    def _jobs_of(self, in_work: Iterable[InWork]) -> Counter[int]:
        """How many jobs everybody has in work."""
        held: Counter[int] = Counter()
        for one in in_work:
            held[one.asker_id] += one.jobs
        for job in self._let_go.values():
            held[job.asker_id] += 1
        return held

    def _sentence(self, place: _Place, ahead: int, in_work: Iterable[InWork]) -> str:
        running = self._jobs_of(in_work)[place.job.asker_id]
        if running >= self._share:
            waiting = self._queues[place.job.provider].places.values()
            before = sum(1 for one in waiting if one.job.asker_id == place.job.asker_id and _age(one) < _age(place))
            jobs = f"You have {running} {'job' if running == 1 else 'jobs'} running"
            return f"{jobs}; {before} more of yours before this one." if before else f"{jobs}, this one is next."
        if place.ahead is None or abs(ahead - place.ahead) >= NOTICEABLE * place.ahead:
            place.ahead = ahead
        return f"{place.ahead} ahead of you here." if place.ahead else "Next in line here."

    async def _read(self) -> tuple[InWork, ...] | None:
        """What others have in work, not older than a second; None while the database does not tell."""
        while self._in_work is None or self._clock.monotonic() - self._read_at >= LOOK_AGAIN:
            news, began = self._news, self._clock.monotonic()
            try:
                in_work = tuple(await self._store.in_work(without=tuple(self._let_go)))
            except StoreError as error:
                log.warning("the line can't be read", extra={"action": "line.unread", "cause": str(error)})
                return None
            if news == self._news:  # else somebody was let go, or settled, while the rows were read
                self._in_work, self._read_at = in_work, began
        return self._in_work


def _age(place: _Place) -> tuple[object, int]:
    return (place.job.accepted_at or place.job.created_at, place.number)
