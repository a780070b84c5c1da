"""What is known of one reply: what it shows, what is attached, and what Discord does not take there."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import discord

from bot.delivery.pictures import UNSHRINKABLE
from bot.domain.jobs import Job
from bot.domain.sources import SPOILER, SourceFacts
from bot.render.messages import PREVIEW, FileRef, RenderedMessage


@dataclass(slots=True)
class Reply:
    """What is known of one reply."""

    newest: Job
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    #: What its message shows.
    shown: RenderedMessage | None = None
    #: That, once all that belongs beside the message was sent as well.
    complete: RenderedMessage | None = None
    #: None: unknown, read the message before files are added.
    attached: list[discord.Attachment] | None = None
    edited_at: float = float("-inf")
    failures: int = 0
    #: How often something went wrong that nobody thought of.
    surprises: int = 0
    limit_share: float = 1.0
    #: Files are not taken here: words only.
    bare: bool = False
    #: Indices of files whose bytes are no longer kept.
    gone: set[int] = field(default_factory=set)
    #: Names of files that could not be drawn, or that are too large here and cannot be made smaller.
    left_out: set[str] = field(default_factory=set)
    #: What the job's source turned out to be, once that is known.
    facts: SourceFacts | None = None
    #: Files that are not taken in a further message, by name, with their indices.
    cut: dict[str, int] = field(default_factory=dict)
    #: Files of a further message that may or may not have arrived.
    unsure: dict[str, int] = field(default_factory=dict)
    #: Further messages are not taken here.
    alone: bool = False
    #: What Discord does not take, not even without files.
    refused: RenderedMessage | None = None
    #: Its thread was asked to be opened again.
    unarchived: bool = False
    #: It can't be changed any more: the end needs another message.
    frozen: bool = False
    dead_tokens: set[str] = field(default_factory=set)
    #: Why nobody can see it any more; empty while somebody can.
    lost: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def size_limit(self) -> int:
        """Bytes a file may have here, as far as is known."""
        return int(self.newest.reply.size_limit * self.limit_share)

    def can_have(self, ref: FileRef) -> bool:
        """Whether there is something to attach for this."""
        return ref.index not in self.gone and ref.name not in self.left_out

    def may_follow(self, ref: FileRef) -> bool:
        """Whether this may be sent behind the reply: it is there, and that was not tried in vain."""
        return self.can_have(ref) and ref.name not in self.cut and ref.name not in self.unsure


def stem(name: str) -> str:
    """A file's name without its ending and spoiler mark: by it the file is recognised, whatever it was made into."""
    return name.removeprefix(SPOILER).partition(".")[0]


def file_notes(reply: Reply, job: Job) -> Iterator[str]:
    """Say what became of files that Discord does not take as they are, or that are no longer here."""
    files = [artifact for artifact in job.usable if artifact.has_file]
    if reply.bare and files:
        yield "Discord doesn't let me attach files here; ask for the permission **Attach Files**, then press **Again**."
        return
    yield from _drawing_notes(reply.left_out)
    yield from _second_message_notes(reply, job)
    limit = f"{max(reply.size_limit / (1024 * 1024), 0.1):.2g} MB"
    for a in files:
        if a.extension in UNSHRINKABLE - {"svg"} and a.size > reply.size_limit:
            what = f"File {a.index + 1} (.{a.extension}, {a.size / (1024 * 1024):.1f} MB)"
            yield f"{what} is larger than Discord takes here ({limit}), and can't be made smaller; kept for 24 h."
    if large := [str(a.index + 1) for a in files if a.size > reply.size_limit and a.extension not in UNSHRINKABLE]:
        yield f"{_numbered(large)} re-encoded or made smaller to fit Discord's limit of {limit} here."
    if gone := [str(index + 1) for index in sorted(reply.gone)]:
        yield f"{_numbered(gone)} kept for a while only: nothing is left of it here."


def _second_message_notes(reply: Reply, job: Job) -> Iterator[str]:
    """Name the files that had no room in the reply and did not (surely) come behind it, and say how to have them."""
    have = f"`/jobs show {job.id}` has all files for 24 h."
    if cut := sorted({str(index + 1) for index in reply.cut.values()}, key=int):
        yield f"{_numbered(cut)} not taken by Discord in a further message here; {have}"
    if unsure := sorted({str(index + 1) for index in reply.unsure.values()}, key=int):
        yield f"{_numbered(unsure)} sent, but Discord didn't say whether it took them; {have}"


def _drawing_notes(left_out: Collection[str]) -> Iterator[str]:
    """Say what is missing of a vector drawing: it can't be made smaller, and only simple ones are drawn here."""
    too_large = any(name.endswith(".svg") for name in left_out)
    undrawn = any(name.endswith(PREVIEW) for name in left_out)
    if too_large and undrawn:
        yield "The vector drawing is larger than Discord takes here, and too intricate for a preview; kept for 24 h."
    elif too_large:
        yield "The vector drawing is larger than Discord takes here; its preview has to do."
    elif undrawn:
        yield "The vector drawing is too intricate for a preview; open the SVG file to see it."


def _numbered(numbers: Sequence[str]) -> str:
    return f"File {numbers[0]} was" if len(numbers) == 1 else f"Files {', '.join(numbers)} were"
