"""A run of an engine as a message: the service's own stages while it works, then every file and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from bot.domain.engines import Engine, EngineArtifact, Medium, Step
from bot.domain.jobs import EngineJob
from bot.domain.results import Outcome, Result
from bot.domain.sources import SourceFacts
from bot.domain.stages import Stage
from bot.render import phrases
from bot.render.escaping import code_span, fit, inline, plain, sentence
from bot.render.messages import (
    MAX_CHOICE,
    MAX_FIELD_VALUE,
    MAX_FILES,
    Colour,
    Control,
    Field,
    FileRef,
    RenderedEmbed,
    RenderedMessage,
)
from bot.render.progress import BAR, hold_line, running_controls
from bot.render.results import COLOURS, MAX_NOTE, MAX_SENTENCE, SHOWN_SEED
from bot.render.times import at_second, duration

SERVICE = "OSAIS"
#: How much of what the service says is shown.
SHOWN_SAID = 200
SHOWN_SETTINGS = 300
SHOWN_FILE = 60

#: A run's steps as people see them, in order; the one in work names its file.
_STEPS = (
    (Step.SENT, "Sent"),
    (Step.RECEIVED, "Received"),
    (Step.STARTED, "Started"),
    (Step.WORKING, "Working"),
    (Step.STOPPED, "Stopped"),
)
_RANK = {Step.SENT: 0, Step.RECEIVED: 1, Step.STARTED: 2, Step.WORKING: 3, Step.FILE_DONE: 3}
EMOJI = MappingProxyType({Medium.IMAGE: "🖼️", Medium.AUDIO: "🔊", Medium.VIDEO: "🎬"})


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
        embed = _progress(job)
        controls = running_controls(job, can_collect=can_collect)
        return RenderedMessage(embed=embed, files=files[:MAX_FILES], controls=(controls,), job_id=job.id)
    return RenderedMessage(
        embed=_ended(job, job.result, notes, facts),
        files=files[:MAX_FILES],
        more_files=files[MAX_FILES:],
        controls=(_controls(job, can_collect=can_collect),),
        job_id=job.id,
    )


def _title(job: EngineJob) -> str:
    words = f": {inline(job.request.prompt, phrases.SHOWN_PROMPT)}" if job.request.prompt else ""
    return f"{EMOJI[job.request.makes]} **{inline(job.request.engine, phrases.SHOWN_NAME)}{words}**"


# -- under way ----------------------------------------------------------------------------------------------------


def _progress(job: EngineJob) -> RenderedEmbed:
    troubles = tuple(_troubles(job))
    lines = (
        _title(job),
        _steps(job),
        " · ".join(filter(None, (_bar(job), _doing(job)))),
        " · ".join(filter(None, (SERVICE, phrases.asker(job)))),
        *troubles,
    )
    colour = Colour.AMBER if troubles else Colour.BLUE
    return RenderedEmbed(description="\n".join(filter(None, lines)), colour=colour)


def _step(job: EngineJob) -> Step | None:
    return Step(job.progress.step) if job.progress and job.progress.step else None


def _reached(job: EngineJob) -> int:
    """How many of the steps were reached, less one; -1 before it was sent."""
    if job.stage in {Stage.QUEUED, Stage.SUBMITTING}:
        return -1
    return _RANK.get(_step(job) or Step.SENT, len(_STEPS) - 1)


def _steps(job: EngineJob) -> str:
    reached, shown = _reached(job), []
    for place, (step, name) in enumerate(_STEPS):
        told = _working(job) if step is Step.WORKING and place == reached else name
        if step is Step.STOPPED and _step(job) is Step.FAILED:
            told = "Stopped with an error"
        shown.append(f"{'◉' if place <= reached else '○'} {told}")
    return " ─ ".join(shown)


def _working(job: EngineJob) -> str:
    """Which file is in work, or done."""
    files = _count(job)
    if _step(job) is Step.FILE_DONE:
        return f"File {max(1, files)} done"
    return f"Working on file {files + 1}"


def _count(job: EngineJob) -> int:
    return max(len(job.files), job.progress.finished if job.progress else 0)


def _bar(job: EngineJob) -> str:
    reached = _reached(job)
    filled = (1, 2, 3, 4, 5, BAR - 1)[reached + 1]
    if reached == len(_STEPS) - 2:
        filled += (BAR - 1 - filled) * min(_count(job), job.request.expected) // max(1, job.request.expected)
    return "▰" * filled + "▱" * (BAR - filled)


def _doing(job: EngineJob) -> str:
    if job.stage in {Stage.QUEUED, Stage.SUBMITTING}:
        return "" if job.hold else f"on its way to {SERVICE}"
    count, step = _count(job), _step(job)
    arrived = f"{_files(count)} here" if count else ""
    if step is Step.STOPPED and count < job.request.expected:
        arrived = f"{arrived}, waiting for the rest" if arrived else "waiting for its files"
    said = inline(job.progress.note, SHOWN_SAID) if job.progress and job.progress.note else ""
    return " · ".join(filter(None, (arrived, said)))


def _troubles(job: EngineJob) -> Iterator[str]:
    if job.cancel_requested:
        yield f"🛑 Stopping… {SERVICE} can't be told to stop; what it still makes isn't waited for."
    if job.hold:
        yield f"⚠ {hold_line(job)}"


# -- ended --------------------------------------------------------------------------------------------------------


def _ended(job: EngineJob, result: Result, notes: Sequence[str], facts: SourceFacts | None) -> RenderedEmbed:
    lines = [*filter(None, (_title(job), phrases.asker(job))), "", headline(job, result)]
    said = job.progress.note if job.progress else ""
    if result.outcome is Outcome.REJECTED and result.code not in {"source", "key"}:
        said = result.code
    if said:
        lines.append(f"{SERVICE} says: {inline(said, SHOWN_SAID)}")
    if result.reference:
        lines.append(f"Reference: {code_span(result.reference, SHOWN_SEED)}")
    fields = tuple(_fields(job, (*job.request.remarks, *_source_notes(facts), *notes)))
    return RenderedEmbed(description="\n".join(lines), colour=COLOURS[result.outcome], fields=fields)


def headline(job: EngineJob, result: Result) -> str:
    """Say in one or two sentences how it ended and what to do next."""
    files = sum(1 for file in job.files if file.has_file)
    if result.message:
        return sentence(result.message, MAX_SENTENCE)
    match (result.outcome, result.code):
        case (Outcome.FINISHED, _):
            return f"✅ Finished: {_files(files)}."
        case (Outcome.PARTIAL, "error"):
            return f"⚠ Stopped with an error after {_files(files)}."
        case (Outcome.PARTIAL, "unfetched"):
            return f"Finished: {_files(files)}. More was made, but could not be fetched."
        case (Outcome.PARTIAL, _):
            return f"{_files(files).capitalize()} came; nothing more was heard of the rest. Later ones are still added."
        case (Outcome.CANCELLED, _):
            return "Cancelled; what was made by then is kept." if files else "Cancelled before a file was done."
        case (Outcome.FAILED, "error"):
            return "The AI stopped with an error before a file was done. **Try again**, perhaps with other settings."
        case (Outcome.FAILED, "no-file"):
            return "The AI finished, but no file came of it. **Try again** usually helps."
        case (Outcome.FAILED, "unfetched"):
            return "It was made, but could not be fetched. Please try again."
        case (Outcome.FAILED, "gone"):
            return f"{SERVICE} no longer knows this request. Please try again."
        case (Outcome.FAILED, "timeout"):
            return (
                f"Nothing more was heard of this from {SERVICE}, so I stopped waiting. Should files still come within "
                "a quarter of an hour, I'll add them here. Otherwise, **Try again**."
            )
        case _:
            return f"{SERVICE} can't take this as asked. Please change something and send it again."


def _fields(job: EngineJob, notes: Sequence[str]) -> Iterator[Field]:
    if settings := _settings(job):
        yield Field(name="Settings", value=settings)
    shown = [file for file in job.files if file.has_file]
    if shown:
        yield Field(name="File" if len(shown) == 1 else "Files", value=fit(map(_file, shown), SHOWN_SETTINGS))
    if shown and job.ended_at is not None:
        yield Field(name="Time", value=duration(job.ended_at - job.created_at))
    if notes:
        lines = (f"• {sentence(note, MAX_NOTE)}" for note in notes)
        yield Field(name="Notes", value=fit(lines, MAX_FIELD_VALUE), inline=False)


def _settings(job: EngineJob) -> str:
    told = (f"{one.name} {inline(_written(one.value), 40)}" for one in job.request.settings)
    return fit(told, SHOWN_SETTINGS, separator=" · ")


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _file(file: EngineArtifact) -> str:
    size = phrases.size(file.width, file.height) if file.width else ""
    return " · ".join(filter(None, (f"{EMOJI[file.medium]} {file.extension}", size, megabytes(file.size))))


def _source_notes(facts: SourceFacts | None) -> Iterator[str]:
    if facts is not None and facts.animated:
        yield "The picture moves; only its first frame was used."


def _controls(job: EngineJob, *, can_collect: bool) -> tuple[Control, ...]:
    again = replace(phrases.AGAIN if job.usable else phrases.TRY_AGAIN, verb="rerun")
    delete = () if job.reply.ephemeral else (phrases.DELETE,)
    collect = (phrases.COLLECT,) if can_collect else ()
    return (*collect, again, phrases.DETAILS, *delete)


def megabytes(size: int) -> str:
    """Write a file's size."""
    return f"{size / 1024**2:.1f} MB" if size >= 1024**2 // 10 else f"{max(1, round(size / 1024))} KB"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


