"""The `.env` file as text: which names it sets, and which of its lines cannot be read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from bot.errors import SetupError


def names_in(file: str | Path) -> Sequence[str]:
    """Return the names that the file gives a value, none where there is no such file. No value is ever shown.

    Raises `SetupError` where it is no text, may not be read, or has lines that are no settings.
    """
    path = Path(file)
    try:
        if not path.is_file():
            return ()
        bindings = list(parse_stream(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError):
        raise SetupError([f"{path} cannot be read: make it a UTF-8 text file that the bot's user may read"]) from None
    if broken := [_line_of(binding) for binding in bindings if _is_broken(binding)]:
        fix = "give NAME=value (a quote left open?)"
        raise SetupError([f"{path} line {line} cannot be read: {fix}" for line in broken])
    return [binding.key for binding in bindings if binding.key is not None]


def _line_of(binding: Binding) -> int:
    """The line it stands in; the parser counts from the blank lines before it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _is_broken(binding: Binding) -> bool:
    """Whether it is neither a setting nor empty; a name alone is as good as nonsense."""
    return binding.error or (binding.key is not None and binding.value is None)
