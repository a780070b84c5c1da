"""How each family of models wants a conversation written: `templates.toml`, read and checked.

The data file's head explains its fields. `TemplateBook.over` lays an operator's own file over it, so that a family can
be added without code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bot.errors import SetupError

Pair = tuple[str, str]

#: The fallback for models of unknown format, and the one for base models.
FALLBACK, PLAIN = "alpaca_plain", "plain"
#: Stands for the date in a template.
TODAY = "{today}"

_FIELDS = frozenset(
    {
        "about",
        "start",
        "system",
        "fold",
        "always_system",
        "user",
        "assistant",
        "open",
        "stop",
        "thought",
        "thinks",
        "calm",
    }
)
#: What only a template writes: such a thing in the text it frames marks a family that has tokens of its own.
_MARKED = re.compile(r"[<\[\]◁]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One family's way of writing. Pairs stand before and behind the text of a role."""

    name: str
    about: str = ""
    start: str = ""
    system: Pair | None = None
    #: Put round the system text inside the first user turn where there is no system role.
    fold: Pair | None = None
    #: The system part is written even without a system text.
    always_system: bool = False
    user: Pair
    assistant: Pair
    #: What opens the answer; by default what opens every answer.
    open: str | None = None
    #: The end of a turn first, then guards.
    stop: tuple[str, ...] = ()
    #: What opens and closes a thought in the output.
    thought: Pair | None = None
    #: Whether a model addressed like this thinks before it answers.
    thinks: bool = False
    #: The name of the template that keeps the same models from thinking; empty when there is none.
    calm: str = ""

    @property
    def opening(self) -> str:
        """What the prompt ends with."""
        return self.assistant[0] if self.open is None else self.open

    @property
    def opened(self) -> bool:
        """Whether the prompt has opened a thought already, so that the output only closes it."""
        return self.thought is not None and self.opening.rstrip().endswith(self.thought[0].rstrip())

    @property
    def marked(self) -> bool:
        """Whether turns are told apart by tokens of their own rather than by plain words."""
        return bool(_MARKED.search(self.user[0]))

    @property
    def strings(self) -> tuple[str, ...]:
        """Every string the template may write, or watches for."""
        pairs = (self.system, self.fold, self.user, self.assistant, self.thought)
        framed = tuple(text for pair in pairs if pair is not None for text in pair)
        return (*framed, self.start, self.opening, *self.stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePattern:
    """Models whose name tells their family."""

    pattern: re.Pattern[str]
    family: str
    #: Overrides of the family's own; None where it has the say.
    thinks: bool | None = None
    calm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateBook:
    """All families, the labels of the model reference, and patterns of names in the order to try them."""

    families: Mapping[str, Template]
    formats: Mapping[str, str]
    names: tuple[NamePattern, ...]

    def __getitem__(self, name: str) -> Template:
        """Return the family of that name, or the fallback: a row may outlive a family."""
        return self.families.get(name) or self.families[FALLBACK]

    def over(self, text: str) -> TemplateBook:
        """Lay an operator's file over this book. Raises `SetupError`."""
        laid = _read(text)
        book = TemplateBook(
            families={**self.families, **laid.families},
            formats={**self.formats, **laid.formats},
            names=(*laid.names, *self.names),
        )
        _check(book)
        return book


@cache
def bundled() -> TemplateBook:
    """Read the families that ship with Muster."""
    text = resources.files(__package__ or "").joinpath("templates.toml").read_text(encoding="utf-8")
    book = _read(text)
    _check(book)
    return book


def _read(text: str) -> TemplateBook:
    try:
        data = tomllib.loads(text)
        return TemplateBook(
            families={name: _template(name, table) for name, table in data.get("families", {}).items()},
            formats=dict(data.get("formats", {})),
            names=tuple(_name_pattern(row) for row in data.get("names", [])),
        )
    except (tomllib.TOMLDecodeError, re.error, TypeError, KeyError, ValueError, AttributeError) as error:
        raise SetupError(
            [f"The file of chat templates can't be read ({error}): compare it with templates.toml"]
        ) from error


def _template(name: str, table: Mapping[str, Any]) -> Template:
    unknown = set(table) - _FIELDS
    if unknown:
        raise ValueError(f"{name} has no {', '.join(sorted(unknown))}")
    fields = dict(table)
    for key in ("system", "fold", "user", "assistant", "thought"):
        if key in fields:
            before, behind = fields[key]
            fields[key] = (str(before), str(behind))
    fields["stop"] = tuple(str(stop) for stop in fields.get("stop", ()))
    return Template(name=name, **fields)


def _name_pattern(row: Mapping[str, Any]) -> NamePattern:
    return NamePattern(
        pattern=re.compile(row["pattern"]), family=row["family"], thinks=row.get("thinks"), calm=row.get("calm")
    )


def _check(book: TemplateBook) -> None:
    named = {*book.formats.values(), *(row.family for row in book.names), FALLBACK, PLAIN}
    named |= {one.calm for one in book.families.values()} | {row.calm or "" for row in book.names}
    missing = named - set(book.families) - {""}
    if missing:
        raise SetupError([f"The chat templates name families that are not there: {', '.join(sorted(missing))}"])
