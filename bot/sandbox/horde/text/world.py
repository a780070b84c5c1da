"""The text side of the simulated world: workers, requests, what tests have arranged, and what was delivered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import cycle
from random import Random

from bot.clock import Clock
from bot.sandbox.horde.ids import new_uuid
from bot.sandbox.horde.plans import Plans
from bot.sandbox.horde.text.generator import Quirk
from bot.sandbox.horde.text.orders import TextOrder
from bot.sandbox.horde.text.requests import TextJob, TextRequest
from bot.sandbox.horde.text.scribes import Hall, default_hall
from bot.sandbox.horde.waiting import JobState, ageing

_USUAL_QUIRKS = (Quirk.NONE, Quirk.BLANK, Quirk.STOP_LEFT, Quirk.NONE, Quirk.NONE, Quirk.DEBRIS)


@dataclass(slots=True, kw_only=True)
class TextPlans(Plans):
    """Mishaps of texts."""

    quirks: deque[Quirk] = field(default_factory=deque)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelivery:
    """One delivered text, for the statistics."""

    at: float
    model: str
    tokens: int


class TextWorld:
    """The state behind the text API. It has its own random numbers, so that images stay as they were."""

    def __init__(self, clock: Clock, *, seed: int, tempo: Callable[[], float]) -> None:
        """Take the parts; `tempo` tells how much faster than the clock the world goes just now."""
        self._clock = clock
        self._tempo = tempo
        self.rng = Random(f"text {seed}")
        self.hall: Hall = default_hall(self.rng)
        self.requests: dict[str, TextRequest] = {}
        self.plans = TextPlans()
        self.deliveries: list[TextDelivery] = []
        self.background_length = 2
        self.crowd = 0
        self.impossible = False
        self.quirky = True
        self._quirks = cycle(_USUAL_QUIRKS)

    @property
    def now(self) -> float:
        """Seconds of the clock that never jump back."""
        return self._clock.monotonic()

    def new_id(self) -> str:
        """A UUID from the seeded generator."""
        return new_uuid(self.rng)

    def own_requests(self) -> list[TextRequest]:
        """Requests that came over the API, oldest first."""
        return [request for request in self.requests.values() if not request.stranger]

    def in_order(self) -> list[TextRequest]:
        """All requests with something to take, the next one first."""
        waiting = [request for request in self.requests.values() if request.open]
        return sorted(waiting, key=lambda one: (-self._priority(one), one.created))

    def _priority(self, request: TextRequest) -> float:
        return request.priority + ageing((self.now - request.created) * self._tempo())

    def waiting_texts(self) -> int:
        """How many jobs wait in the whole queue."""
        return sum(request.waiting for request in self.requests.values() if request.open)

    def is_possible(self, request: TextRequest) -> bool:
        """Whether an online worker could serve it; the verdict is kept for 60 s, processing overrides it."""
        return request.possible(self.now, self.servable)

    def servable(self, order: TextOrder) -> bool:
        """Whether an online worker could serve `order` now."""
        return not self.impossible and any(scribe.can_serve(order) for scribe in self.hall.scribes)

    def processing_jobs(self) -> Iterable[tuple[TextRequest, TextJob]]:
        """Every job at a worker."""
        for request in self.requests.values():
            for job in request.jobs:
                if job.state is JobState.PROCESSING:
                    yield request, job

    def next_quirk(self) -> Quirk:
        """The untidiness of the next answer: as arranged, else every third or so has one."""
        if self.plans.quirks:
            return self.plans.quirks.popleft()
        return next(self._quirks) if self.quirky else Quirk.NONE
