"""The engines there are, as a list and as choices."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.engines import Engine, Medium
from bot.render.engines._words import EMOJI, SERVICE
from bot.render.escaping import fit, inline, plain
from bot.render.messages import MAX_CHOICE, MAX_FIELDS, Colour, Field, RenderedEmbed, RenderedMessage


def render_engines(engines: Sequence[Engine]) -> RenderedMessage:
    """List the engines with what they need and make."""
    fields = tuple(
        Field(name=f"{EMOJI[one.makes]} {one.name}", value=_about(one), inline=False) for one in engines[:MAX_FIELDS]
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
