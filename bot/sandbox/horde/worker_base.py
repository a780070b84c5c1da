"""What workers of all sorts have in common: painters, scribes, and alchemists."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class WorkerBase:
    """Somebody who takes work from the horde."""

    id: str
    name: str
    trusted: bool = True
    online: bool = True
    #: Online, and takes nothing.
    paused: bool = False
    #: A look at the queue is planned already.
    about_to_pop: bool = False
    fulfilled: int = 0
    uncompleted: int = 0
    earned: float = 0.0


@dataclass(slots=True, kw_only=True)
class QueueWorker(WorkerBase):
    """One that serves models, and does so many jobs at once as it has threads."""

    models: list[str]
    threads: int = 1
    busy: int = 0

    @property
    def has_a_free_thread(self) -> bool:
        """Whether it could take one more job."""
        return self.busy < self.threads

    @property
    def free(self) -> bool:
        """Whether it takes jobs at the moment."""
        return self.online and not self.paused and self.has_a_free_thread

    def leave(self) -> None:
        """Be done with a job, however it ended."""
        self.busy = max(0, self.busy - 1)
