"""Job → message, pure: values in, values out; no clock, no network, no Discord library."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.jobs import Job, is_alchemy, is_engine, is_image, is_text
from bot.domain.sources import SourceFacts
from bot.render.alchemy import render_alchemy, render_alchemy_details, source_notes
from bot.render.details import render_image_details
from bot.render.engines import render_engine, render_engine_details
from bot.render.help import render_error, render_help
from bot.render.messages import Control, ControlStyle, Field, FileRef, RenderedEmbed, RenderedMessage
from bot.render.models import model_choice
from bot.render.progress import render_progress
from bot.render.results import render_result
from bot.render.text import Room, render_text
from bot.render.text_details import render_text_details

__all__ = [
    "Control",
    "ControlStyle",
    "Field",
    "FileRef",
    "RenderedEmbed",
    "RenderedMessage",
    "Room",
    "model_choice",
    "render_details",
    "render_error",
    "render_help",
    "render_job",
]


def render_details(job: Job) -> RenderedMessage:
    """Tell everything there is to know of a job, to whoever asks."""
    if is_image(job):
        return render_image_details(job)
    if is_alchemy(job):
        return render_alchemy_details(job)
    if is_text(job):
        return render_text_details(job)
    if is_engine(job):
        return render_engine_details(job)
    raise NotImplementedError(job.request.kind)


def render_job(
    job: Job,
    now: datetime,
    *,
    can_collect: bool = False,
    notes: Sequence[str] = (),
    facts: SourceFacts | None = None,
    room: Room | None = None,
    engines: bool = False,
) -> RenderedMessage:
    """Show the job as it is: under way, or with its result.

    `can_collect` adds 📬 Collect where delivery knows that the reply may stay behind; replies that only the interaction
    token reaches have it while they run anyway. `notes` are delivery's remarks on the files of a result, `facts` what
    the source turned out to be, `room` what may be sent there, `engines` whether those of OSAIS are offered.
    """
    if is_image(job):
        if job.result is None:
            return render_progress(job, now, can_collect=can_collect)
        told = (*source_notes(facts), *notes)
        return render_result(job, job.result, can_collect=can_collect, notes=told, engines=engines)
    if is_alchemy(job):
        return render_alchemy(job, now, can_collect=can_collect, notes=notes, facts=facts)
    if is_text(job):
        return render_text(job, now, can_collect=can_collect, notes=notes, room=room)
    if is_engine(job):
        return render_engine(job, now, can_collect=can_collect, notes=notes, facts=facts)
    raise NotImplementedError(job.request.kind)
