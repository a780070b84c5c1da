"""A job that works on a picture, as a message: one line for each form, what was told, and the files there are.

The same message from the first acknowledgement to the end: lines fill in as forms land. Everything that workers tell
goes through `form_values` (any type, any size) and through escaping.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import assert_never

from bot.domain.alchemy import FEE, TILE, Form, FormArtifact, FormState, price_of
from bot.domain.jobs import AlchemyJob
from bot.domain.results import Outcome, Result
from bot.domain.sources import SourceFacts
from bot.domain.stages import Stage
from bot.render import form_values, phrases
from bot.render.escaping import code_block, code_span, fit, inline, sentence
from bot.render.forms import name_of
from bot.render.messages import (
    MAX_FILES,
    Colour,
    Control,
    Drawn,
    Field,
    FileRef,
    RenderedEmbed,
    RenderedMessage,
)
from bot.render.progress import BAR, hold_line, impossible, running_controls
from bot.render.results import COLOURS
from bot.render.times import duration, kudos, relative

#: Room for values of fields: with 23 lines above them, their sum stays inside an embed.
CAPTION_VALUE, DESCRIPTION_VALUE, TAGS_VALUE, NOTES_VALUE = 500, 700, 800, 400
MAX_SENTENCE, MAX_NOTE, SHOWN_ODD = 500, 160, 60
SHOWN_TAG, SHOWN_GROUP = 40, 20
SHOWN_REFERENCE = 40

_WAITING, _DONE, _FAILED = "⏳", "✔", "✖"
_LAST = 3
_REACHED = MappingProxyType({Stage.QUEUED: 0, Stage.SUBMITTING: 0, Stage.WAITING: 1, Stage.PROCESSING: 2})


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
    notes = (*source_notes(facts), *notes)
    body = _ended(job, job.result) if job.result is not None else _under_way(job, now)
    lines = (_header(job), *body)
    files = tuple(_files(job))
    embed = RenderedEmbed(
        description="\n".join(lines),
        colour=_colour(job),
        fields=tuple(_fields(job, notes, over=len(files) - MAX_FILES)),
    )
    return RenderedMessage(
        embed=embed,
        files=files[:MAX_FILES],
        more_files=files[MAX_FILES:] if job.over else (),
        controls=_controls(job, can_collect=can_collect),
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


# -- the lines --------------------------------------------------------------------------------------------------------


def _header(job: AlchemyJob) -> str:
    source = job.request.source
    facts = (
        f"⚗️ **{inline(source.filename or 'a picture', phrases.SHOWN_NAME)}**",
        phrases.size(source.width, source.height) if source.width and source.height else "",
        phrases.asker(job),
    )
    return " · ".join(filter(None, facts))


def _under_way(job: AlchemyJob, now: datetime) -> Iterator[str]:
    yield _steps(job)
    yield " · ".join(filter(None, (_bar(job), _estimate(job))))
    yield from _lines(job)
    if job.cancel_requested:
        yield "🛑 Stopping… What is being worked on may still arrive."
    if job.hold:
        yield f"⚠ {hold_line(job)}"
    if job.progress and not job.cancel_requested and impossible(job.progress, now):
        yield "⚠ Nobody online does this kind of work at the moment: wait for somebody to come, or press **Cancel**."
    if job.progress and job.progress.note:
        yield f"ℹ {sentence(job.progress.note, MAX_NOTE)}"


def _ended(job: AlchemyJob, result: Result) -> Iterator[str]:
    yield from _lines(job)
    yield ""
    yield headline(job, result)
    if result.reference:
        yield f"Reference: {code_span(result.reference, SHOWN_REFERENCE)}"


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
                return "The AI Horde stopped this one, perhaps for maintenance. **Try again** in a few minutes."
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


def _lines(job: AlchemyJob) -> Iterator[str]:
    came = {artifact.form: artifact for artifact in job.forms}
    for form in job.request.forms:
        mark, note = _line(job, form, came.get(form))
        yield f"{mark} {name_of(form)}{f' · {note}' if note else ''}"


def _line(job: AlchemyJob, form: Form, artifact: FormArtifact | None) -> tuple[str, str]:
    if artifact is not None and artifact.usable:
        return _DONE, _told(job, artifact)
    if artifact is not None and artifact.censored is not None:
        return _FAILED, "withheld by a safety filter"
    match form_state(job, form):
        case FormState.WAITING:
            return _WAITING, ""
        case FormState.PROCESSING:
            return _WAITING, "a worker is at it"
        case FormState.DONE:
            return (_WAITING, "fetching it") if artifact is None else (_FAILED, "made, but could not be fetched")
        case FormState.FAULTED:
            return _FAILED, "not done" if _let_go(job) else "the workers gave up on it"
        case FormState.CANCELLED:
            return _FAILED, "cancelled"


def _let_go(job: AlchemyJob) -> bool:
    """Whether it is not the workers who failed."""
    return job.result is not None and (
        job.result.outcome in {Outcome.EXPIRED, Outcome.REJECTED} or bool(job.result.message)
    )


def _told(job: AlchemyJob, artifact: FormArtifact) -> str:
    """What fits on the form's own line: a size, a score, a badge; empty where a field below says it."""
    match artifact.form:
        case Form.CAPTION | Form.DESCRIBE:
            return "" if form_values.text_of(artifact) else _odd(artifact)
        case Form.TAGS:
            return "" if form_values.tags_of(artifact) else _odd(artifact)
        case Form.PALETTE:
            return "" if form_values.colours_of(artifact) else _odd(artifact)
        case Form.AESTHETIC:
            score = form_values.score_of(artifact)
            return f"**{score:.1f}/10**" if score is not None else _odd(artifact)
        case Form.NSFW:
            nsfw = form_values.nsfw_of(artifact)
            return _odd(artifact) if nsfw is None else "🔞 not safe for work" if nsfw else "🟢 looks safe for work"
        case Form.VECTORIZE:
            return "SVG file"
        case _:
            return _grown(job, artifact)


