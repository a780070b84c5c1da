"""Everything there is to know of a question and its answer, for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.jobs import TextJob
from bot.render import phrases
from bot.render.escaping import code_block, code_span, fit, inline
from bot.render.messages import MAX_FIELD_VALUE, Colour, Field, RenderedEmbed, RenderedMessage
from bot.render.times import at_second, duration, kudos

SHOWN_THOUGHT = 1500


def render_text_details(job: TextJob) -> RenderedMessage:
    """Tell model, template, limits, times, and what the model thought before it answered."""
    answer = job.answer
    thought = code_block(answer.thought, SHOWN_THOUGHT) if answer is not None and answer.thought else ""
    description = f"The model thought:\n{thought}" if thought else ""
    embed = RenderedEmbed(title="Details", description=description, colour=Colour.GREY, fields=tuple(_fields(job)))
    return RenderedMessage(embed=embed)


def _fields(job: TextJob) -> Iterator[Field]:
    request, answer = job.request, job.answer
    yield Field(name="Model", value=fit((inline(name, 80) for name in request.models), MAX_FIELD_VALUE))
    yield Field(name="Template · persona", value=f"{inline(request.template, 40)} · {inline(request.persona, 40)}")
    yield Field(name="Length · context", value=f"{request.max_length} · {request.context} tokens")
    yield Field(name="Remembered", value=f"{len(request.turns)} turns, {request.dropped_turns} left out")
    drawn = request.sampling
    yield Field(name="Temperature · top p · min p", value=f"{drawn.temperature:g} · {drawn.top_p:g} · {drawn.min_p:g}")
    if answer is not None:
        yield Field(name="Worker", value=inline(answer.worker, phrases.SHOWN_NAME))
        yield Field(name="Tokens", value=f"about {answer.tokens}")
        if answer.kudos is not None:
            yield Field(name="Cost", value=kudos(answer.kudos))
    yield Field(name="Asked", value=at_second(job.created_at))
    if job.ended_at is not None:
        yield Field(name="Time", value=duration(job.ended_at - job.created_at))
    ids = [f"job {code_span(job.id, 60)}", *([f"remote {code_span(job.remote_id, 60)}"] if job.remote_id else [])]
    yield Field(name="Ids", value="\n".join(ids))
