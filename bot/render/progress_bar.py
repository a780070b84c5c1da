"""How far a job is, in two lines that any kind of job may show: its stages by name, and a bar."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from bot.domain.jobs import Job
from bot.domain.stages import Stage
from bot.render.times import relative

#: How many characters a bar has.
BAR = 8

_LAST = 3
_REACHED = MappingProxyType({Stage.QUEUED: 0, Stage.SUBMITTING: 0, Stage.WAITING: 1, Stage.PROCESSING: 2})


def stepper(names: Sequence[str], reached: int) -> str:
    """Write the steps in order; those up to the index `reached` are marked as reached (-1: none is)."""
    return " ─ ".join(f"{'◉' if step <= reached else '○'} {name}" for step, name in enumerate(names))


def stages(job: Job, doing: str) -> str:
    """Write the four stages of a job at the AI Horde; `doing` names the third, with how far that is."""
    position = job.progress.queue_position if job.progress and job.stage is Stage.WAITING else None
    return stepper(("Accepted", f"Queued #{position}" if position else "Queued", doing, "Done"), _reached(job))


def bar(filled: int) -> str:
    """Draw a bar of `BAR` characters."""
    return "▰" * filled + "▱" * (BAR - filled)


def stages_bar(job: Job, done: int, of: int) -> str:
    """Draw how far a job at the AI Horde is; while it is worked on, `done` of its `of` parts count too."""
    reached = _reached(job)
    filled = BAR if reached == _LAST else 1 + reached
    if job.stage is Stage.PROCESSING:
        filled += (BAR - filled) * done // of
    return bar(filled)


def arrival(job: Job) -> str:
    """Say when a job at the AI Horde is expected; empty when that is unknown, or it is being stopped."""
    if job.stage in {Stage.QUEUED, Stage.SUBMITTING}:
        return "" if job.hold else "on its way to the AI Horde"
    if job.progress is None or job.progress.ends_at is None or job.cancel_requested:
        return ""
    return f"expected {relative(job.progress.ends_at)}"


def _reached(job: Job) -> int:
    return _REACHED.get(job.stage, _LAST)
