"""Everything known about one job, for whoever presses ℹ Details; only they see it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.jobs import ImageJob
from bot.domain.requests import Aspect, ImageRequest, SizeChoice
from bot.domain.results import Censorship, ImageArtifact
from bot.render import phrases
from bot.render.escaping import ELLIPSIS, code_block, code_span, fit, fold, inline
from bot.render.job_facts import ids_field, times_field
from bot.render.messages import Colour, Field, RenderedEmbed, RenderedMessage
from bot.render.results import MAX_NOTE, price, sizes

#: Room for the command to copy; with the fields below it stays inside what an embed may hold.
MAX_COMMAND = 3200
#: Longest prompt the command takes; the form behind Edit takes more.
MAX_PROMPT_OPTION = 1000
TOO_LONG = (
    f"**To do it again**, press **Edit**. This is too long for `/imagine`, "
    f"which takes prompts of up to {MAX_PROMPT_OPTION} characters:"
)
PICTURES_VALUE = 1000
SHOWN_SEED = 100


def render_image_details(job: ImageJob) -> RenderedMessage:
    """Show all parameters, each picture's seed and worker, the times, the cost, and how to do it again."""
    block = code_block(imagine_command(job.request), MAX_COMMAND)
    too_long = len(fold(job.request.prompt)) > MAX_PROMPT_OPTION or ELLIPSIS in block[-5:]
    lead = TOO_LONG if too_long else "**To do it again**, copy this:"
    embed = RenderedEmbed(
        title="Details", description=f"{lead}\n{block}", colour=Colour.GREY, fields=tuple(_fields(job))
    )
    return RenderedMessage(embed=embed, job_id=job.id)


def imagine_command(request: ImageRequest) -> str:
    """Write the slash command that asks for the same, without what is the default anyway."""
    options = {
        "prompt": fold(request.prompt),
        "negative": fold(request.negative),
        "model": request.model,
        "aspect": "" if request.aspect is Aspect.SQUARE else request.aspect.value,
        "size": "" if request.size is SizeChoice.NATIVE else request.size.value,
        "count": "" if request.count == 1 else str(request.count),
        "steps": str(request.steps),
        "guidance": f"{request.guidance:g}",
        "seed": request.seed,
    }
    return "/imagine " + " ".join(f"{name}:{value}" for name, value in options.items() if value)


def _fields(job: ImageJob) -> Iterator[Field]:
    request = job.request
    yield Field(name="Model", value=inline(request.model, phrases.SHOWN_NAME))
    yield Field(name="Size", value=f"{sizes(job)} · {request.aspect.value}")
    yield Field(name="Seed asked for" if request.seed_chosen else "Seed", value=code_span(request.seed, SHOWN_SEED))
    yield Field(name="Steps · guidance", value=f"{request.steps} · {request.guidance:g}")
    yield Field(name="Sampler", value=_sampler(request))
    yield Field(name="Sexual content", value="allowed (age-restricted channel)" if request.nsfw else "off")
    if job.images:
        lines = (_picture(number, artifact) for number, artifact in enumerate(job.images, start=1))
        yield Field(name="Pictures", value=fit(lines, PICTURES_VALUE), inline=False)
    yield times_field(job, waiting="In the queue", working="Painting")
    if cost := price(job):
        yield Field(name="Cost", value=cost)
    yield ids_field(job)


def _sampler(request: ImageRequest) -> str:
    schedule = "karras" if request.karras else "no karras"
    return f"{inline(request.sampler, 30)} · {schedule} · clip skip {request.clip_skip}"


def _picture(number: int, artifact: ImageArtifact) -> str:
    facts = (
        f"seed {code_span(artifact.seed, SHOWN_SEED)}{'' if artifact.seed_exact else ' (batch)'}",
        inline(artifact.model, phrases.SHOWN_NAME),
        f"by {inline(artifact.worker, phrases.SHOWN_NAME)}",
        _state(artifact),
        *(inline(note, MAX_NOTE) for note in artifact.notes),
    )
    return f"**{number}** {fit(facts, PICTURES_VALUE // 2, separator=' · ')}"


def _state(artifact: ImageArtifact) -> str:
    if artifact.censored is not None:
        return "blanked (sexual)" if artifact.censored is Censorship.NSFW else "withheld (minors)"
    if artifact.unreadable:
        return "could not be fetched"
    return phrases.size(artifact.width, artifact.height)
