"""Everything known about a job that works on a picture, for whoever presses ℹ Details; and its tags as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bot.domain.alchemy import Form
from bot.domain.jobs import AlchemyJob
from bot.domain.sources import SPOILER
from bot.render import form_values, phrases
from bot.render.alchemy._lines import cost, form_state
from bot.render.escaping import code_span, fit, inline
from bot.render.forms import name_of
from bot.render.messages import Colour, Field, RenderedEmbed, RenderedMessage
from bot.render.times import at_second, duration

FORMS_VALUE, IDS_VALUE = 1000, 300
SHOWN_FILE = 100
#: A file of tags larger than this is not sent, in characters.
MAX_TAGS_FILE = 1_000_000


def render_alchemy_details(job: AlchemyJob) -> RenderedMessage:
    """Show the source, each form with its worker, the times, the cost, and the ids."""
    embed = RenderedEmbed(title="Details", description=_source(job), colour=Colour.GREY, fields=tuple(_fields(job)))
    return RenderedMessage(embed=embed, job_id=job.id)


def tags_file(job: AlchemyJob) -> bytes | None:
    """All that was told of tags, as JSON to keep; None when nothing was."""
    for artifact in job.forms:
        if artifact.form is Form.TAGS and artifact.usable and form_values.tags_of(artifact):
            text = json.dumps(form_values.value_of(artifact), ensure_ascii=False, indent=2)[:MAX_TAGS_FILE]
            return text.encode("utf-8", "replace")
    return None


def _source(job: AlchemyJob) -> str:
    source = job.request.source
    size = phrases.size(source.width, source.height) if source.width and source.height else ""
    name = inline(source.filename.removeprefix(SPOILER) or "a picture", SHOWN_FILE)
    return " · ".join(filter(None, (f"of **{name}**", size)))


def _fields(job: AlchemyJob) -> Iterator[Field]:
    yield Field(name="Forms", value=fit(_forms(job), FORMS_VALUE), inline=False)
    yield Field(name="Times", value="\n".join(_times(job)))
    yield Field(name="Cost", value=cost(job))
    yield Field(name="Ids", value=fit(_ids(job), IDS_VALUE))


def _forms(job: AlchemyJob) -> Iterator[str]:
    came = {artifact.form: artifact for artifact in job.forms}
    for form in job.request.forms:
        artifact = came.get(form)
        facts = [f"{name_of(form)} ({code_span(form.value, 40)})", form_state(job, form).value]
        if artifact is not None and artifact.worker:
            facts.append(f"by {inline(artifact.worker, phrases.SHOWN_NAME)}")
        if artifact is not None and artifact.width:
            facts.append(phrases.size(artifact.width, artifact.height))
        yield " · ".join(facts)


def _times(job: AlchemyJob) -> Iterator[str]:
    yield f"Asked {at_second(job.created_at)}"
    if job.submitted_at and job.started_at:
        yield f"In the queue {duration(job.started_at - job.submitted_at)}"
    if job.started_at and job.ended_at:
        yield f"Working {duration(job.ended_at - job.started_at)}"
    if job.ended_at:
        yield f"In all {duration(job.ended_at - job.created_at)}"


def _ids(job: AlchemyJob) -> Iterator[str]:
    yield f"job {code_span(job.id, 60)}"
    if job.remote_id:
        yield f"{inline(job.provider, 20)} {code_span(job.remote_id, 60)}"
    if job.parent_id:
        yield f"after {code_span(job.parent_id, 60)}"
