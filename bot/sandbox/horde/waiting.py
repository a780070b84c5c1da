"""What requests for images and for texts have in common while they wait and are worked on.

The server has one class for both (`WaitingPrompt`), with odd ideas of `done` and `faulted`: a faulted job counts as a
result. Where the two differ (what a fault or a DELETE does), each says so itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from bot.sandbox.horde.people import SharedKey, User

#: A request lives so long.
REQUEST_SECONDS = 20 * 60.0
#: So many faulted jobs and the sweep gives a request up.
FAULT_LIMIT = 3
#: How long the answer to "can anybody do this?" is kept.
VERDICT_SECONDS = 60.0
#: For every so many seconds of waiting, a request counts as if its owner had so many kudos more.
_AGEING_KUDOS, _AGEING_SECONDS = 50.0, 10.0


class JobState(StrEnum):
    """Where one job is. There is no waiting state: a waiting job is only a number on its request."""

    PROCESSING = "processing"
    DELIVERED = "delivered"
    FAULTED = "faulted"


class Order(Protocol):
    """What was asked for, as far as the queue cares."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models it may be done with; empty for any."""
        ...


class HandedOut(Protocol):
    """A job that a worker has taken."""

    state: JobState


OrderT = TypeVar("OrderT", bound=Order)
JobT = TypeVar("JobT", bound=HandedOut)


@dataclass(slots=True, kw_only=True)
class WaitingPrompt(Generic[OrderT, JobT]):
    """One accepted request; times are seconds of the clock's `monotonic()`."""

    id: str
    user: User
    order: OrderT
    created: float
    #: Put off with each sign of life from a worker.
    expires: float = field(init=False)
    payload: Mapping[str, Any] = field(default_factory=dict)
    client_agent: str = ""
    shared_key: SharedKey | None = None
    stranger: bool = False
    priority: float = 0.0
    waiting: int = 0
    expected_jobs: int = field(init=False)
    jobs: list[JobT] = field(default_factory=list)
    faulted: bool = False
    cancelled: bool = False
    kudos: float = 0.0
    held: float = 0.0
    verdict: tuple[float, bool] | None = None

    def __post_init__(self) -> None:
        self.expires = self.created + REQUEST_SECONDS
        self.expected_jobs = self.waiting

    def count(self, state: JobState) -> int:
        """How many of the jobs handed out are in `state`."""
        return sum(job.state is state for job in self.jobs)

    @property
    def finished(self) -> int:
        """Jobs delivered, censored ones included."""
        return self.count(JobState.DELIVERED)

    @property
    def processing(self) -> int:
        """Jobs at a worker now."""
        return self.count(JobState.PROCESSING)

    @property
    def restarted(self) -> int:
        """Jobs that faulted, put back or not."""
        return self.count(JobState.FAULTED)

    @property
    def done(self) -> bool:
        """The server's `done`: it counts faulted jobs as results, so it is no success and at times too early."""
        return self.faulted or (self.waiting == 0 and self.finished + self.restarted >= self.expected_jobs)

    @property
    def open(self) -> bool:
        """Whether a worker may still take a job of it."""
        return self.waiting > 0 and not self.faulted

    def counters(self) -> dict[str, object]:
        """How far it is, as the API tells it."""
        return {
            "finished": self.finished,
            "processing": self.processing,
            "restarted": self.restarted,
            "waiting": self.waiting,
            "done": self.done,
            "faulted": self.faulted,
        }

    def possible(self, now: float, servable: Callable[[OrderT], bool]) -> bool:
        """Whether an online worker could serve it; the verdict is kept for 60 s, processing overrides it."""
        if self.verdict is None or now >= self.verdict[0] + VERDICT_SECONDS:
            self.verdict = (now, servable(self.order))
        return self.processing > 0 or self.verdict[1]

    def charge(self, amount: float) -> None:
        """Charge whoever pays and release as much of the hold."""
        self.kudos += amount
        release = min(self.held, amount)
        self.held -= release
        self.user.held -= release
        (self.shared_key or self.user).charge(amount)

    def give_up(self) -> None:
        """End it without success."""
        self.faulted = True
        self.release_hold()

    def release_hold(self) -> None:
        """Give back what was reserved and not used."""
        self.user.held -= self.held
        self.held = 0.0


def ageing(waited: float) -> float:
    """Kudos that a request gains by its age; `waited` is in seconds of the world's tempo, in which the workers work."""
    return _AGEING_KUDOS * (waited // _AGEING_SECONDS)


def waiting_of(requests: Iterable[WaitingPrompt[Any, Any]], user: User, models: Collection[str]) -> int:
    """Jobs of `user` that wait; for the shared anonymous account only those for the same models."""
    mine = [request for request in requests if request.user is user]
    if user.anonymous:
        mine = [request for request in mine if set(request.order.models) == set(models)]
    return sum(request.waiting for request in mine)
