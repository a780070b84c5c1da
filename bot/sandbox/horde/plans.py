"""Mishaps a test has asked for; each is used up by the next jobs of real requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bot.sandbox.horde.requests import Censorship


@dataclass(slots=True, kw_only=True)
class Plans:
    """Mishaps of images and texts alike."""

    faults: int = 0
    silences: int = 0
    censorships: deque[Censorship] = field(default_factory=deque)

    def censor(self, count: int, kind: Censorship | str) -> None:
        """Have the next `count` results withheld, in place of what was planned of that."""
        self.censorships.clear()
        self.censorships.extend([Censorship(kind)] * count)
