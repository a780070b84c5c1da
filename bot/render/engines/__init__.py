"""A run of an engine as a message: the service's own stages while it works, then every file and what became of it.

What an engine says goes through escaping, like all that comes from outside.

    _words     what all of them say alike
    _working   the stages
    _ended     how it ended, and the files
    _details   all there is to know, for ℹ Details
    _listed    the engines there are
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.engines import EngineArtifact, Medium
from bot.domain.jobs import EngineJob
from bot.domain.sources import SourceFacts
from bot.render import phrases
from bot.render.engines._details import render_engine_details
from bot.render.engines._ended import ended
from bot.render.engines._listed import engine_choice, painter_choice, render_engines
from bot.render.engines._words import EMOJI
from bot.render.engines._working import under_way
from bot.render.messages import MAX_FILES, Control, FileRef, RenderedMessage
from bot.render.picture_controls import WORKED_ON, more_with, upscaling
from bot.render.progress import running_controls

__all__ = ["EMOJI", "engine_choice", "painter_choice", "render_engine", "render_engine_details", "render_engines"]


def render_engine(
    job: EngineJob,
    now: datetime,  # noqa: ARG001 - what every kind of job is given; nothing here depends on it
    *,
    can_collect: bool = False,
    notes: Sequence[str] = (),
    facts: SourceFacts | None = None,
) -> RenderedMessage:
    """Show a run: under way, or with what came of it. `notes` are delivery's remarks on its files."""
    files = tuple(FileRef(name=job.file_name(file), index=file.index) for file in job.files if file.has_file)
    if job.result is None:
        embed = under_way(job)
        controls = running_controls(job, can_collect=can_collect)
        return RenderedMessage(embed=embed, files=files[:MAX_FILES], controls=(controls,), job_id=job.id)
    return RenderedMessage(
        embed=ended(job, job.result, notes, facts),
        files=files[:MAX_FILES],
        more_files=files[MAX_FILES:],
        controls=tuple(filter(None, (upscaling(_on_offer(job)), _controls(job, can_collect=can_collect)))),
        menu=more_with(_on_offer(job), engines=True),
        job_id=job.id,
    )


def _on_offer(job: EngineJob) -> tuple[EngineArtifact, ...]:
    """The pictures that can be worked on from here; sounds and films cannot."""
    return tuple(file for file in job.files if file.has_file and file.medium is Medium.IMAGE)[:WORKED_ON]


def _controls(job: EngineJob, *, can_collect: bool) -> tuple[Control, ...]:
    again = replace(phrases.AGAIN if job.usable else phrases.TRY_AGAIN, verb="rerun")
    edit = (replace(phrases.EDIT, verb="tune"),) if job.request.prompt or job.request.settings else ()
    return phrases.ended_controls(job, again, *edit, can_collect=can_collect)
