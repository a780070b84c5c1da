"""A run that is under way: the service's own stages."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.engines import Step
from bot.domain.jobs import EngineJob
from bot.domain.stages import Stage
from bot.render import phrases
from bot.render.engines._words import SERVICE, SHOWN_SAID, files, title
from bot.render.escaping import inline
from bot.render.messages import Colour, RenderedEmbed
from bot.render.progress import hold_line
from bot.render.progress_bar import BAR, bar, stepper

#: A run's steps as people see them, in order; the one in work names its file.
_STEPS = (
    (Step.SENT, "Sent"),
    (Step.RECEIVED, "Received"),
    (Step.STARTED, "Started"),
    (Step.WORKING, "Working"),
    (Step.STOPPED, "Stopped"),
)
_RANK = {Step.SENT: 0, Step.RECEIVED: 1, Step.STARTED: 2, Step.WORKING: 3, Step.FILE_DONE: 3}


def under_way(job: EngineJob) -> RenderedEmbed:
    """Tell how far it is, and what is in its way."""
    troubles = tuple(_troubles(job))
    lines = (
        title(job),
        _steps(job),
        " · ".join(filter(None, (_bar(job), _doing(job)))),
        " · ".join(filter(None, (SERVICE, phrases.asker(job)))),
        *troubles,
    )
    colour = Colour.AMBER if troubles else Colour.BLUE
    return RenderedEmbed(description="\n".join(filter(None, lines)), colour=colour)


def _step(job: EngineJob) -> Step | None:
    return Step(job.progress.step) if job.progress and job.progress.step else None


def _reached(job: EngineJob) -> int:
    """How many of the steps were reached, less one; -1 before it was sent."""
    if job.stage in {Stage.QUEUED, Stage.SUBMITTING}:
        return -1
    return _RANK.get(_step(job) or Step.SENT, len(_STEPS) - 1)


def _steps(job: EngineJob) -> str:
    reached, shown = _reached(job), []
    for place, (step, name) in enumerate(_STEPS):
        told = _working(job) if step is Step.WORKING and place == reached else name
        if step is Step.STOPPED and _step(job) is Step.FAILED:
            told = "Stopped with an error"
        shown.append(told)
    return stepper(shown, reached)


def _working(job: EngineJob) -> str:
    """Which file is in work, or done."""
    count = _count(job)
    if _step(job) is Step.FILE_DONE:
        return f"File {max(1, count)} done"
    return f"Working on file {count + 1}"


def _count(job: EngineJob) -> int:
    return max(len(job.files), job.progress.finished if job.progress else 0)


def _bar(job: EngineJob) -> str:
    reached = _reached(job)
    filled = (1, 2, 3, 4, 5, BAR - 1)[reached + 1]
    if reached == len(_STEPS) - 2:
        filled += (BAR - 1 - filled) * min(_count(job), job.request.expected) // max(1, job.request.expected)
    return bar(filled)


def _doing(job: EngineJob) -> str:
    if job.stage in {Stage.QUEUED, Stage.SUBMITTING}:
        return "" if job.hold else f"on its way to {SERVICE}"
    count, step = _count(job), _step(job)
    arrived = f"{files(count)} here" if count else ""
    if step is Step.STOPPED and count < job.request.expected:
        arrived = f"{arrived}, waiting for the rest" if arrived else "waiting for its files"
    said = inline(job.progress.note, SHOWN_SAID) if job.progress and job.progress.note else ""
    return " · ".join(filter(None, (arrived, said)))


def _troubles(job: EngineJob) -> Iterator[str]:
    if job.cancel_requested:
        yield f"🛑 Stopping… {SERVICE} can't be told to stop; what it still makes isn't waited for."
    if job.hold:
        yield hold_line(job)