# -- details and lists --------------------------------------------------------------------------------------------


def render_engine_details(job: EngineJob) -> RenderedMessage:
    """Tell the settings, each file by its service's name, the times, and the ids."""
    fields = (
        Field(name="Engine", value=f"{inline(job.request.title, 80)} ({code_span(job.request.engine, 40)})"),
        Field(name="Settings", value=_settings(job) or "none"),
        Field(name="Files", value=fit(map(_named, job.files), MAX_FIELD_VALUE) or "none", inline=False),
        Field(name="Times", value="\n".join(_times(job))),
        Field(name="Ids", value="\n".join(_ids(job))),
    )
    prompt = f"> {inline(job.request.prompt, 1000)}" if job.request.prompt else ""
    return RenderedMessage(
        embed=RenderedEmbed(title="Details", description=prompt, colour=Colour.GREY, fields=fields), job_id=job.id
    )


def _named(file: EngineArtifact) -> str:
    state = _file(file) if file.has_file else "could not be fetched"
    return f"**{file.index + 1}** {code_span(file.name or 'without a name', SHOWN_FILE)} · {state}"


def _times(job: EngineJob) -> Iterator[str]:
    yield f"Asked {at_second(job.created_at)}"
    if job.submitted_at and job.started_at:
        yield f"Waiting {duration(job.started_at - job.submitted_at)}"
    if job.ended_at:
        yield f"In all {duration(job.ended_at - job.created_at)}"


