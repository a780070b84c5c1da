"""What a worker told of a picture, in people's words: short things on the form's line, long ones in a field below.

What tells of a picture that was posted as a spoiler is one too; a score and a badge give nothing away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.alchemy import Form, FormArtifact
from bot.domain.jobs import AlchemyJob
from bot.render import form_values, phrases
from bot.render.escaping import code_block, code_span, fit, inline, veil, veiled
from bot.render.forms import name_of
from bot.render.messages import Field

#: Room for values of fields: with 23 lines above them, their sum stays inside an embed.
CAPTION_VALUE, DESCRIPTION_VALUE, TAGS_VALUE = 500, 700, 800
SHOWN_TAG, SHOWN_GROUP, SHOWN_ODD = 40, 20, 60


def told_on_line(job: AlchemyJob, artifact: FormArtifact) -> str:
    """What fits on the form's own line: a size, a score, a badge; empty where a field below says it."""
    match artifact.form:
        case Form.CAPTION | Form.DESCRIBE:
            return "" if form_values.text_of(artifact) else _odd(job, artifact)
        case Form.TAGS:
            return "" if form_values.tags_of(artifact) else _odd(job, artifact)
        case Form.PALETTE:
            return "" if form_values.colours_of(artifact) else _odd(job, artifact)
        case Form.AESTHETIC:
            score = form_values.score_of(artifact)
            return f"**{score:.1f}/10**" if score is not None else _odd(job, artifact)
        case Form.NSFW:
            nsfw = form_values.nsfw_of(artifact)
            return _odd(job, artifact) if nsfw is None else "🔞 not safe for work" if nsfw else "🟢 looks safe for work"
        case Form.VECTORIZE:
            return "SVG file"
        case _:
            return _grown(job, artifact)


def told_below(job: AlchemyJob, artifact: FormArtifact) -> Iterator[Field]:
    """What needs a field of its own; nothing for the other forms, and for what makes no sense."""
    name, hidden = name_of(artifact.form), job.request.source.spoiler
    match artifact.form:
        case Form.CAPTION | Form.DESCRIBE:
            limit = CAPTION_VALUE if artifact.form is Form.CAPTION else DESCRIPTION_VALUE
            if text := form_values.text_of(artifact):
                shown = veiled if hidden else code_block
                yield Field(name=name, value=shown(text[: 4 * limit], limit), inline=False)
        case Form.TAGS:
            if groups := form_values.tags_of(artifact):
                listed = fit(map(_group, groups.items()), TAGS_VALUE)
                yield Field(name=name, value=veil(listed) if hidden else listed, inline=False)
        case Form.PALETTE:
            if colours := form_values.colours_of(artifact):
                listed = " ".join(f"`{colour}`" for colour in colours)
                yield Field(name=name, value=veil(listed) if hidden else listed, inline=False)
        case _:
            pass


def _grown(job: AlchemyJob, artifact: FormArtifact) -> str:
    source = job.request.source
    after = phrases.size(artifact.width, artifact.height) if artifact.width else ""
    before = phrases.size(source.width, source.height) if source.width and source.height else ""
    return f"{before} → {after}" if before and after else after


def _odd(job: AlchemyJob, artifact: FormArtifact) -> str:
    """Show what cannot be understood as it is: better than nothing, and cut short."""
    raw = form_values.raw_of(artifact)[: 4 * SHOWN_ODD]
    shown = veiled(raw, SHOWN_ODD) if job.request.source.spoiler else code_span(raw, SHOWN_ODD)
    return f"the worker told: {shown}"


def _group(group: tuple[str, Sequence[tuple[str, float | None]]]) -> str:
    name, tags = group
    listed = ", ".join(f"{inline(text[: 4 * SHOWN_TAG], SHOWN_TAG)}{_percent(sure)}" for text, sure in tags)
    return f"**{inline(name[: 4 * SHOWN_GROUP], SHOWN_GROUP)}** {listed}"


def _percent(sure: float | None) -> str:
    if sure is None:
        return ""
    return f" {min(max(sure, 0.0), 100.0):.0f} %"
