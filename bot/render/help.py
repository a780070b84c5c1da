"""What `/help` says. A new command adds a line to `COMMANDS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.errors import BotError
from bot.render.escaping import code_span, sentence
from bot.render.messages import Colour, Field, RenderedEmbed, RenderedMessage

MAX_MESSAGE = 1500
MAX_REFERENCE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpLine:
    """One thing people can do: the command's or button's name, and what it is for."""

    name: str
    text: str


COMMANDS = (
    HelpLine(name="imagine", text="paints pictures from words, or from words and a picture"),
    HelpLine(name="alchemy", text="describes, upscales, repairs or cuts out a picture"),
    HelpLine(name="upscale", text="makes a picture larger"),
    HelpLine(name="caption", text="says what a picture shows"),
    HelpLine(name="cutout", text="removes the background"),
    HelpLine(name="ask", text="answers questions; reply to the answer, mentioning me, to go on"),
    HelpLine(name="chat start", text="opens a thread to talk in; `/chat export` and `/chat erase` are yours"),
    HelpLine(name="persona list", text="shows who the model can be"),
    HelpLine(name="jobs list", text="your own requests; `/jobs show`, `cancel`, `retry`, and how to be told: `notify`"),
    HelpLine(name="help", text="shows this"),
)
#: Only where it is there.
OSAIS = HelpLine(
    name="osais run", text="has an engine of OSAIS run: pictures, films, speech; `/osais list` has them all"
)
BUTTONS = (
    HelpLine(name="↩ Reply · ➡ Continue", text="goes on with a conversation, or with an answer that was cut off"),
    HelpLine(name="U1 … U4, ⋯", text="upscale a picture; cut it out, fix faces, describe it, use it as source"),
    HelpLine(name="🎨 Imagine this", text="paints from a caption"),
    HelpLine(name="Cancel", text="stops a request; pictures that are done are kept"),
    HelpLine(name="🔁 Again", text="the same wish with a new seed"),
    HelpLine(name="✏ Edit", text="change the prompt or the options, then paint"),
    HelpLine(name="ℹ Details", text="seeds, workers, times, and a command to copy"),
    HelpLine(name="🗑 Delete", text="takes the message away"),
    HelpLine(name="📬 Collect", text="fetches a private result once it is ready"),
)
PRIVACY = (
    "Your prompt goes to the AI Horde and to the volunteer who paints it; never put secrets in it. "
    "I keep requests so that buttons and restarts work, "
    "and delete my own copies of the pictures a day after you have them."
)
CREDIT = (
    "Pictures are painted by volunteers who share their computers through the [AI Horde](https://aihorde.net), "
    "free for everybody. *Kudos* is how it counts what was given and taken; more of it means a shorter wait."
)


def render_help(
    *,
    command_ids: Mapping[str, int] | None = None,
    commands: Sequence[HelpLine] = COMMANDS,
    buttons: Sequence[HelpLine] = BUTTONS,
) -> RenderedMessage:
    """Say what there is; commands whose id is known can be clicked."""
    ids = command_ids or {}
    commands = (*commands, *([OSAIS] if "osais" in ids else []))
    fields = (
        Field(name="Commands", value="\n".join(f"{_command(c.name, ids)} {c.text}" for c in commands), inline=False),
        Field(name="Buttons", value="\n".join(f"**{b.name}** {b.text}" for b in buttons), inline=False),
        Field(name="Privacy", value=PRIVACY, inline=False),
        Field(name="Who paints", value=CREDIT, inline=False),
    )
    embed = RenderedEmbed(
        title="Muster",
        description="Tell me what to paint, and I'll have it painted.",
        colour=Colour.BLUE,
        fields=fields,
    )
    return RenderedMessage(embed=embed)


def render_error(error: BotError, reference: str = "") -> RenderedMessage:
    """Tell a person, alone, what went wrong and what to do; `reference` is what the log has beside the traceback."""
    lines = [sentence(error.user_message, MAX_MESSAGE) or BotError.default_user_message]
    if reference:
        lines.append(f"Reference: {code_span(reference, MAX_REFERENCE)}")
    return RenderedMessage(embed=RenderedEmbed(description="\n".join(lines), colour=Colour.RED))


def _command(name: str, ids: Mapping[str, int]) -> str:
    return f"</{name}:{ids[name]}>" if name in ids else f"`/{name}`"
