"""What the operator says of chat templates: a file laid over ours, and which model reads which."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.chat.templates import TemplateBook, bundled
from bot.errors import SetupError


def operators_book(file: str, overrides: Mapping[str, str]) -> TemplateBook:
    """Read the templates that ship, with the operator's file (empty: none) over them.

    Raises `SetupError` where the file cannot be read, or `overrides` (model to template) name a template that is not
    there.
    """
    book = bundled()
    if file:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise SetupError(
                ["TEXT_TEMPLATES_FILE cannot be read: make it a UTF-8 text file that the bot's user may read"]
            ) from None
        book = book.over(text)
    missing = sorted(set(overrides.values()) - set(book.families))
    if missing:
        raise SetupError([f"TEXT_TEMPLATES names templates that are not there: {', '.join(missing)}"])
    return book
