"""A job that works on a picture, as a message: one line for each form, what was told, and the files there are.

The same message from the first acknowledgement to the end: lines fill in as forms land. Everything that workers tell
goes through `form_values` (any type, any size) and through escaping.

    _lines      the description: who, how far, one line a form, how it ended
    _told       what a worker told: on the form's line, or in a field below
    _attached   files and buttons
    _details    all there is to know, for ℹ Details
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.jobs import AlchemyJob
from bot.domain.sources import SourceFacts
from bot.render import phrases
from bot.render.alchemy._attached import controls, files, words_to_paint
from bot.render.alchemy._details import render_alchemy_details, tags_file
from bot.render.alchemy._lines import MAX_NOTE, cost, ended, header, under_way
from bot.render.alchemy._told import told_below
from bot.render.escaping import fit, inline, sentence
from bot.render.messages import MAX_FILES, Colour, Field, RenderedEmbed, RenderedMessage
from bot.render.results import COLOURS
from bot.render.times import duration

__all__ = ["render_alchemy", "render_alchemy_details", "source_notes", "tags_file", "words_to_paint"]

#: With 23 lines above them and what was told beside them, the notes stay inside an embed.
NOTES_VALUE = 400


def render_alchemy(
    job: AlchemyJob,
    now: datetime,
    *,
    can_collect: bool = False,
    notes: Sequence[str] = (),
    facts: SourceFacts | None = None,
) -> RenderedMessage:
    """Show how far each form is and what came of it.

    `notes` are delivery's own remarks, `facts` what the source turned out to be.
    """
    job = _informed(job, facts)
    body = ended(job, job.result) if job.result is not None else under_way(job, now)
    attached = tuple(files(job))
    remarks = (*job.request.remarks, *source_notes(facts), *notes)
    embed = RenderedEmbed(
        description="\n".join((header(job), *body)),
        colour=_colour(job),
        fields=tuple(_fields(job, remarks, over=len(attached) - MAX_FILES)),
    )
    return RenderedMessage(
        embed=embed,
        files=attached[:MAX_FILES],
        more_files=attached[MAX_FILES:] if job.over else (),
        controls=controls(job, can_collect=can_collect),
        job_id=job.id,
    )


def source_notes(facts: SourceFacts | None) -> Iterator[str]:
    """Say what had to be done to the source before it could be sent."""
    if facts is None:
        return
    if facts.animated:
        yield "The picture moves; only its first frame was worked on."
    if facts.shrunk:
        given = phrases.size(facts.given_width, facts.given_height)
        yield f"It was too large ({given}), so {phrases.size(facts.width, facts.height)} of it went to the AI Horde."


def _informed(job: AlchemyJob, facts: SourceFacts | None) -> AlchemyJob:
    """The job with the size its source really has."""
    if facts is None:
        return job
    source = replace(job.request.source, width=facts.given_width, height=facts.given_height)
    return replace(job, request=replace(job.request, source=source))


def _colour(job: AlchemyJob) -> Colour:
    if job.result is not None:
        return COLOURS[job.result.outcome]
    return Colour.AMBER if job.hold or job.cancel_requested else Colour.BLUE


def _fields(job: AlchemyJob, notes: Sequence[str], *, over: int) -> Iterator[Field]:
    for artifact in job.forms:
        if artifact.usable:
            yield from told_below(job, artifact)
    if job.over and job.submitted_at is not None:
        yield Field(name="Cost", value=cost(job))
    if job.over and job.ended_at is not None:
        yield Field(name="Time", value=duration(job.ended_at - job.created_at))
    theirs = (note for artifact in job.forms for note in artifact.notes)
    remarks = [f"• {inline(note, MAX_NOTE)}" for note in dict.fromkeys(theirs)]
    remarks += [f"• {sentence(note, MAX_NOTE)}" for note in notes]
    if over > 0:
        more = f"{over} more {'file does' if over == 1 else 'files do'}"
        remarks.append(f"• {more} not fit into this message: look below it, or use `/jobs show`.")
    if remarks:
        yield Field(name="Notes", value=fit(remarks, NOTES_VALUE), inline=False)
