"""Where requests stand in the one global queue, recomputed once a second as the server does."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.sandbox.horde.requests import Request
from bot.sandbox.horde.waiting import JobState, ageing
from bot.sandbox.horde.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A request's position (1 is next) and the megapixelsteps before and in it."""

    position: int
    work_ahead: float


_NOWHERE = Place(position=0, work_ahead=0.0)


def priority(request: Request, world: World) -> float:
    """Kudos of the owner plus 50 for every 10 s of waiting (in the world's tempo): higher is served first."""
    return request.priority + ageing((world.now - request.created) * world.speed)


def in_order(world: World) -> list[Request]:
    """All requests with something to take, the next one first."""
    waiting = [request for request in world.requests.values() if request.open]
    return sorted(waiting, key=lambda request: (-priority(request, world), request.created))


class Standing:
    """The queue as of the last full second: a request younger than that stands nowhere (position 0) yet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._second = -1.0
        self._places: dict[str, Place] = {}

    def place(self, request: Request) -> Place:
        """Where `request` stands; position 0 when nothing of it waits or it is too new."""
        self._refresh()
        return self._places.get(request.id, _NOWHERE) if request.open else _NOWHERE

    def wait_time(self, request: Request) -> int:
        """Seconds, rough: the queue ahead at the park's speed, plus the slowest running job's expectation."""
        if request.done:
            return 0
        speed = sum(worker.megapixelsteps for worker in self._world.park.online) * self._world.speed
        ahead = self.place(request).work_ahead / speed if speed else 0.0
        running = [
            job.started + job.expected - self._world.now for job in request.jobs if job.state is JobState.PROCESSING
        ]
        return max(0, round(ahead + max(running, default=0.0)))

    def _refresh(self) -> None:
        second = float(math.floor(self._world.now))
        if second == self._second:
            return
        self._second = second
        self._places = {}
        ahead = 0.0
        for position, request in enumerate(in_order(self._world), start=1):
            ahead += request.waiting * request.order.megapixelsteps
            if request.created < second:
                self._places[request.id] = Place(position=position, work_ahead=ahead)
