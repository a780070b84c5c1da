"""A world in this process, and the bot (or something in its place) in another: what each measurement begins with."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.sandbox.bot_process import BotProcess
from bot.sandbox.discord import Channel, Guild, Interaction, Message, User
from bot.sandbox.outgoing import AddressMap
from bot.sandbox.serve import Sandbox
from tools.bench.usage import Usage

#: The bot as an operator runs it, and discord.py with one handler that does nothing but answer.
BOT = (sys.executable, "-m", "bot", "run")
EMPTY = (sys.executable, "-m", "tools.bench.empty_handler")
#: Real seconds that anything may take before the measurement is given up.
PATIENCE = 120.0
#: The bot's address as services see it, where it has one.
PUBLIC_URL = "https://muster.test"


class Stage:
    """A world with one guild and a crowd in it, and a bot that is not started yet."""

    def __init__(self, sandbox: Sandbox, bot: BotProcess, database_url: str) -> None:
        self.sandbox = sandbox
        self.bot = bot
        self.database_url = database_url
        self.people: list[User] = []
        self.guild: Guild
        self.channels: list[Channel] = []

    async def furnish(self, people: int = 1, channels: int = 1) -> None:
        """Found the guild; so many people, each a member, and so many channels."""
        discord = self.sandbox.discord
        self.people = [await discord.make_user(f"Person {number}", guilds=[]) for number in range(people)]
        names = [f"room-{number}" for number in range(channels)]
        self.guild = await discord.make_guild("Crowd", owner=self.people[0], members=self.people, channels=names)
        self.channels = [discord.world.channels[channel_id] for channel_id in self.guild.channel_ids]

    async def arrive(self) -> int:
        """Let one more person join, who has asked for nothing yet; returns the number for `by`."""
        name = f"Person {len(self.people)}"
        self.people.append(await self.sandbox.discord.make_user(name, guilds=[self.guild]))
        return len(self.people) - 1

    async def open(self) -> None:
        """Start the bot and wait until it takes commands."""
        await self.bot.start()
        await self.until(self._takes_commands)

    async def until_gone(self) -> None:
        """Wait until Discord has noticed that the bot is gone."""
        while self.sandbox.discord.gateway.connected:  # noqa: ASYNC110 - there is no process left to be told by
            await asyncio.sleep(0.005)

    async def invoke(self, command: str, *, by: int = 0, **options: Any) -> Interaction:
        """Have a person use a command; returns at once."""
        person, channel = self.people[by % len(self.people)], self.channels[by % len(self.channels)]
        return await self.sandbox.discord.invoke(person, channel, command, options)

    async def imagine(self, *, by: int = 0, **options: Any) -> Interaction:
        """Have a person use `/imagine`."""
        return await self.invoke("imagine", by=by, **{"prompt": "a lighthouse", **options})

    def message(self, record: Interaction) -> Message:
        """The message that answers a command. Raises `BenchError` where there is none."""
        if record.original_id is None:
            raise BenchError("the command was not answered", self.bot)
        return self.sandbox.discord.world.message(record.original_id)

    async def until(self, condition: Callable[[], bool], *, step: float = 0.005, patience: float = PATIENCE) -> None:
        """Wait in real time until the condition holds. Raises `BenchError` when that takes too long."""
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    if self.bot.starts and not self.bot.running:
                        raise BenchError("the bot has ended", self.bot)
                    await asyncio.sleep(step)
        except TimeoutError:
            raise BenchError(f"nothing came of it in {patience:.0f} s", self.bot) from None

    def usage(self) -> Usage:
        """What the bot has used so far."""
        if self.bot.pid is None:
            raise BenchError("the bot was never started", self.bot)
        return Usage.of(self.bot.pid)

    def _takes_commands(self) -> bool:
        discord = self.sandbox.discord
        return bool(discord.gateway.connected) and bool(discord.world.commands[None])


class BenchError(Exception):
    """A measurement that cannot be finished; shows what the bot printed last."""

    def __init__(self, reason: str, bot: BotProcess) -> None:
        super().__init__("\n".join([reason, *bot.output(15)]))


@asynccontextmanager
async def open_stage(
    command: Sequence[str] | None = BOT, *, speed: float = 1.0, webhook: bool = False, **env: str
) -> AsyncIterator[Stage]:
    """A world of its own; `command` None is the bot on the world's clock, so that the clock may be quickened."""
    address_map = AddressMap.to_free_port(PUBLIC_URL) if webhook else None
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = Path(name)
        async with Sandbox(speed=speed, address_map=address_map) as sandbox:
            url = f"sqlite+aiosqlite:///{folder}/muster.db"
            settings = {**sandbox.settings_env(url), "LOG_LEVEL": "WARNING", **env}
            if command is None:
                bot = BotProcess.following(sandbox.control_url, folder=folder, settings=settings)
            else:
                bot = BotProcess(command, folder=folder, settings=settings)
            try:
                yield Stage(sandbox, bot, url)
            finally:
                await bot.kill()