def _ids(job: EngineJob) -> Iterator[str]:
    yield f"job {code_span(job.id, 60)}"
    if job.remote_id:
        yield f"osais {code_span(job.remote_id, 60)}"
    if job.parent_id:
        yield f"after {code_span(job.parent_id, 60)}"


def render_engines(engines: Sequence[Engine]) -> RenderedMessage:
    """List the engines with what they need and make."""
    fields = tuple(
        Field(name=f"{EMOJI[one.makes]} {one.name}", value=_about(one), inline=False) for one in engines[:25]
    )
    hint = "Start one with `/osais run`; `settings:True` opens a form with everything it can be set to."
    return RenderedMessage(
        embed=RenderedEmbed(title=f"Engines of {SERVICE}", description=hint, colour=Colour.BLUE, fields=fields)
    )


_NEEDS = {Medium.IMAGE: "a picture", Medium.AUDIO: "a sound", Medium.VIDEO: "a film"}
_MAKES = {Medium.IMAGE: "pictures", Medium.AUDIO: "a sound (.wav)", Medium.VIDEO: "a film (.mp4)"}


def _about(engine: Engine) -> str:
    needs = [*(["words"] if engine.needs_words else []), *(_NEEDS[i.medium] for i in engine.inputs if i.mandatory)]
    takes = [_NEEDS[one.medium] for one in engine.inputs if not one.mandatory]
    wants = f"needs {' and '.join(needs) or 'nothing'}{f', takes {takes[0]}' if takes else ''}"
    told = [f"{inline(engine.title, 60)}: {inline(engine.about, 80)}", f"{wants} · makes {_MAKES[engine.makes]}"]
    if engine.parameters:
        told.append(f"settings: {fit((f'`{one.name}`' for one in engine.parameters), 200, separator=' ')}")
    return "\n".join(told)


def engine_choice(engine: Engine) -> tuple[str, str]:
    """Write an engine as (name, value) of a choice."""
    return plain(f"{EMOJI[engine.makes]} {engine.name}: {engine.about or engine.title}", MAX_CHOICE), engine.name


def painter_choice(engine: Engine) -> tuple[str, str]:
    """Write an engine as a choice among models, with the tag that tells it from them."""
    return plain(f"⚙ osais:{engine.name} — engine of {SERVICE}", MAX_CHOICE), f"osais:{engine.name}"
