"""The description: whose picture, how far it is, one line for each form, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from bot.domain.alchemy import FEE, TILE, Form, FormArtifact, FormState, price_of
from bot.domain.jobs import AlchemyJob
from bot.domain.results import Outcome, Result
from bot.domain.sources import SPOILER
from bot.render import phrases
from bot.render.alchemy._told import told_on_line
from bot.render.escaping import inline, sentence
from bot.render.forms import name_of
from bot.render.progress import hold_line, impossible
from bot.render.progress_bar import stages, stages_bar
from bot.render.times import kudos, relative

MAX_SENTENCE, MAX_NOTE = 500, 160

_WAITING, _DONE, _FAILED, _LEFT_OUT = "⏳", "✔", "✖", "➖"


def header(job: AlchemyJob) -> str:
    """Name the picture, its size, and who asked."""
    source = job.request.source
    facts = (
        f"⚗️ **{inline(source.filename.removeprefix(SPOILER) or 'a picture', phrases.SHOWN_NAME)}**",
        phrases.size(source.width, source.height) if source.width and source.height else "",
        phrases.asker(job),
    )
    return " · ".join(filter(None, facts))


def under_way(job: AlchemyJob, now: datetime) -> Iterator[str]:
    """Tell how far it is, and what is in its way."""
    landed, asked = _landed(job), job.request.parts
    yield stages(job, f"Working {landed}/{asked}")
    yield " · ".join(filter(None, (stages_bar(job, landed, asked), _estimate(job))))
    yield from _lines(job)
    if job.cancel_requested:
        yield "🛑 Stopping… What is being worked on may still arrive."
    if job.hold:
        yield hold_line(job)
    if job.progress and not job.cancel_requested and impossible(job.progress, now):
        yield "⚠ Nobody online does this kind of work at the moment: wait for somebody to come, or press **Cancel**."
    if job.progress and job.progress.note:
        yield f"ℹ {sentence(job.progress.note, MAX_NOTE)}"


def ended(job: AlchemyJob, result: Result) -> Iterator[str]:
    """Tell what became of each form, and of the whole."""
    yield from _lines(job)
    yield ""
    yield headline(job, result)
    yield from phrases.reference(result)


def headline(job: AlchemyJob, result: Result) -> str:
    """Say in one or two sentences how it ended and what to do next."""
    came, asked = len(job.usable), job.request.parts
    counted = f"**{came} of {asked}** came. " if 0 < came < asked else ""
    if result.message:
        return f"{counted}{sentence(result.message, MAX_SENTENCE)}"
    match result.outcome:
        case Outcome.FINISHED:
            return "✅ Done."
        case Outcome.PARTIAL:
            if result.code == "gone":
                return f"{counted}The AI Horde let go of the rest before it was finished; press **Again** to ask anew."
            return f"{counted}The workers gave up on the rest; press **Again** to ask anew."
        case Outcome.CENSORED:
            return "There is nothing to show: what came was withheld by a safety filter."
        case Outcome.FAILED:
            return "The workers gave up on this one. **Try again**, perhaps with a smaller or another file."
        case Outcome.CANCELLED:
            if result.code == "stopped-remotely":
                return phrases.STOPPED_REMOTELY
            return (
                f"{counted}Cancelled; what was done by then is kept." if came else "Cancelled before anything was done."
            )
        case Outcome.EXPIRED:
            return (
                "The AI Horde let go of this before anybody took it; requests live about 20 minutes there, and few "
                "workers do this kind of work. **Try again** later."
            )
        case Outcome.REJECTED:
            return "The AI Horde can't take this as asked. Please try another picture, or ask for something else."
        case _:
            assert_never(result.outcome)


# -- each form --------------------------------------------------------------------------------------------------------


def form_state(job: AlchemyJob, form: Form) -> FormState:
    """How far one form is, whoever knows most: what came, what the provider says, how the job ended."""
    for artifact in job.forms:
        if artifact.form is form:
            return artifact.state
    told = {part.name: part.state for part in job.progress.parts} if job.progress else {}
    state = next((state for state in FormState if state == told.get(form.value)), FormState.WAITING)
    if job.result is None or state in {FormState.FAULTED, FormState.CANCELLED}:
        return state
    return FormState.CANCELLED if job.result.outcome is Outcome.CANCELLED else FormState.FAULTED


def _lines(job: AlchemyJob) -> Iterator[str]:
    came = {artifact.form: artifact for artifact in job.forms}
    for form in job.request.forms:
        mark, note = _line(job, form, came.get(form))
        yield f"{mark} {name_of(form)}{f' · {note}' if note else ''}"
    for form in job.request.left_out:
        yield f"{_LEFT_OUT} {name_of(form)} · left out: nobody online does this at the moment"


def _line(job: AlchemyJob, form: Form, artifact: FormArtifact | None) -> tuple[str, str]:
    if artifact is not None and artifact.usable:
        return _DONE, told_on_line(job, artifact)
    if artifact is not None and artifact.censored is not None:
        return _FAILED, "withheld by a safety filter"
    match form_state(job, form):
        case FormState.WAITING:
            return _WAITING, ""
        case FormState.PROCESSING:
            return _WAITING, "a worker is at it"
        case FormState.DONE:
            return (_WAITING, "fetching it") if artifact is None else (_FAILED, "made, but of no use: see Notes")
        case FormState.FAULTED:
            return _FAILED, "not done" if _let_go(job) else "the workers gave up on it"
        case FormState.CANCELLED:
            return _FAILED, "cancelled"


def _let_go(job: AlchemyJob) -> bool:
    """Whether it is not the workers who failed."""
    return job.result is not None and (
        job.result.outcome in {Outcome.EXPIRED, Outcome.REJECTED} or bool(job.result.message)
    )


# -- stage, estimate, cost --------------------------------------------------------------------------------------------


def _landed(job: AlchemyJob) -> int:
    return min(job.request.parts, max(len(job.forms), job.progress.finished if job.progress else 0))


def _estimate(job: AlchemyJob) -> str:
    ends_at = job.progress.ends_at if job.progress and not job.cancel_requested else None
    expected = f"expected {relative(ends_at)}" if ends_at else ""
    return " · ".join(filter(None, (expected, cost(job))))


def cost(job: AlchemyJob) -> str:
    """Write what it costs: what was consumed, else what the provider said, else our own sum."""
    if job.progress is not None and job.progress.kudos is not None:
        return kudos(job.progress.kudos)
    charged = [form for form in job.request.forms if _charged(job, form)]
    if job.cost is not None and len(charged) == job.request.parts:
        return f"≈ {kudos(job.cost)}"
    source = job.request.source
    sides = (source.width or TILE, source.height or TILE)
    return f"≈ {kudos(price_of(charged, *sides) + FEE * len(charged))}"


def _charged(job: AlchemyJob, form: Form) -> bool:
    """Whether the Horde takes kudos for it: for what was made, and for what was stopped at a worker (server 5.1.5).

    Whether a stopped form was at a worker is not told, so once anything was, each may have been.
    """
    if job.result is None:
        return True
    state = form_state(job, form)
    return state.done or (state is FormState.CANCELLED and job.started_at is not None)
