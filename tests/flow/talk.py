"""How people talk to the bot in flow tests: commands, buttons, forms, and plain messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.discord import Channel, File, Message, User
from tests.flow.town import Json, Reply, Town

MODEL = "koboldcpp/mini-magnum-12b-v1.1"


def worker_writes(town: Town, text: str) -> None:
    """Have the Horde hand out exactly this text from now on, whatever is asked."""
    generation = {
        "worker_id": "00000000-0000-0000-0000-000000000001",
        "worker_name": "A patient scribe",
        "model": MODEL,
        "state": "ok",
        "text": text,
        "seed": 0,
        "gen_metadata": [],
    }
    counts = {"finished": 1, "processing": 0, "restarted": 0, "waiting": 0, "queue_position": 0, "wait_time": 0}
    body = {**counts, "done": True, "faulted": False, "is_possible": True, "kudos": 7.0, "generations": [generation]}
    town.fault("horde", method="GET", path="/generate/text/status", status=200, body=body, times=None)


class Said(Reply):
    """A message of the bot that answers a message and no interaction."""

    def __init__(self, town: Town, message_id: int) -> None:
        self.town = town
        self._id = message_id

    @property
    def message_id(self) -> int:
        """Its id."""
        return self._id

    async def until(self, condition: Callable[[Reply], bool], *, step: float = 0.5) -> Reply:
        """Let the world's time pass until the condition holds."""
        await self.town.until(lambda: condition(self), step=step)
        return self


async def ask(
    town: Town, prompt: str, *, by: User | None = None, channel: Channel | None = None, **options: Any
) -> Reply:
    """Use `/ask` and wait for the acknowledgement."""
    return Reply(town, await town.invoke("ask", {"prompt": prompt, **options}, by=by, channel=channel))


async def answer(town: Town, prompt: str, **options: Any) -> Reply:
    """Use `/ask` and wait for the end."""
    return await (await ask(town, prompt, **options)).end()


async def write(
    town: Town,
    text: str,
    *files: File,
    to: int | None = None,
    by: User | None = None,
    channel: Channel | None = None,
) -> Message:
    """Write a message, in a guild with a mention of the bot, perhaps in answer to one of its own."""
    discord, place = town.sandbox.discord, channel or town.channel
    mentions = [discord.world.bot] if place.guild_id is not None else []
    return await discord.post_message(by or town.ada, place, text, attachments=files, reply_to=to, mentions=mentions)


def answers_to(town: Town, message: Message, channel: Channel | None = None) -> list[Said]:
    """The bot's messages that refer to this one."""
    found = [m for m in town.messages(channel) if m["reply_to"] == str(message.id) and m["author"]["bot"]]
    return [Said(town, int(m["id"])) for m in found]


async def say(
    town: Town,
    text: str,
    *files: File,
    to: int | None = None,
    by: User | None = None,
    channel: Channel | None = None,
) -> Said:
    """Write a message and wait until the bot refers to it."""
    message = await write(town, text, *files, to=to, by=by, channel=channel)
    await town.until(lambda: bool(answers_to(town, message, channel)))
    return answers_to(town, message, channel)[0]


async def form(town: Town, reply: Reply, values: dict[str, str], *, by: User | None = None) -> Reply:
    """Press ↩ Reply, fill in the form, and wait for the acknowledgement."""
    opened = await reply.press("Reply", by=by)
    record = await town.sandbox.discord.submit_modal(by or town.ada, opened, values)
    await town.sandbox.discord.wait_answer(record)
    return Reply(town, record)


async def pressed(reply: Reply, label: str, *, by: User | None = None) -> Said:
    """Press a button that begins another answer, and return that one."""
    record = await reply.press(label, by=by)
    assert record.original_id is not None, record
    return Said(reply.town, record.original_id)


def body_of(reply: Reply) -> str:
    """What the model said, without what was asked and the small lines below."""
    lines = reply.now["content"].splitlines()
    return "\n".join(line for line in lines if not line.startswith(("> ", "-# "))).strip()


def threads_of(town: Town) -> list[Channel]:
    """The threads below the town's channel."""
    world = town.sandbox.discord.world
    return [one for one in world.channels.values() if one.parent_id == town.channel.id]


def prompts(town: Town) -> list[str]:
    """Every prompt that the Horde was ever handed, as a whole: the record of calls keeps only their beginnings."""
    requests = town.sandbox.horde.text.state()["requests"]
    assert isinstance(requests, list)
    return [str(request["prompt"]) for request in requests]


def asked(town: Town) -> list[Json]:
    """The bodies of all requests for texts since the test began."""
    return [dict(call.request) for call in town.calls(method="POST", path="/generate/text/async") if call.request]  # type: ignore[call-overload]
