"""The world behind the page: the demo's own, in this process, with the real bot as its child."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.sandbox.discord import Channel
from bot.sandbox.discord.kinds import InteractionState
from tests.flow.lives import Lives, open_lives
from tests.flow.town import eventually

#: World seconds that pass at once while a test waits for the bot, and real ones in between.
STEP, BREATH = 0.5, 0.01


class Stage:
    """What a test may do to the world besides using the page."""

    def __init__(self, lives: Lives) -> None:
        self.lives = lives
        self.sandbox = lives.sandbox
        self.channel: Channel
        self._rooms = 0

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"{self.sandbox.url}/"

    async def clear(self) -> None:
        """Put everything right, have the bot alive, and make a channel that nobody wrote in."""
        self.lives.calm_down()
        self.sandbox.horde.set_workers(speed=4)
        self.sandbox.horde.text.apply({"paused": False, "queue": 2})
        self.sandbox.osais.release()
        await self.lives.live()
        await eventually(lambda: not self._unanswered())
        self._rooms += 1
        guild = next(iter(self.sandbox.discord.world.guilds.values()))
        self.channel = await self.sandbox.discord.make_channel(guild, f"room-{self._rooms}")

    @asynccontextmanager
    async def hurrying(self, *, past_deadlines: bool = False) -> AsyncIterator[None]:
        """Let the world's time run fast inside the block.

        It stands back while the bot owes Discord an answer, for that takes real time and three seconds of the world's
        end it; `past_deadlines` is for the tests of just that.
        """
        hurry = asyncio.create_task(self._hurry(past_deadlines), name="hurry")
        try:
            yield
        finally:
            hurry.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await hurry

    async def _hurry(self, past_deadlines: bool) -> None:
        while True:
            await asyncio.sleep(BREATH)
            if past_deadlines or not self._unanswered():
                self.sandbox.clock.advance(STEP)

    def _unanswered(self) -> bool:
        records = self.sandbox.discord.world.interactions.values()
        return any(record.state is InteractionState.PENDING for record in records)


@asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    """A world with a bot in it that the page can kill and start."""
    async with open_lives(folder) as lives:
        lives.sandbox.bot_control.adopt(lives.bot)
        yield Stage(lives)
