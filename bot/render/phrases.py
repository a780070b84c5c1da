"""Lines and buttons that several messages share."""

from __future__ import annotations

from bot.domain.jobs import Job
from bot.domain.requests import ImageRequest
from bot.domain.results import Censorship, Result
from bot.errors import ContentRefused
from bot.render.escaping import code_span, inline
from bot.render.messages import MAX_FILES, Control, ControlStyle, FileRef

#: How much of a prompt a message shows; ℹ Details has the rest.
SHOWN_PROMPT = 200
SHOWN_NAME = 60
SHOWN_REFERENCE = 40

STOPPED_REMOTELY = "The AI Horde stopped this one, perhaps for maintenance. **Try again** in a few minutes."

#: Refusals of the content itself: sending the same again is no help to anybody.
CONTENT_CODES = frozenset({"CorruptPrompt", ContentRefused.__name__})

# Emoji are written the way Discord lists them: U+FE0F after those that are plain symbols otherwise.
CANCEL = Control(verb="cancel", label="Cancel", style=ControlStyle.DANGER)
COLLECT = Control(verb="collect", label="Collect", emoji="📬", style=ControlStyle.PRIMARY)
AGAIN = Control(verb="again", label="Again", emoji="🔁")
TRY_AGAIN = Control(verb="again", label="Try again", emoji="🔁", style=ControlStyle.PRIMARY)
EDIT = Control(verb="edit", label="Edit", emoji="✏\ufe0f")
DETAILS = Control(verb="details", label="Details", emoji="ℹ\ufe0f")
IMAGINE_THIS = Control(verb="words", label="Imagine this", emoji="🎨", style=ControlStyle.PRIMARY)
ALL_TAGS = Control(verb="tags", label="All tags", emoji="🏷\ufe0f")
DELETE = Control(verb="delete", label="Delete", emoji="🗑\ufe0f")


def prompt_line(request: ImageRequest) -> str:
    """Quote what was asked for."""
    return f"🎨 **{inline(request.prompt, SHOWN_PROMPT)}**"


def asker(job: Job) -> str:
    """Name the person who asked; inside an embed this never pings. Empty in direct messages, where it is plain."""
    return f"for <@{job.asker_id}>" if job.reply.guild_id is not None else ""


def reference(result: Result) -> tuple[str, ...]:
    """Write the line that finds an unexpected error in the log, where there is one."""
    return (f"Reference: {code_span(result.reference, SHOWN_REFERENCE)}",) if result.reference else ()


def size(width: int, height: int) -> str:
    """Write a size in pixels."""
    return f"{width}×{height}"


def files(job: Job) -> tuple[FileRef, ...]:
    """List the pictures that can be shown, as many as a message holds. Withheld ones are never among them."""
    shown = (FileRef(name=job.file_name(artifact), index=artifact.index) for artifact in job.pictures)
    return tuple(shown)[:MAX_FILES]


def withheld(job: Job, kind: Censorship) -> int:
    """Count the pictures a worker blanked for this reason."""
    return sum(1 for artifact in job.artifacts if artifact.censored is kind)


def repeatable(job: Job) -> bool:
    """Whether asking for the same once more may be offered."""
    refused = job.result is not None and job.result.code in CONTENT_CODES
    return not refused and not withheld(job, Censorship.CSAM)


def ended_controls(job: Job, *offered: Control, can_collect: bool) -> tuple[Control, ...]:
    """The row of buttons below a result: what is `offered` of it, and what every result has."""
    # Only its reader sees a private reply, and can dismiss it.
    delete = () if job.reply.ephemeral else (DELETE,)
    collect = (COLLECT,) if can_collect else ()
    return (*collect, *offered, DETAILS, *delete)
