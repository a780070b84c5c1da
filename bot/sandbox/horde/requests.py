"""Requests in the queue and the jobs they are split into, with the server's odd ideas of `done` and `faulted`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import Any

from bot.sandbox.horde.orders import ImageOrder
from bot.sandbox.horde.people import SharedKey, User
from bot.sandbox.horde.workers import Worker

#: So many faulted jobs and the sweep gives a request up.
FAULT_LIMIT = 3
_SEED_CEILING = 2**32


class JobState(StrEnum):
    """Where one job is. There is no waiting state: a waiting job is only a number on its request."""

    PROCESSING = "processing"
    DELIVERED = "delivered"
    FAULTED = "faulted"


class Censorship(StrEnum):
    """Why a picture was replaced by a placeholder."""

    NSFW = "nsfw"
    CSAM = "csam"


@dataclass(slots=True, kw_only=True)
class Picture:
    """The bytes of one job's result: painted beside the clock, so they may be ready later than the job is delivered."""

    name: str
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    data: bytes = b""
    sha256: str = ""
    uploaded: datetime | None = None
    missing: bool = False
    dead_signatures: set[str] = field(default_factory=set)

    def fill(self, data: bytes) -> None:
        """Take the painted bytes and let those who wait for them go on."""
        self.data = data
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.ready.set()


@dataclass(slots=True, kw_only=True)
class Job:
    """One image at (or from) one worker."""

    id: str
    worker: Worker
    model: str
    seed: int
    started: float
    expected: float
    deadline: float
    picture: Picture
    state: JobState = JobState.PROCESSING
    censorship: Censorship | None = None
    metadata: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Request:
    """One accepted `POST /generate/async`; times are seconds of the clock's `monotonic()`."""

    id: str
    user: User
    order: ImageOrder
    created: float
    expires: float
    first_seed: int | None
    factor: int
    payload: Mapping[str, Any] = field(default_factory=dict)
    client_agent: str = ""
    shared_key: SharedKey | None = None
    stranger: bool = False
    priority: float = 0.0
    waiting: int = 0
    expected_jobs: int = 0
    jobs: list[Job] = field(default_factory=list)
    faulted: bool = False
    cancelled: bool = False
    kudos: float = 0.0
    held: float = 0.0
    verdict: tuple[float, bool] | None = None

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

    def fault(self, job: Job) -> None:
        """Count a failed job; it goes back to the queue only while (delivered + faulted before) < n."""
        back = self.finished + self.restarted < self.order.n and not self.cancelled
        job.state = JobState.FAULTED
        if back:
            self.waiting += 1

    def cancel(self) -> None:
        """Drop what waits; jobs in flight go on and will be delivered and charged."""
        self.cancelled = True
        self.waiting = 0
        self.expected_jobs = self.finished + self.restarted + self.processing

    def seed_of_pop(self, taken: int, rng: Random) -> int:
        """The seed of a pop that brings the jobs handed out to `taken`: the one asked for plus variation times that.

        Without a seed every pop draws its own.
        """
        if self.first_seed is None:
            return rng.getrandbits(32)
        return fold_seed(self.first_seed + self.order.seed_variation * taken)

    def charge(self, amount: float) -> None:
        """Charge whoever pays and release as much of the hold."""
        self.kudos += amount
        release = min(self.held, amount)
        self.held -= release
        self.user.held -= release
        (self.shared_key or self.user).charge(amount)

    def release_hold(self) -> None:
        """Give back what was reserved and not used."""
        self.user.held -= self.held
        self.held = 0.0


def fold_seed(number: int) -> int:
    """Shift a number down until it fits 32 bits."""
    while number >= _SEED_CEILING:
        number >>= 32
    return number


def seed_number(text: str) -> int:
    """Digits are used as a number, any other text is hashed to one."""
    if text.isascii() and text.isdigit():
        return fold_seed(int(text))
    return fold_seed(int(hashlib.sha256(text.encode()).hexdigest(), 16))
