"""The word filter. Its two lists are harmless inventions: the real ones are long, private and of no use to a client."""

from __future__ import annotations

import re

from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.orders import ImageOrder

#: Words that the filter objects to; used in tests and demos.
FORBIDDEN = ("zqbadword",)
MAX_WORDS = 7500
MAX_FILTERED = 7000
_PATTERN = re.compile("|".join(FORBIDDEN), re.IGNORECASE)
_CORRUPT = (
    "This prompt appears to violate our terms of service and will be reported."
    " Please contact us if you think this is an error."
)


def check_length(prompt: str) -> None:
    """Refuse more than 7500 words."""
    if len(prompt.split()) > MAX_WORDS:
        raise HordeError(400, "Too large prompt. Please reduce the amount of tokens contained.", "InvalidPromptSize")


def is_corrupt(order: ImageOrder) -> bool:
    """Whether the prompt is refused and its sender punished: an objectionable one without the replacement filter."""
    if _PATTERN.search(order.prompt) is None:
        return False
    return not order.replacement_filter or not replaced(order.prompt).strip()


def corrupt() -> HordeError:
    """The refusal of such a prompt."""
    return HordeError(400, _CORRUPT, "CorruptPrompt")


def replaced(prompt: str) -> str:
    """The prompt with objectionable words rewritten, of which nobody is told."""
    positive, mark, negative = prompt.partition("###")
    if _PATTERN.search(positive) and len(positive) > MAX_FILTERED:
        message = f"Prompt needs to be shorter than {MAX_FILTERED} characters to be checked by the replacement filter."
        raise HordeError(400, message, "BadRequest")
    return _PATTERN.sub("", positive) + mark + negative
