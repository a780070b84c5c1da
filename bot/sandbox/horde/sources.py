"""Source pictures of a request: fetched or decoded, and looked at with Pillow off the event loop."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io

import aiohttp
from PIL import Image, UnidentifiedImageError

from bot.sandbox.horde.errors import HordeError
from bot.sandbox.horde.orders import ImageOrder

MAX_PIXELS = 3072 * 3072
MAX_BYTES = 5 * 1024 * 1024
_FETCH_SECONDS = 2.0
FAILED = "Image validation failed."
UNREADABLE = (
    f"{FAILED} Please ensure the source image payload is either a URL containing an image"
    " or a valid base64 encoded image."
)


async def check_sources(order: ImageOrder) -> None:
    """Raise the refusal for a source picture or mask that the server would not take."""
    if order.source_image is None:
        return
    bands = await _bands(order.source_image)
    if order.source_mask is not None:
        await _bands(order.source_mask)
    elif order.source_processing in {"inpainting", "outpainting"} and bands < 4:
        message = f"{FAILED} Inpainting requests must either include a mask, or an alpha channel."
        raise HordeError(400, message, "InpaintingMissingMask")
    for extra in order.extra_source_images or ():
        await _bands(str(extra.get("image", "")))


async def _bands(source: str) -> int:
    """How many channels the picture has."""
    try:
        return await _bands_of(source)
    except Image.DecompressionBombError as error:
        raise _too_large() from error


async def _bands_of(source: str) -> int:
    if source.startswith("http"):
        try:
            return await asyncio.to_thread(_inspect, await fetch(source))
        except (UnidentifiedImageError, OSError) as error:
            message = f"{FAILED} Url does not contain a valid image."
            raise HordeError(400, message, "SourceImageUrlInvalid") from error
    try:
        return await asyncio.to_thread(_inspect, base64.b64decode(source, validate=True))
    except (binascii.Error, ValueError, OSError) as error:
        raise HordeError(400, UNREADABLE, "ImageValidationFailed") from error


def _inspect(data: bytes) -> int:
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_large()
        image.load()
        return len(image.getbands())


def _too_large() -> HordeError:
    message = f"{FAILED} The source image is larger than 3072x3072 pixels."
    return HordeError(400, message, "SourceImageResolutionExceeded")


async def fetch(url: str, *, too_large: str = "Provided image size cannot exceed 5 Mb.") -> bytes:
    """Download a picture as the server does: itself, within 2 s, at most 5 MB (refused in the words of `too_large`)."""
    timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            data = await response.content.read(MAX_BYTES + 1)
            while len(data) <= MAX_BYTES and not response.content.at_eof():
                data += await response.content.read(MAX_BYTES + 1)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        message = f"{FAILED} Something went wrong when retrieving image url."
        raise HordeError(400, message, "ImageValidationFailed") from error
    if len(data) > MAX_BYTES:
        raise HordeError(400, f"{FAILED} {too_large}", "SourceImageSizeExceeded")
    return data
