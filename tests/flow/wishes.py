"""What people do with pictures, and what comes of it: shared by the flow tests of alchemy."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw

from bot.sandbox.discord import File, Interaction, Message, User
from tests.flow.town import Json, Reply, Town


class Answer(Reply):
    """A message of the bot that no interaction answers: the reply to a mention."""

    def __init__(self, town: Town, message_id: int) -> None:
        self.town = town
        self._id = message_id

    @property
    def message_id(self) -> int:
        return self._id

    async def until(self, condition: Any, *, step: float = 0.5) -> Reply:
        await self.town.until(lambda: condition(self), step=step)
        return self


def picture(colour: str = "#3a7d44", size: tuple[int, int] = (96, 64), kind: str = "PNG", mode: str = "RGB") -> bytes:
    """A small picture with a few shapes in it."""
    image = Image.new("RGB", size, colour)
    canvas = ImageDraw.Draw(image)
    canvas.ellipse((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), fill="#f2c14e")
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind)
    return buffer.getvalue()


def made(town: Town) -> Mapping[str, object]:
    """What the alchemists made for the newest request."""
    return list(town.sandbox.horde.alchemy_results.values())[-1]


def posted(town: Town) -> list[Json]:
    """The bodies of all requests for alchemy since the test began."""
    return [dict(call.request) for call in town.calls(method="POST", path="/interrogate/async") if call.request]  # type: ignore[call-overload]


async def post(town: Town, *files: bytes, name: str = "photo.png", **options: Any) -> Message:
    """Ada writes a message with pictures."""
    attached = [File(filename=f"{number}-{name}" if number else name, data=data) for number, data in enumerate(files)]
    return await town.sandbox.discord.post_message(town.ada, town.channel, attachments=attached, **options)


async def mention(
    town: Town,
    text: str,
    *files: bytes,
    reply_to: Message | int | None = None,
    by: User | None = None,
    name: str = "mine.png",
) -> Message:
    """Somebody mentions the bot."""
    discord = town.sandbox.discord
    attached = [File(filename=name, data=data) for data in files]
    return await discord.post_message(
        by or town.ada, town.channel, text, attachments=attached, reply_to=reply_to, mentions=[discord.world.bot]
    )


async def answer_to(town: Town, message: Message) -> Answer:
    """The bot's message that refers to this one."""

    def found() -> list[int]:
        return [int(m["id"]) for m in town.messages() if m["reply_to"] == str(message.id) and m["author"]["bot"]]

    await town.until(lambda: bool(found()))
    return Answer(town, found()[0])


async def work(town: Town, forms: str, data: bytes | None = None, *, name: str = "photo.png", **options: Any) -> Reply:
    """Use `/alchemy` and wait for the acknowledgement."""
    file = File(filename=name, data=data if data is not None else picture())
    record = await town.sandbox.discord.invoke(
        town.ada, town.channel, "alchemy", {"forms": forms, **options}, attachments={"image": file}
    )
    await town.sandbox.discord.wait_answer(record)
    return Reply(town, record)


async def use_menu(town: Town, person: User, menu: str, message: Message) -> Interaction:
    """Somebody uses an entry of a message's Apps menu; returns once it is answered."""
    used = await town.sandbox.discord.context_menu(person, menu, message)
    await town.sandbox.discord.wait_answer(used)
    return used


async def choose(
    town: Town, person: User, message_id: int | None, custom_id: str, values: Sequence[str]
) -> Interaction:
    """Somebody chooses from a select of the bot's; returns once it is answered."""
    assert message_id is not None, "there is no message to choose from"
    chosen = await town.sandbox.discord.select(person, message_id, custom_id, values)
    await town.sandbox.discord.wait_answer(chosen)
    return chosen
