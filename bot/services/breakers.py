"""Circuit breakers: a service that does not answer is asked by one look at a time, ever more seldom.

A breaker is *closed* while the service answers. The first look that finds it silent opens it; looks that were under
way by then find nothing new in its silence. When the interval is over the breaker is *half open*: the next look is the
probe, and it alone is let through. If that finds silence too, the breaker is open for a longer interval. All other
looks wait meanwhile. Any answer to any look closes it; jobs of this process that were told of an outage are due at once
then, and other processes have breakers of their own.

A refusal is an answer: "slow down", a key that is not accepted, a request that is gone. Nonsense is none: it is no
silence either, but for the probe, which would otherwise call an outage over. Nor is what was not asked: what our own
pace says in the service's place, and what the service told by itself, which may have been long ago.

One silent look is a hiccup: its own reply says so, the others wait about two seconds for the probe without a word. From
the second in a row on the service counts as down: one line in the log, and each job that waits for it says since when.
Submissions make bad probes, since one without an answer may be lost for good: where a provider can ask for a sign of
life, it is asked for one before, and nothing leaves until it gives one (a refusal is none). The search for a request
whose answer was lost is no look in this sense: it waits only while the service is down, and closes a breaker only by
finding what it looks for, because its "not yet" may be ours as well as the service's.

Providers of one service (`horde`, `horde-text`) share a breaker: the first part of their names is the service's.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.clock import Clock
from bot.domain.jobs import Job, JobId, ProcessId
from bot.errors import Busy, Paused, ProtocolError, ProviderError, StoreError, SubmissionUncertain, Unavailable
from bot.providers.base import Provider
from bot.services.cadence import until_next_probe
from bot.store.base import JobStore

log = logging.getLogger(__name__)

#: Silent looks in a row from which on the service is said to be down.
DOWN = 2
#: Seconds after which a look that waits comes by again, should nothing have made it due before.
BY_AGAIN = (60.0, 120.0)
#: Somebody else's probe is out, and there was one failure only: look again after about so many seconds.
MEANWHILE = 3.0
#: A probe's own job comes by a little later than the earliest moment: rows count in other units than the clock.
SLACK = 0.1
#: Nobody has asked for so long, in seconds: nothing is known of the service any more.
UNKNOWN = 300.0


@runtime_checkable
class GivesSigns(Protocol):
    """A provider that can be asked whether its service answers at all."""

    async def probe(self) -> None:
        """Ask for a sign of life, the cheapest way. Raises `ProviderError`."""
        ...


class Breaker:
    """Whether one service may be asked; see the module's text."""

    def __init__(self, service: str, clock: Clock, rng: random.Random) -> None:
        self._service = service
        self._clock = clock
        self._rng = rng
        self._failures = 0
        self._retry_at = 0.0
        self._probe: JobId | None = None
        #: Looks under way, by what was known when they began.
        self._looks: dict[JobId, int] = {}
        self._known = 0
        #: Since when the service has been silent; None while it answers.
        self.since: datetime | None = None
        #: What people are told of it.
        self.why = ""

    @property
    def down(self) -> bool:
        """Whether the service is known not to answer."""
        return self._failures >= DOWN and self._clock.monotonic() - self._retry_at < UNKNOWN

    @property
    def shut(self) -> bool:
        """Whether a look has to wait now."""
        if not self._failures:
            return False
        return self._probe is not None or self._clock.monotonic() < self._retry_at

    def admit(self, job_id: JobId) -> bool:
        """Let a look begin, as the probe if need be; False when it has to wait. `leave` ends it."""
        if self.shut:
            return False
        if self._failures:
            self._probe = job_id
        self._looks[job_id] = self._known
        return True

    def leave(self, job_id: JobId) -> None:
        """A look has ended, whatever it found."""
        self._looks.pop(job_id, None)
        if self._probe == job_id:
            self._probe = None

    def is_probe(self, job_id: JobId) -> bool:
        """Whether this look is the one that tries."""
        return self._probe == job_id

    def wait(self) -> float:
        """Seconds until a look that has to wait now comes by again."""
        if self._failures >= DOWN:
            return self._rng.uniform(*BY_AGAIN)
        return max(MEANWHILE if self._probe else 0.0, self._retry_at - self._clock.monotonic()) + self._rng.random()

    def retry_in(self) -> float:
        """Seconds until the next probe may surely go out."""
        return max(SLACK, self._retry_at - self._clock.monotonic() + SLACK)

    def silent(self, job_id: JobId, error: ProviderError) -> None:
        """Note that a look got no answer."""
        if self._looks.get(job_id) != self._known:
            return  # it began before this was known
        self._known += 1
        self._failures += 1
        self.since = self.since or self._clock.now()
        # What is said of a lost submission, or of nonsense, is said to one job and not to all.
        self.why = error.user_message if isinstance(error, Unavailable) else Unavailable.default_user_message
        self._retry_at = self._clock.monotonic() + until_next_probe(self._failures, self._rng)
        if self._failures == DOWN:
            context = {"action": "provider.down", "provider": self._service, "cause": str(error)}
            log.warning("provider is not answering", extra=context)

    def answered(self) -> bool:
        """Note an answer; True when the service had been down."""
        if not self._failures:
            return False
        was_down, since = self._failures >= DOWN, self.since
        self._failures, self.since, self.why = 0, None, ""
        self._known += 1
        if was_down and since is not None:
            away = round((self._clock.now() - since).total_seconds())
            context = {"action": "provider.up", "provider": self._service, "seconds": away}
            log.info("provider answers again", extra=context)
        return was_down


class Breakers:
    """The breakers of all services, by provider."""

    def __init__(
        self,
        *,
        store: JobStore,
        providers: Mapping[str, Provider],
        clock: Clock,
        process: ProcessId,
        rng: random.Random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._process = process
        self._providers = providers
        self._breakers = {service: Breaker(service, clock, rng) for service in sorted(map(_service, providers))}

    @property
    def down(self) -> frozenset[str]:
        """The services known not to answer."""
        return frozenset(service for service, breaker in self._breakers.items() if breaker.down)

    def of(self, provider: str) -> Breaker:
        """The breaker of a provider's service."""
        return self._breakers[_service(provider)]

    def silent(self, job: Job, error: ProviderError) -> None:
        """Note that a look at this job got no answer."""
        self.of(job.provider).silent(job.id, error)

    async def learn(self, job: Job, error: ProviderError) -> None:
        """Note what an error that a look at this job met tells of the service: silence, an answer, or nothing."""
        match error:
            case Unavailable() | SubmissionUncertain():
                self.silent(job, error)
            case ProtocolError():
                if self.of(job.provider).is_probe(job.id):
                    self.silent(job, error)
            case Busy(asked=False) | Paused(asked=False):
                pass
            case _:
                await self.answered(job.provider)

    async def answered(self, provider: str) -> None:
        """Note an answer; jobs that waited for the service are due at once."""
        if self.of(provider).answered():
            theirs = [name for name in self._providers if _service(name) == _service(provider)]
            try:
                await self._store.resume(self._process, providers=theirs, now=self._clock.now())
            except StoreError as error:  # they come by by themselves, a little later
                context = {"action": "provider.untold", "provider": provider, "cause": str(error)}
                log.warning("nobody was told", extra=context)

    async def sign_of_life(self, provider: str) -> None:
        """Ask the service for one, where one of its providers can. Raises `ProviderError`."""
        for name, one in self._providers.items():
            if _service(name) == _service(provider) and isinstance(one, GivesSigns):
                await one.probe()
                return


def _service(provider: str) -> str:
    return provider.partition("-")[0]
