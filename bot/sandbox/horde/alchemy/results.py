"""What an alchemist makes of a picture: one value for each form, from the pixels. Call it off the event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PIL import Image

from bot.sandbox.horde.alchemy import pixels, words
from bot.sandbox.horde.alchemy.changing import change
from bot.sandbox.horde.alchemy.colours import Look, hexadecimal, look_at
from bot.sandbox.horde.alchemy.forms import CHANGING
from bot.sandbox.horde.alchemy.vector import vectorize

_NSFW_SHARE = 0.6

_MEASURED: Mapping[str, Callable[[Look], object]] = {
    "caption": words.caption,
    "describe": words.describe,
    "interrogation": words.interrogation,
    "aesthetic": words.aesthetic,
    "palette": lambda look: [hexadecimal(colour) for colour in look.colours],
    # No pixel can tell, so there is a rule to test with: a picture that is mostly hot pink.
    "nsfw": lambda look: look.pink > _NSFW_SHARE,
}


def make(form: str, data: bytes) -> object:
    """The result's value, or `bytes` (WebP) for the forms that change the picture; raises `pixels.UNREADABLE`."""
    image: Image.Image = pixels.opened(data)
    if form in CHANGING:
        return pixels.webp(change(form, image))
    if form == "vectorize":
        return vectorize(image)
    return _MEASURED[form](look_at(image))
