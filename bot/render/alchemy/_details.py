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
from bot.render.job_facts import ids_field, times_field
from bot.render.messages import Colour, Field, RenderedEmbed, RenderedMessage

FORMS_VALUE = 1000
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
    yield times_field(job, waiting="In the queue", working="Working")
    yield Field(name="Cost", value=cost(job))
    yield ids_field(job)


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