def _grown(job: AlchemyJob, artifact: FormArtifact) -> str:
    source = job.request.source
    after = phrases.size(artifact.width, artifact.height) if artifact.width else ""
    before = phrases.size(source.width, source.height) if source.width and source.height else ""
    return f"{before} → {after}" if before and after else after


def _odd(artifact: FormArtifact) -> str:
    """Show what cannot be understood as it is: better than nothing, and cut short."""
    return f"the worker told: {code_span(form_values.raw_of(artifact)[: 4 * SHOWN_ODD], SHOWN_ODD)}"


# -- stage and estimate -----------------------------------------------------------------------------------------------


def _landed(job: AlchemyJob) -> int:
    return min(job.request.parts, max(len(job.forms), job.progress.finished if job.progress else 0))


def _steps(job: AlchemyJob) -> str:
    reached = _REACHED.get(job.stage, _LAST)
    names = ("Accepted", "Queued", f"Working {_landed(job)}/{job.request.parts}", "Done")
    return " ─ ".join(f"{'◉' if step <= reached else '○'} {name}" for step, name in enumerate(names))


def _bar(job: AlchemyJob) -> str:
    reached = _REACHED.get(job.stage, _LAST)
    filled = BAR if reached == _LAST else 1 + reached
    if job.stage is Stage.PROCESSING:
        filled += (BAR - filled) * _landed(job) // job.request.parts
    return "▰" * filled + "▱" * (BAR - filled)


def _estimate(job: AlchemyJob) -> str:
    ends_at = job.progress.ends_at if job.progress and not job.cancel_requested else None
    expected = f"expected {relative(ends_at)}" if ends_at else ""
    return " · ".join(filter(None, (expected, cost(job))))


def cost(job: AlchemyJob) -> str:
    """Write what it costs: what was consumed, else what the provider said, else our own sum."""
    if job.progress is not None and job.progress.kudos is not None:
        return kudos(job.progress.kudos)
    source = job.request.source
    sides = (source.width or TILE, source.height or TILE)
    ours = price_of(job.request.forms, *sides) + FEE * job.request.parts
    return f"≈ {kudos(ours if job.cost is None else job.cost)}"


def _colour(job: AlchemyJob) -> Colour:
    if job.result is not None:
        return COLOURS[job.result.outcome]
    return Colour.AMBER if job.hold or job.cancel_requested else Colour.BLUE


# -- what was told ----------------------------------------------------------------------------------------------------


