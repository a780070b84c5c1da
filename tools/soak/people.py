"""What people do all day: the acts, drawn at random from a seed, and the mishaps in between."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from PIL import Image

from bot.sandbox.discord import ActRefusedError, Channel, File, Interaction, User
from bot.sandbox.fault_spec import fault_from
from bot.sandbox.serve import Sandbox

#: How many there are, and in how many channels.
PEOPLE, CHANNELS = 12, 4
#: What is pressed on a reply; a reply that does not show it is left alone.
BUTTONS: Final = ("Again", "Details", "Cancel", "Delete", "Upscale", "Vary", "Collect", "Retry")
_MISHAPS: Final = (
    {"service": "horde", "path": "/generate/", "status": 503, "times": 3},
    {"service": "osais", "status": 503, "times": 2},
    {"service": "osais", "action": "reset_after", "times": 1},
    {"service": "horde", "path": "/generate/check", "action": "garbage", "times": 2},
    {"service": "horde", "path": "/generate/check", "action": "reset", "times": 2},
    {"service": "media", "path": "/horde-transient/", "action": "truncate", "times": 1},
    {"service": "discord", "method": "PATCH", "status": 500, "times": 2},
    {"service": "discord", "method": "PATCH", "action": "reset_after", "times": 1},
)


class People:
    """Acts at random; what Discord would not let a person do is no act."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self._sandbox = sandbox
        self._rng = random.Random(seed)
        self._users: list[User] = []
        self._channels: list[Channel] = []
        self._replies: list[int] = []
        #: How often what was done.
        self.done: Counter[str] = Counter()
        self._acts: tuple[tuple[int, str, Callable[[], Awaitable[None]]], ...] = (
            (6, "imagine", self._imagine),
            (2, "engine", self._engine),
            (5, "ask", self._ask),
            (3, "alchemy", self._alchemy),
            (5, "press", self._press),
            (2, "mention", self._mention),
            (2, "look", self._look),
            (1, "mishap", self._mishap),
        )

    async def arrive(self) -> None:
        """Found the guild they live in."""
        discord = self._sandbox.discord
        self._users = [await discord.make_user(f"Soaker {number}", guilds=[]) for number in range(PEOPLE)]
        rooms = [f"soak-{number}" for number in range(CHANNELS)]
        guild = await discord.make_guild("Soak", owner=self._users[0], members=self._users, channels=rooms)
        self._channels = [discord.world.channels[channel_id] for channel_id in guild.channel_ids]

    async def act(self) -> None:
        """Do one thing."""
        weights = [weight for weight, _, _ in self._acts]
        _, name, act = self._rng.choices(self._acts, weights)[0]
        try:
            await act()
        except ActRefusedError:
            name = f"{name} (refused)"
        self.done[name] += 1

    def drop_gateway(self) -> Awaitable[None]:
        """Cut the bot's connection, to be resumed."""
        return self._sandbox.discord.drop_gateway(resumable=True)

    async def _imagine(self) -> None:
        wish = {"prompt": f"{self._words()} at dusk", "count": self._rng.randint(1, 4)}
        await self._answered(await self._sandbox.discord.invoke(*self._who(), "imagine", wish))

    async def _engine(self) -> None:
        wish = {"prompt": f"{self._words()} at dawn", "model": "osais:diffusion", "count": self._rng.randint(1, 4)}
        await self._answered(await self._sandbox.discord.invoke(*self._who(), "imagine", wish))

    async def _ask(self) -> None:
        question = {"prompt": f"Tell me about {self._words()}, in a list of 5"}
        await self._answered(await self._sandbox.discord.invoke(*self._who(), "ask", question))

    async def _alchemy(self) -> None:
        command = self._rng.choice(("caption", "upscale", "cutout"))
        picture = {"image": File(filename="picture.png", data=self._picture())}
        await self._answered(await self._sandbox.discord.invoke(*self._who(), command, {}, attachments=picture))

    async def _look(self) -> None:
        await self._answered(await self._sandbox.discord.invoke(*self._who(), "jobs list", {}))

    async def _mention(self) -> None:
        discord = self._sandbox.discord
        await discord.post_message(*self._who(), f"what is {self._words()}?", mentions=[discord.world.bot])

    async def _press(self) -> None:
        discord = self._sandbox.discord
        if not self._replies:
            return
        message = discord.world.message(self._rng.choice(self._replies[-40:]))
        label = self._rng.choice(BUTTONS)
        ids = [
            part["custom_id"]
            for row in message.now.components
            for part in row.get("components", ())
            if label in (part.get("label") or "") and "custom_id" in part
        ]
        if ids and message.deleted_at is None:
            await self._answered(await discord.press(self._asker(message.interaction_id), message.id, ids[0]))

    async def _mishap(self) -> None:
        self._sandbox.faults.arm(fault_from(dict(self._rng.choice(_MISHAPS))))

    async def _answered(self, record: Interaction) -> None:
        await self._sandbox.discord.wait_answer(record, guard=30.0)
        if record.original_id is not None:
            self._replies.append(record.original_id)

    def _asker(self, interaction_id: int | None) -> User:
        discord = self._sandbox.discord
        asked = discord.world.interactions.get(interaction_id or 0)
        return discord.world.users[asked.user_id] if asked else self._rng.choice(self._users)

    def _who(self) -> tuple[User, Channel]:
        return self._rng.choice(self._users), self._rng.choice(self._channels)

    def _words(self) -> str:
        return " ".join(self._rng.choice(("fox", "lake", "tower", "moon", "garden", "train")) for _ in range(3))

    def _picture(self) -> bytes:
        buffer = io.BytesIO()
        colour = tuple(self._rng.randrange(256) for _ in range(3))
        Image.new("RGB", (128, 128), colour).save(buffer, "PNG")
        return buffer.getvalue()
