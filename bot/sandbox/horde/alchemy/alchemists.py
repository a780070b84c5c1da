"""The alchemists: workers that take forms instead of prompts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from bot.sandbox.horde.alchemy.forms import CHANGING, FORMS
from bot.sandbox.horde.alchemy.requests import AlchemyRequest, Form
from bot.sandbox.horde.ids import new_uuid
from bot.sandbox.horde.worker_base import WorkerBase

DEFAULT_COUNT = 2
#: The largest source the server stores (3072x3072) has 36 tiles, so by default nothing waits for its size.
DEFAULT_TILES = 36


@dataclass(slots=True, kw_only=True)
class Alchemist(WorkerBase):
    """One alchemy worker: the forms it offers, and how many of them it takes at once (and does one after another)."""

    forms: list[str] = field(default_factory=lambda: list(FORMS))
    max_tiles: int = DEFAULT_TILES
    batch: int = 1
    slow: bool = False
    busy: bool = False

    def can_serve(self, request: AlchemyRequest, form: Form) -> bool:
        """Whether this alchemist, were it free, could take `form`."""
        if form.name not in self.forms or (request.trusted_workers and not self.trusted):
            return False
        if self.slow and not request.slow_workers:
            return False
        return form.name not in CHANGING or request.source.tiles <= self.max_tiles


@dataclass(slots=True)
class Guild:
    """All alchemists, in the order they joined."""

    rng: Random
    members: list[Alchemist] = field(default_factory=list)

    def resize(self, count: int) -> None:
        """Keep the first `count`, or have more join who offer what the first one does (without one: everything)."""
        del self.members[count:]
        while len(self.members) < count:
            identity = new_uuid(self.rng)
            newcomer = Alchemist(id=identity, name=f"alchemist-{len(self.members) + 1:02}")
            if self.members:
                newcomer.forms = list(self.members[0].forms)
            self.members.append(newcomer)

    def offer(self, forms: Iterable[str]) -> None:
        """Have every alchemist offer exactly these forms; an unknown name is a `ValueError`."""
        chosen = list(dict.fromkeys(forms))
        unknown = [name for name in chosen if name not in FORMS]
        if unknown:
            raise ValueError(f"no such form: {', '.join(unknown)}")
        for member in self.members:
            member.forms = list(chosen)

    @property
    def online(self) -> list[Alchemist]:
        """Alchemists that have called in lately."""
        return [member for member in self.members if member.online]
