"""What is asked for along the way, one of each kind; a new kind of job is one function here and a name in `STORIES`."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image, ImageDraw

from bot.sandbox.discord import Channel, File, User
from tests.crash.ledger import Ledger, Made
from tests.crash.records import Record, Spoken
from tests.flow.town import Town

#: Small pictures that are soon painted, by one worker: they come one after the other, and the reply is edited for each.
QUICK = {"model": "Anything Diffusion", "size": "small", "steps": 10}
#: Of a picture, one more than a message takes.
ELEVEN = (
    "upscale 4x, upscale 2x, upscale anime, upscale anime sharp, upscale photo, upscale hq, upscale animation,"
    " NMKD_Siax, GFPGAN, CodeFormers, cutout"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing that somebody asked for, and how to find what the services made of it."""

    kind: str
    record: Record
    #: How many files a complete answer has.
    files: int
    #: Whether words of the service belong into the answer.
    words: bool
    made: Callable[[Ledger], Made]
    #: Whether nobody but the asker sees the answer: once the token is dead, it waits to be collected.
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sister:
    """The story that one differs from, and which of the points that both have are tried here too."""

    story: str
    #: Every so many-th.
    every: int = 4
    #: So many before and after each point that the sister has not: there, what is written down differs as well.
    around: int = 0


class Story(Protocol):
    """One way to ask; `number` makes it unlike any other, so that what was made of it can be told apart."""

    async def __call__(
        self, town: Town, number: int, *, by: User, channel: Channel, private: bool = False, count: int = 2
    ) -> Asked: ...


async def image(town: Town, number: int, *, by: User, channel: Channel, private: bool = False, count: int = 2) -> Asked:
    """Ask for pictures."""
    prompt = f"fox number {number}"
    options = {"prompt": prompt, "count": count, **QUICK, **_private(private)}
    record = await town.sandbox.discord.invoke(by, channel, "imagine", options)
    return Asked(kind="image", record=record, files=count, words=False, made=lambda ledger: ledger.of_image(prompt))


async def text(town: Town, number: int, *, by: User, channel: Channel, private: bool = False, count: int = 0) -> Asked:
    """Ask a question."""
    question = f"What does fox number {number} say?"
    record = await town.sandbox.discord.invoke(by, channel, "ask", {"prompt": question, **_private(private)})
    return Asked(kind="text", record=record, files=0, words=True, made=lambda ledger: ledger.of_text(question))


async def alchemy(
    town: Town, number: int, *, by: User, channel: Channel, private: bool = False, count: int = 0
) -> Asked:
    """Have a picture described and enlarged; it is known by its width."""
    width = 70 + number
    options = {"forms": "caption, upscale 2x", **_private(private)}
    picture = File(filename="fox.png", data=drawing(width))
    record = await town.sandbox.discord.invoke(by, channel, "alchemy", options, attachments={"image": picture})
    return Asked(kind="alchemy", record=record, files=1, words=True, made=lambda ledger: ledger.of_alchemy(width))


async def osais(town: Town, number: int, *, by: User, channel: Channel, private: bool = False, count: int = 2) -> Asked:
    """Have an engine of OSAIS paint."""
    prompt = f"engine fox number {number}"
    options = {"prompt": prompt, "model": "osais:diffusion", "count": count, **_private(private)}
    record = await town.sandbox.discord.invoke(by, channel, "imagine", options)
    return Asked(kind="osais", record=record, files=count, words=False, made=lambda ledger: ledger.of_osais(prompt))


async def mention(
    town: Town, number: int, *, by: User, channel: Channel, private: bool = False, count: int = 0
) -> Asked:
    """Ask a question in a message that mentions the bot: there is no interaction, and nothing can be private."""
    question = f"What does fox number {number} say?"
    return Asked(
        kind="mention",
        record=await _spoken(town, question, by=by, channel=channel),
        files=0,
        words=True,
        made=lambda ledger: ledger.of_text(question),
    )


async def picture(
    town: Town, number: int, *, by: User, channel: Channel, private: bool = False, count: int = 0
) -> Asked:
    """Have a picture enlarged that is attached to a message which mentions the bot."""
    width = 70 + number
    file = File(filename="fox.png", data=drawing(width))
    return Asked(
        kind="picture",
        record=await _spoken(town, "caption upscale 2x", file, by=by, channel=channel),
        files=1,
        words=True,
        made=lambda ledger: ledger.of_alchemy(width),
    )


async def tale(town: Town, number: int, *, by: User, channel: Channel, private: bool = False, count: int = 0) -> Asked:
    """Have something written that is too long for one message: what follows goes by the bot's own token."""
    # For this the longest answer that is asked of the Horde has room (512 tokens), and a message has not.
    lines = (f"The clockmaker remembered lighthouse {n} before midnight." for n in range(10, 44))
    question = f"Say: Fox number {number}. {' '.join(lines)}"
    options = {"prompt": question, "length": "long", **_private(private)}
    record = await town.sandbox.discord.invoke(by, channel, "ask", options)
    return Asked(kind="tale", record=record, files=0, words=True, made=lambda ledger: ledger.of_text(question))


async def heap(town: Town, number: int, *, by: User, channel: Channel, private: bool = True, count: int = 0) -> Asked:
    """Have more made of a picture than a message takes, in private: what follows goes by the interaction's token."""
    width = 70 + number
    picture = File(filename="fox.png", data=drawing(width))
    options = {"forms": ELEVEN, **_private(private)}
    record = await town.sandbox.discord.invoke(by, channel, "alchemy", options, attachments={"image": picture})
    return Asked(
        kind="heap",
        record=record,
        files=11,
        words=False,
        made=lambda ledger: ledger.of_alchemy(width),
        private=private,
    )


#: `webhook` and `callback` are told of what happens; the others have to ask.
STORIES: Mapping[str, Story] = {
    "image": image,
    "text": text,
    "alchemy": alchemy,
    "osais": osais,
    "webhook": image,
    "callback": osais,
    "mention": mention,
    "tale": tale,
    "heap": heap,
}
#: Whose bot has an address of its own, at which services can call it.
WITH_DOOR = frozenset({"webhook", "callback"})
#: All ways to ask, however the bot comes to know what becomes of it.
WAYS: Mapping[str, Story] = {
    "image": image,
    "text": text,
    "alchemy": alchemy,
    "osais": osais,
    "mention": mention,
    "picture": picture,
}
#: Stories that differ from another in little, and from which.
SISTERS: Mapping[str, Sister] = {
    "webhook": Sister(story="image"),
    "callback": Sister(story="osais"),
    "mention": Sister(story="text"),
    "tale": Sister(story="text", every=16, around=24),
    "heap": Sister(story="alchemy", every=16, around=24),
}


def drawing(width: int) -> bytes:
    """A small picture of this width."""
    canvas = Image.new("RGB", (width, 64), "#3a7d44")
    ImageDraw.Draw(canvas).ellipse((10, 10, 40, 40), fill="#f2c14e")
    written = io.BytesIO()
    canvas.save(written, "PNG")
    return written.getvalue()


async def _spoken(town: Town, words: str, *files: File, by: User, channel: Channel) -> Spoken:
    discord = town.sandbox.discord
    message = await discord.post_message(by, channel, words, attachments=files, mentions=[discord.world.bot])
    return Spoken(discord.world, message)


def _private(private: bool) -> dict[str, Any]:
    return {"private": True} if private else {}