def _fields(job: AlchemyJob, notes: Sequence[str], *, over: int) -> Iterator[Field]:
    for artifact in job.forms:
        if artifact.usable:
            yield from _told_below(artifact)
    if job.over and job.submitted_at is not None:
        yield Field(name="Cost", value=cost(job))
    if job.over and job.ended_at is not None:
        yield Field(name="Time", value=duration(job.ended_at - job.created_at))
    theirs = (note for artifact in job.forms for note in artifact.notes)
    remarks = [f"• {inline(note, MAX_NOTE)}" for note in dict.fromkeys(theirs)]
    remarks += [f"• {sentence(note, MAX_NOTE)}" for note in notes]
    if over > 0:
        remarks.append(f"• {over} more {'file does' if over == 1 else 'files do'} not fit here: see the next message.")
    if remarks:
        yield Field(name="Notes", value=fit(remarks, NOTES_VALUE), inline=False)


def _told_below(artifact: FormArtifact) -> Iterator[Field]:
    name = name_of(artifact.form)
    match artifact.form:
        case Form.CAPTION | Form.DESCRIBE:
            limit = CAPTION_VALUE if artifact.form is Form.CAPTION else DESCRIPTION_VALUE
            if text := form_values.text_of(artifact):
                yield Field(name=name, value=code_block(text[: 4 * limit], limit), inline=False)
        case Form.TAGS:
            if groups := form_values.tags_of(artifact):
                yield Field(name=name, value=fit(map(_group, groups.items()), TAGS_VALUE), inline=False)
        case Form.PALETTE:
            if colours := form_values.colours_of(artifact):
                yield Field(name=name, value=" ".join(f"`{colour}`" for colour in colours), inline=False)
        case _:
            pass


def _group(group: tuple[str, Sequence[tuple[str, float | None]]]) -> str:
    name, tags = group
    listed = ", ".join(f"{inline(text[: 4 * SHOWN_TAG], SHOWN_TAG)}{_percent(sure)}" for text, sure in tags)
    return f"**{inline(name[: 4 * SHOWN_GROUP], SHOWN_GROUP)}** {listed}"


def _percent(sure: float | None) -> str:
    if sure is None:
        return ""
    return f" {min(max(sure, 0.0), 100.0):.0f} %"


# -- files and buttons ------------------------------------------------------------------------------------------------


def _files(job: AlchemyJob) -> Iterator[FileRef]:
    """List everything to attach, in order of arrival, so that what hangs there already stays where it is."""
    for artifact in job.forms:
        if not artifact.usable:
            continue
        if artifact.has_file:
            yield FileRef(name=job.file_name(artifact), index=artifact.index)
        stem = f"{job.id}-{artifact.index}"
        if artifact.form is Form.VECTORIZE and artifact.has_file:
            yield FileRef(name=f"{stem}-preview.png", index=artifact.index, drawn=Drawn.PREVIEW)
        if artifact.form is Form.PALETTE and form_values.colours_of(artifact):
            yield FileRef(name=f"{stem}-palette.png", index=artifact.index, drawn=Drawn.SWATCH)


def _controls(job: AlchemyJob, *, can_collect: bool) -> tuple[tuple[Control, ...], ...]:
    if job.result is None:
        return (running_controls(job, can_collect=can_collect),)
    again = phrases.AGAIN if job.usable else phrases.TRY_AGAIN
    # Only its reader sees a private reply, and can dismiss it.
    delete = () if job.reply.ephemeral else (phrases.DELETE,)
    collect = (phrases.COLLECT,) if can_collect else ()
    done = {artifact.form: artifact for artifact in job.forms if artifact.usable}
    extras = tuple(_extras(done))
    return tuple(filter(None, (extras, (*collect, again, phrases.DETAILS, *delete))))


def _extras(done: dict[Form, FormArtifact]) -> Iterator[Control]:
    if words_of(done):
        yield phrases.IMAGINE_THIS
    if Form.TAGS in done and form_values.tags_of(done[Form.TAGS]):
        yield phrases.ALL_TAGS


def words_of(done: dict[Form, FormArtifact]) -> str:
    """The words to paint a picture by: the caption, or else the description; empty without either."""
    for form in (Form.CAPTION, Form.DESCRIBE):
        if form in done and (text := form_values.text_of(done[form])):
            return text
    return ""
