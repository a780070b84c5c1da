"""The source picture of an alchemy request: base64 is looked at and stored, a URL is only looked at.

Wording and rules differ a little from those for image requests (`bot/sandbox/horde/sources.py`), as on the real server.
"""

from __future__ import annotations

import asyncio
import base64
import binascii

from bot.sandbox.horde.alchemy import pixels
from bot.sandbox.horde.alchemy.forms import tiles
from bot.sandbox.horde.alchemy.requests import Source
from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.sources import FAILED, MAX_PIXELS, UNREADABLE, fetch

MAX_URL_TILES = 255
TOO_LARGE = "Provided image cannot be larger than 5Mb"


async def source_from(text: str) -> Source:
    """The source a request names; a refusal when the server would not take it."""
    return await _from_url(text) if text.startswith("http") else await _from_base64(text)


async def _from_url(url: str) -> Source:
    """Look at the picture once; whoever works on it downloads it again, later."""
    data = await fetch(url, too_large=TOO_LARGE)
    try:
        width, height = await asyncio.to_thread(pixels.size_of, data)
    except pixels.UNREADABLE as error:
        raise HordeError(400, f"{FAILED} Url does not contain a valid image.", "SourceImageUrlInvalid") from error
    count = tiles(width, height)
    if count > MAX_URL_TILES:
        message = (
            f"{FAILED} Image is too large ({count} tiles) and would cause horde alchemists to run out of VRAM trying"
            " to process it."
        )
        raise HordeError(400, message, "SourceImageResolutionExceeded")
    return Source(width=width, height=height, tiles=count, url=url)


async def _from_base64(text: str) -> Source:
    try:
        data = base64.b64decode(text, validate=True)
        width, height = await asyncio.to_thread(pixels.size_of, data)
        if width * height > MAX_PIXELS:
            message = f"{FAILED} Image size cannot exceed 3072*3072 pixels"
            raise HordeError(400, message, "SourceImageResolutionExceeded")
        stored = await asyncio.to_thread(pixels.stored, data)
    except (binascii.Error, *pixels.UNREADABLE) as error:
        raise HordeError(400, UNREADABLE, "ImageValidationFailed") from error
    return Source(width=width, height=height, tiles=tiles(width, height), data=stored)
