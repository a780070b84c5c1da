"""Image requests in the queue and the jobs they are split into."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random

from bot.sandbox.horde.orders import ImageOrder
from bot.sandbox.horde.waiting import JobState, WaitingPrompt
from bot.sandbox.horde.workers import Worker

_SEED_CEILING = 2**32


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
class Request(WaitingPrompt[ImageOrder, Job]):
    """One accepted `POST /generate/async`."""

    first_seed: int | None
    factor: int

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
