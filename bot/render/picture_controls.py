"""What can be done with the pictures of a result, whoever painted them: a button each to upscale, a ⋯ for the rest."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.results import Artifact
from bot.render.messages import MAX_CHOICES, Choice, Control, Menu

#: How many pictures have a button of their own: as many as a row has room for, with numbers up to four.
WORKED_ON = 4
#: What else can be done with a picture: the verb of the press, its words, its emoji.
WORK = (
    ("cutout", "Cut out the background", "✂️"),
    ("faces", "Fix faces", "🙂"),
    ("describe", "Describe it", "💬"),
    ("interrogate", "Tags", "🏷️"),
    ("source", "Use as source", "🖼️"),
)
#: The same by engines of OSAIS, where that is offered.
ENGINE_WORK = (("rembg", "Cut out (OSAIS)", "⚙️"), ("gfpgan", "Fix faces (OSAIS)", "⚙️"))


def upscaling(shown: Sequence[Artifact]) -> tuple[Control, ...]:
    """A button for each of the pictures."""
    return tuple(
        Control(verb="upscale", label="Upscale" if len(shown) == 1 else f"U{number}", emoji="🔍", index=artifact.index)
        for number, artifact in enumerate(shown, start=1)
    )


def more_with(shown: Sequence[Artifact], *, engines: bool) -> Menu | None:
    """The select for everything else; None without a picture."""
    room = MAX_CHOICES - len(WORK) * len(shown)
    # With four pictures there is room for the first one only; the picker of the Apps menu has both.
    more = ENGINE_WORK[: room // len(shown)] if engines and shown else ()
    choices = tuple(
        Choice(verb=verb, index=artifact.index, label=label if len(shown) == 1 else f"{number} · {label}", emoji=emoji)
        for number, artifact in enumerate(shown, start=1)
        for verb, label, emoji in (*WORK, *more)
    )
    return Menu(placeholder="⋯ More with a picture", choices=choices) if choices else None
