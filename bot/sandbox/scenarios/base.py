"""What a scenario is, and what it is given: the world to act on (`people.py`) and a transcript to write."""

from __future__ import annotations

from typing import Protocol

from bot.sandbox.scenarios.people import World
from bot.sandbox.scenarios.transcript import Transcript


class Scenario(Protocol):
    """One story played against the whole bot: a file of its own, registered in this package."""

    @property
    def name(self) -> str:
        """What `--scenario` calls it."""
        ...

    @property
    def summary(self) -> str:
        """What happens and what is promised, in one line."""
        ...

    async def play(self, world: World, transcript: Transcript) -> None:
        """Act as people do and look at what comes of it; raises ScenarioFailed if that is not what was promised."""
        ...
