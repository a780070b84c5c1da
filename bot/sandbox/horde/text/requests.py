"""Text requests and their jobs, whose `done` is odder still than that of images.

A faulted job always goes back to the queue, so `done` (which counts faults as results) is true while it is at a worker
again and false while it waits. A DELETE takes the waiting jobs away and leaves the number expected as it was: where
jobs were waiting, `done` stays false for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.sandbox.horde.people import SharedKey, User
from bot.sandbox.horde.requests import Censorship, JobState
from bot.sandbox.horde.text.orders import TextOrder
from bot.sandbox.horde.text.scribes import Scribe


class TextState(StrEnum):
    """How a delivered text came out; `csam` and `censored` ones are empty."""

    OK = "ok"
    CENSORED = "censored"
    CSAM = "csam"

    @classmethod
    def of(cls, censorship: Censorship | None) -> TextState:
        """The state that tells of `censorship`."""
        if censorship is None:
            return cls.OK
        return cls.CSAM if censorship is Censorship.CSAM else cls.CENSORED


@dataclass(slots=True, kw_only=True)
class TextJob:
    """One text at (or from) one worker; `family` is the format its model wants, `understood` whether it got that."""

    id: str
    scribe: Scribe
    model: str
    family: str
    started: float
    deadline: float
    believed: float
    state: JobState = JobState.PROCESSING
    censorship: Censorship | None = None
    text: str = ""
    tokens: int = 0
    understood: bool = True
    cut: bool = False
    looks_like: str | None = None
    quirk: str = ""
    kudos: float = 0.0

    @property
    def metadata(self) -> list[dict[str, str]]:
        """Remarks for the status; only the worst kind of censorship leaves one."""
        csam = self.censorship is Censorship.CSAM
        return [{"type": "censorship", "value": "csam"}] if csam else []


@dataclass(slots=True, kw_only=True)
class TextRequest:
    """One accepted `POST /generate/text/async`; times are seconds of the clock's `monotonic()`."""

    id: str
    user: User
    order: TextOrder
    created: float
    expires: float
    payload: Mapping[str, Any] = field(default_factory=dict)
    client_agent: str = ""
    shared_key: SharedKey | None = None
    stranger: bool = False
    priority: float = 0.0
    waiting: int = 0
    expected_jobs: int = 0
    jobs: list[TextJob] = field(default_factory=list)
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
        """Jobs that faulted."""
        return self.count(JobState.FAULTED)

    @property
    def done(self) -> bool:
        """The server's `done`: flaps while jobs fault, and may never come after a DELETE."""
        return self.faulted or (self.waiting == 0 and self.finished + self.restarted >= self.expected_jobs)

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it, whatever `done` says."""
        return self.faulted or (self.waiting == 0 and self.processing == 0)

    @property
    def open(self) -> bool:
        """Whether a worker may still take a job of it."""
        return self.waiting > 0 and not self.faulted

    def fault(self, job: TextJob) -> None:
        """Count a failed job and put it back, unless the request was cancelled."""
        job.state = JobState.FAULTED
        if not self.cancelled:
            self.waiting += 1

    def cancel(self) -> None:
        """Drop what waits as a DELETE does; jobs in flight go on and will be delivered and charged."""
        self.cancelled = True
        self.waiting = 0

    def close(self) -> None:
        """Drop what waits as maintenance does: the request ends `done` with what there is."""
        self.cancel()
        self.expected_jobs = self.finished + self.restarted + self.processing

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
