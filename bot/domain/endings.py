"""How a job ended, judged by what came of it, never by the provider's word alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.engines import conclude_engine, unfetched
from bot.domain.jobs import Job, is_engine
from bot.domain.results import Artifact, Outcome, Result
from bot.domain.stages import Stage

UNFETCHED = "It was made, but what the worker made could not be fetched. Please try again."


def conclude(job: Job, *, gone: bool = False) -> Result:
    """Judge how a job ended by what came of it, never by the provider's word alone."""
    if is_engine(job):
        return conclude_engine(
            job.request,
            job.progress.step if job.progress else "",
            files=len(job.usable),
            unreadable=len(unfetched(job.files)),
            cancelled=job.cancel_requested,
            gone=gone,
        )
    usable, censored = len(job.usable), sum(1 for a in job.artifacts if a.censored)
    if usable >= job.request.parts:
        return Result(outcome=Outcome.FINISHED)
    if job.cancel_requested:
        return Result(outcome=Outcome.CANCELLED)
    left_there = job.progress is not None and job.progress.finished > len(job.artifacts)
    if usable:
        return Result(outcome=Outcome.PARTIAL, code="gone" if gone else "unfetched" if left_there else "")
    if censored:
        return Result(outcome=Outcome.CENSORED)
    flaws = [text.flaw for text in job.texts if text.flaw is not None]
    if flaws:
        return Result(outcome=Outcome.FAILED, code=flaws[-1].value)
    if gone:
        return Result(outcome=Outcome.EXPIRED)
    progress = job.progress
    if any(artifact.unreadable for artifact in job.artifacts) or (progress and progress.finished):
        return Result(outcome=Outcome.FAILED, code="unfetched", message=UNFETCHED)
    if progress and (progress.faulted or progress.restarted):
        return Result(outcome=Outcome.FAILED)
    return Result(outcome=Outcome.CANCELLED, code="stopped-remotely")


def extended(job: Job, *new: Artifact, now: datetime) -> Job:
    """Add what came after the end, and have the reply show it too; an unchanged job where nothing is new."""
    more = job.with_artifacts(*new)
    if not job.over or more is job:
        return job
    return replace(more, result=conclude(more), stage=Stage.DELIVERING, delivered_at=None, due_at=now, cadence=30.0)
