"""Personas: who the model is asked to be. The built-in ones are a data file; servers' and people's own come later."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bot.errors import InvalidRequest

#: Longest text that a persona tells the model, in characters.
MAX_SYSTEM = 1500
#: Choices of one autocomplete answer (Discord).
CHOICES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One character."""

    #: What it is called in commands and rows.
    name: str
    title: str
    about: str
    #: What the model is told.
    system: str
    greeting: str = ""

    def __post_init__(self) -> None:
        """Refuse one that no prompt has room for."""
        if not self.system.strip() or len(self.system) > MAX_SYSTEM:
            raise ValueError(f"the persona {self.name} needs a text of at most {MAX_SYSTEM} characters")


class Personas:
    """The personas there are."""

    def __init__(self, personas: Sequence[Persona]) -> None:
        self._by_name = {persona.name.casefold(): persona for persona in personas}
        self.default = personas[0]

    def all(self) -> Sequence[Persona]:
        """Every one, the usual one first."""
        return tuple(self._by_name.values())

    def find(self, text: str) -> Persona:
        """The persona meant by `text`; the usual one for nothing. Raises `InvalidRequest` naming what there is."""
        wanted = text.strip().casefold()
        if not wanted:
            return self.default
        if wanted in self._by_name:
            return self._by_name[wanted]
        by_title = [persona for persona in self.all() if persona.title.casefold() == wanted]
        if by_title:
            return by_title[0]
        names = ", ".join(f"`{persona.name}`" for persona in self.all())
        raise InvalidRequest(user_message=f"I know no such persona. There are: {names}.")

    def known(self, name: str) -> Persona:
        """The persona of that name, or the usual one: a conversation may outlive its persona."""
        return self._by_name.get(name.strip().casefold(), self.default)

    def choices(self, typed: str) -> Sequence[Persona]:
        """Those whose name or title holds what was typed so far."""
        wanted = typed.strip().casefold()
        return [one for one in self.all() if wanted in one.name.casefold() or wanted in one.title.casefold()][:CHOICES]


@cache
def built_in() -> Personas:
    """Read the personas that ship with Muster."""
    text = resources.files("bot").joinpath("personas.toml").read_text(encoding="utf-8")
    return Personas([Persona(name=name, **fields) for name, fields in tomllib.loads(text).items()])
