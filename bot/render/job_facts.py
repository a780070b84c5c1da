"""What ℹ Details tells of any kind of job: how long things took, and its ids."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.jobs import Job
from bot.render.escaping import code_span, fit, inline
from bot.render.messages import Field
from bot.render.times import at_second, duration

IDS_VALUE = 300
SHOWN_ID = 60


def times_field(job: Job, *, waiting: str, working: str = "") -> Field:
    """Tell when it was asked for and how long it took; `waiting` and `working` name the parts of that.

    Without a word for it, the time in work is not told.
    """
    return Field(name="Times", value="\n".join(_times(job, waiting, working)))


def ids_field(job: Job) -> Field:
    """Name it: here, at its service, and what it was made from."""
    return Field(name="Ids", value=fit(_ids(job), IDS_VALUE))


def _times(job: Job, waiting: str, working: str) -> Iterator[str]:
    yield f"Asked {at_second(job.created_at)}"
    if job.submitted_at and job.started_at:
        yield f"{waiting} {duration(job.started_at - job.submitted_at)}"
    if working and job.started_at and job.ended_at:
        yield f"{working} {duration(job.ended_at - job.started_at)}"
    if job.ended_at:
        yield f"In all {duration(job.ended_at - job.created_at)}"


def _ids(job: Job) -> Iterator[str]:
    yield f"job {code_span(job.id, SHOWN_ID)}"
    if job.remote_id:
        yield f"{inline(job.provider, 20)} {code_span(job.remote_id, SHOWN_ID)}"
    if job.parent_id:
        yield f"after {code_span(job.parent_id, SHOWN_ID)}"
