"""A job that has its result, as a message: what came, what did not and why, and what can be done next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import assert_never

from bot.domain.jobs import ImageJob
from bot.domain.results import Censorship, ImageArtifact, Outcome, Result
from bot.render import phrases
from bot.render.escaping import code_span, fit, inline, sentence
from bot.render.messages import Colour, Control, Field, RenderedEmbed, RenderedMessage
from bot.render.picture_controls import WORKED_ON, more_with, upscaling
from bot.render.times import duration, kudos, pictures

MAX_SENTENCE = 600
MAX_NOTE = 160
#: Room for values of fields, far inside Discord's limits, so that their sum is as well.
SHORT_VALUE, SEEDS_VALUE, NOTES_VALUE = 250, 500, 1000
SHOWN_SEED = 40
#: The result's code when pictures were painted, but could not be fetched.
UNFETCHED = "unfetched"

COLOURS = MappingProxyType(
    {
        Outcome.FINISHED: Colour.GREEN,
        Outcome.PARTIAL: Colour.ORANGE,
        Outcome.CENSORED: Colour.ORANGE,
        Outcome.FAILED: Colour.RED,
        Outcome.CANCELLED: Colour.GREY,
        Outcome.EXPIRED: Colour.RED,
        Outcome.REJECTED: Colour.RED,
    }
)


def render_result(
    job: ImageJob, result: Result, *, can_collect: bool = False, notes: Sequence[str] = (), engines: bool = False
) -> RenderedMessage:
    """Show how the job ended.

    `notes` are delivery's own remarks ("made smaller to fit"); `engines` whether those of OSAIS are offered.
    """
    opening = filter(None, (phrases.prompt_line(job.request), phrases.asker(job)))
    lines = (*opening, "", headline(job, result), *_withheld(job, result), *phrases.reference(result))
    embed = RenderedEmbed(
        description="\n".join(lines),
        colour=COLOURS[result.outcome],
        fields=tuple(_fields(job, notes)),
    )
    return RenderedMessage(
        embed=embed,
        files=phrases.files(job),
        controls=tuple(filter(None, (upscaling(_on_offer(job)), _controls(job, can_collect=can_collect)))),
        menu=more_with(_on_offer(job), engines=engines),
        job_id=job.id,
    )


def headline(job: ImageJob, result: Result) -> str:
    """Say in one or two sentences how it ended and what to do next."""
    if result.message:
        return f"{_counted(job)}{sentence(result.message, MAX_SENTENCE)}"
    match result.outcome:
        case Outcome.FINISHED:
            return f"✅ Done: {pictures(len(job.pictures))}."
        case Outcome.PARTIAL:
            return f"{_counted(job)}{_why_partial(job, result)}".rstrip()
        case Outcome.CENSORED:
            return "There is no picture to show: all that came was withheld by a safety filter."
        case Outcome.FAILED:
            return "The workers gave up on this one, which is seldom the prompt's fault. **Try again** usually helps."
        case Outcome.CANCELLED:
            return f"{_counted(job)}{_why_cancelled(job, result)}"
        case Outcome.EXPIRED:
            return (
                "The AI Horde let go of this request before it was finished; requests live about 20 minutes there. "
                "**Try again**, or press **Edit** and choose a model with more workers or a smaller size."
            )
        case Outcome.REJECTED:
            return "The AI Horde can't take this as asked. Press **Edit** to change something and send it again."
        case _:
            assert_never(result.outcome)


def sizes(job: ImageJob) -> str:
    """Write the size of the pictures, and that it is less than what was asked where it is."""
    asked = (job.request.width, job.request.height)
    came = dict.fromkeys((artifact.width, artifact.height) for artifact in job.pictures if artifact.width)
    if not came:
        return phrases.size(*asked)
    shown = fit((phrases.size(*size) for size in came), 100, separator=", ")
    smaller = any(width * height < asked[0] * asked[1] for width, height in came)
    return f"{shown} (smaller than the {phrases.size(*asked)} asked for)" if smaller else shown


def picture_notes(job: ImageJob) -> Iterator[str]:
    """Tell what the workers told, each remark once, with the pictures it is about."""
    about: dict[str, list[int]] = {}
    for number, artifact in enumerate(job.pictures, start=1):
        for note in dict.fromkeys(artifact.notes):
            about.setdefault(inline(note, MAX_NOTE), []).append(number)
    for note, numbers in about.items():
        if len(job.pictures) == 1 or len(numbers) == len(job.pictures):
            yield f"• {note}"
        else:
            yield f"• {'Picture' if len(numbers) == 1 else 'Pictures'} {', '.join(map(str, numbers))}: {note}"


def price(job: ImageJob) -> str:
    """Write what it cost: what was consumed, or else the estimate; empty when neither is known."""
    if job.progress is not None and job.progress.kudos is not None:
        return kudos(job.progress.kudos)
    return f"≈ {kudos(job.cost)}" if job.cost is not None and job.pictures else ""


def _counted(job: ImageJob) -> str:
    """Open a sentence with how much came, where some but not all did."""
    came = len(job.pictures)
    return f"**{came} of {pictures(job.request.count)}** came. " if 0 < came < job.request.count else ""


def _why_partial(job: ImageJob, result: Result) -> str:
    if result.code == "gone":
        return "The AI Horde let go of the rest before it was finished; press **Again** for a new set."
    if any(artifact.censored for artifact in job.images):
        return ""
    if any(artifact.unreadable for artifact in job.images):
        return "Press **Again** for a new set."
    if result.code == UNFETCHED:
        return "The rest was painted but could not be fetched; press **Again** for a new set."
    return "The workers gave up on the rest; press **Again** for a new set."


def _why_cancelled(job: ImageJob, result: Result) -> str:
    if result.code == "stopped-remotely":
        return phrases.STOPPED_REMOTELY
    return "Cancelled; what was painted by then is kept." if job.pictures else "Cancelled before a picture was done."


def _withheld(job: ImageJob, result: Result) -> Iterator[str]:
    """Say what was withheld, each kind in its own words; nothing invites to repeat the grave one."""
    if minors := phrases.withheld(job, Censorship.CSAM):
        yield (
            f"🚫 {pictures(minors).capitalize()} withheld: the AI Horde's filter against sexual depictions of minors "
            "stepped in. This is not shown to anybody. Please don't send this prompt a second time."
        )
    if sexual := phrases.withheld(job, Censorship.NSFW):
        yield f"🙈 {pictures(sexual).capitalize()} blanked by a worker's safety filter. {_put_differently(job)}"
    unreadable = sum(1 for artifact in job.images if artifact.unreadable)
    if unreadable and not result.message:  # a message of its own says so already
        were = "was" if unreadable == 1 else "were"
        yield f"⚠ {pictures(unreadable).capitalize()} {were} painted but could not be fetched from the AI Horde."


def _put_differently(job: ImageJob) -> str:
    if job.request.nsfw:
        return "Please put the prompt differently."
    where = "In direct messages" if job.reply.guild_id is None else "This channel isn't age-restricted, so"
    return f"{where} sexual content is off; please put the prompt differently."


def _fields(job: ImageJob, notes: Sequence[str]) -> Iterator[Field]:
    shown = job.pictures
    if shown:
        yield Field(name="Seed" if len(shown) == 1 else "Seeds", value=_seeds(job))
        yield Field(name="Model", value=_names(artifact.model for artifact in shown))
        yield Field(name="Worker" if len(shown) == 1 else "Workers", value=_names(a.worker for a in shown))
        yield Field(name="Size", value=sizes(job))
    if cost := price(job):
        yield Field(name="Cost", value=cost)
    if shown and job.ended_at is not None:
        yield Field(name="Time", value=duration(job.ended_at - job.created_at))
    remarks = (*picture_notes(job), *(f"• {sentence(note, MAX_NOTE)}" for note in notes))
    if remarks:
        yield Field(name="Notes", value=fit(remarks, NOTES_VALUE), inline=False)


def _seeds(job: ImageJob) -> str:
    shown = job.pictures
    seeds = fit((code_span(artifact.seed, SHOWN_SEED) for artifact in shown), SEEDS_VALUE, separator=" ")
    if all(artifact.seed_exact for artifact in shown):
        return seeds
    return f"{seeds}\nfrom a batch: a seed alone doesn't bring one back"


def _names(names: Iterable[str]) -> str:
    distinct = dict.fromkeys(names)
    return fit((inline(name, phrases.SHOWN_NAME) for name in distinct), SHORT_VALUE, separator=", ")


def _on_offer(job: ImageJob) -> tuple[ImageArtifact, ...]:
    """The pictures that can be worked on from here."""
    if phrases.withheld(job, Censorship.CSAM):
        return ()
    return tuple(artifact for artifact in job.pictures if artifact.has_file)[:WORKED_ON]


def _controls(job: ImageJob, *, can_collect: bool) -> tuple[Control, ...]:
    again = (phrases.AGAIN if job.pictures else phrases.TRY_AGAIN,) if phrases.repeatable(job) else ()
    return phrases.ended_controls(job, *again, phrases.EDIT, can_collect=can_collect)
