"""Finding out which model a person means, and asking back."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

#: Names suggested at the most.
_CLOSE_NAMES: Final = 5


def folded(text: str) -> str:
    """A name as it is compared: in any case, with any blanks."""
    return " ".join(text.casefold().split())


def close_names(wanted: str, names: Iterable[str]) -> Sequence[str]:
    """The names that hold `wanted` (folded), else those that are written much like it."""
    by_folded = {folded(name): name for name in names}
    inside = [name for key, name in by_folded.items() if wanted and wanted in key]
    return inside or [by_folded[key] for key in difflib.get_close_matches(wanted, by_folded, n=_CLOSE_NAMES)]


def did_you_mean(text: str, close: Sequence[str], *, kind: str, command: str) -> str:
    """Say that no such `kind` is known, with names that come close, and where the whole list is."""
    shown = "".join(c for c in text if c.isprintable() and c != "`")[:80]
    names = ", ".join(f"`{name}`" for name in close[:_CLOSE_NAMES])
    question = f" Did you mean one of these: {names}?" if close else ""
    return f"I don't know a {kind} called `{shown}`.{question} The whole list comes up with `{command}`."
