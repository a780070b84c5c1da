"""Text requests and their jobs, whose `done` is odder still than that of images.

A faulted job always goes back to the queue, so `done` (which counts faults as results) is true while it is at a worker
again and false while it waits. A DELETE takes the waiting jobs away and leaves the number expected as it was: where
jobs were waiting, `done` stays false for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.horde.requests import Censorship
from bot.sandbox.horde.text.orders import TextOrder
from bot.sandbox.horde.text.scribes import Scribe
from bot.sandbox.horde.waiting import JobState, WaitingPrompt


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
class TextRequest(WaitingPrompt[TextOrder, TextJob]):
    """One accepted `POST /generate/text/async`; `done` flaps while jobs fault, and may never come after a DELETE."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it, whatever `done` says."""
        return self.faulted or (self.waiting == 0 and self.processing == 0)

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
