"""A run that has its result: what came, and what became of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.engines import unfetched
from bot.domain.jobs import EngineJob
from bot.domain.results import Outcome, Result
from bot.domain.sources import SourceFacts
from bot.render import phrases
from bot.render.engines._words import SERVICE, SHOWN_SAID, SHOWN_SETTINGS, file_facts, files, settings, title
from bot.render.escaping import fit, inline, sentence
from bot.render.messages import MAX_FIELD_VALUE, Field, RenderedEmbed
from bot.render.results import COLOURS, MAX_NOTE, MAX_SENTENCE
from bot.render.times import duration


def ended(job: EngineJob, result: Result, notes: Sequence[str], facts: SourceFacts | None) -> RenderedEmbed:
    """Tell how it ended, with every file; `notes` are delivery's remarks on those."""
    lines = [*filter(None, (title(job), phrases.asker(job))), "", headline(job, result)]
    said = job.progress.note if job.progress else ""
    if result.outcome is Outcome.REJECTED and result.code not in {"source", "key"}:
        said = result.code
    if said:
        lines.append(f"{SERVICE} says: {inline(said, SHOWN_SAID)}")
    lines += phrases.reference(result)
    fields = tuple(_fields(job, (*job.request.remarks, *_source_notes(facts), *notes)))
    return RenderedEmbed(description="\n".join(lines), colour=COLOURS[result.outcome], fields=fields)


def headline(job: EngineJob, result: Result) -> str:
    """Say in one or two sentences how it ended and what to do next."""
    came = sum(1 for file in job.files if file.has_file)
    if result.message:
        return sentence(result.message, MAX_SENTENCE)
    match (result.outcome, result.code):
        case (Outcome.FINISHED, _):
            return f"✅ Done: {files(came, job.request.makes)}."
        case (Outcome.PARTIAL, "error"):
            return f"⚠ Stopped with an error after {files(came)}."
        case (Outcome.PARTIAL, "unfetched"):
            return f"Done: {files(came, job.request.makes)}. More was made, but could not be fetched."
        case (Outcome.PARTIAL, _):
            return f"{files(came).capitalize()} came; nothing more was heard of the rest. Later ones are still added."
        case (Outcome.CANCELLED, _):
            return "Cancelled; what was made by then is kept." if came else "Cancelled before a file was done."
        case (Outcome.FAILED, "error"):
            made = " What it had made could not be fetched." if unfetched(job.files) else ""
            return (
                f"The AI stopped with an error, and no file came of it.{made} "
                "**Try again**, perhaps with other settings."
            )
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
    if told := settings(job):
        yield Field(name="Settings", value=told, inline=False)
    shown = [file for file in job.files if file.has_file]
    if shown:
        yield Field(
            name="File" if len(shown) == 1 else "Files", value=fit(map(file_facts, shown), SHOWN_SETTINGS), inline=False
        )
    if shown and job.ended_at is not None:
        yield Field(name="Time", value=duration(job.ended_at - job.created_at))
    if notes:
        lines = (f"• {sentence(note, MAX_NOTE)}" for note in notes)
        yield Field(name="Notes", value=fit(lines, MAX_FIELD_VALUE), inline=False)


def _source_notes(facts: SourceFacts | None) -> Iterator[str]:
    if facts is not None and facts.animated:
        yield "The picture moves; only its first frame was used."
