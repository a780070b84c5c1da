"""Everything known about a run, for whoever presses ℹ Details."""

from __future__ import annotations

from bot.domain.engines import EngineArtifact, unfetched
from bot.domain.jobs import EngineJob
from bot.render.engines._words import file_facts, settings
from bot.render.escaping import code_span, fit, inline
from bot.render.job_facts import ids_field, times_field
from bot.render.messages import MAX_FIELD_VALUE, Colour, Field, RenderedEmbed, RenderedMessage

SHOWN_FILE = 60


def render_engine_details(job: EngineJob) -> RenderedMessage:
    """Tell the settings, each file by its service's name, the times, and the ids."""
    fields = (
        Field(name="Engine", value=f"{inline(job.request.title, 80)} ({code_span(job.request.engine, 40)})"),
        Field(name="Settings", value=settings(job) or "none"),
        Field(name="Files", value=fit(map(_named, _told(job)), MAX_FIELD_VALUE) or "none", inline=False),
        times_field(job, waiting="Waiting"),
        ids_field(job),
    )
    prompt = f"> {inline(job.request.prompt, 1000)}" if job.request.prompt else ""
    return RenderedMessage(
        embed=RenderedEmbed(title="Details", description=prompt, colour=Colour.GREY, fields=fields), job_id=job.id
    )


def _told(job: EngineJob) -> list[EngineArtifact]:
    """The files that came, and those that were given up and never did."""
    lost = unfetched(job.files)
    return [file for file in job.files if file.usable or file in lost]


def _named(file: EngineArtifact) -> str:
    state = file_facts(file) if file.has_file else "could not be fetched"
    return f"**{file.index + 1}** {code_span(file.name or 'without a name', SHOWN_FILE)} · {state}"
