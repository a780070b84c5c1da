"""Two honest stand-ins for unit tests of the services: a provider that does as told, and a wall that shows jobs.

They implement the real ports; whole-bot tests use the simulators instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

from bot.domain.jobs import Job, JobId
from bot.domain.progress import Progress
from bot.domain.stages import Stage
from bot.providers.base import Capabilities, Harvest, Submission
from tests.factories import make_artifact

T = TypeVar("T")


class ScriptedProvider:
    """Answers each verb with what was put on its queue, then with an ordinary success."""

    name = "horde"
    pushes = False

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.submits: deque[Submission | Exception] = deque()
        self.recoveries: deque[Submission | Exception | None] = deque()
        self.polls: deque[Progress | Exception] = deque()
        self.harvests: deque[Harvest | Exception] = deque()
        self.cancels: deque[Exception] = deque()

    async def turn(self) -> None:
        pass

    async def submit(self, job: Job, *, source: bytes | None = None) -> Submission:
        self.calls.append("submit")
        answer = self.submits.popleft() if self.submits else Submission(remote_id=f"remote-of-{job.id}", cost=10.0)
        return _or_raise(answer)

    async def recover(self, job: Job) -> Submission | None:
        self.calls.append("recover")
        answer = self.recoveries.popleft() if self.recoveries else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def poll(self, job: Job) -> Progress:
        self.calls.append("poll")
        over = Progress(stage=Stage.PROCESSING, finished=job.request.parts, over=True)
        return _or_raise(self.polls.popleft() if self.polls else over)

    async def fetch(self, job: Job) -> Harvest:
        self.calls.append("fetch")
        return _or_raise(self.harvests.popleft() if self.harvests else harvest_of(job, job.request.parts))

    async def cancel(self, job: Job) -> None:
        self.calls.append("cancel")
        if self.cancels:
            raise self.cancels.popleft()

    def describe(self) -> Capabilities:
        return Capabilities(models=(), live=True)


def harvest_of(job: Job, count: int) -> Harvest:
    """Everything of `job` up to `count` pictures that it does not have yet."""
    fresh = [make_artifact(i, remote_id=f"{job.id}-{i}") for i in range(len(job.artifacts), count)]
    return Harvest(artifacts=tuple(fresh), bytes_of={a.index: f"bytes of {a.remote_id}".encode() for a in fresh})


class Wall:
    """Keeps every state it was shown."""

    def __init__(self) -> None:
        self.states: dict[JobId, list[Job]] = {}
        self.on_show: Callable[[Job], None] = lambda job: None

    def show(self, job: Job) -> None:
        self.states.setdefault(job.id, []).append(job)
        self.on_show(job)

    def last(self, job_id: JobId) -> Job:
        return self.states[job_id][-1]


class NoSources:
    """Nobody handed anything in."""

    async def first(self, job: Job) -> bytes | None:
        return None


def _or_raise(answer: T | Exception) -> T:
    if isinstance(answer, Exception):
        raise answer
    return answer
