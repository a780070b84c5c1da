"""Make a source fit to be sent: upright, first frame, 8-bit colours, nothing but pixels, within the Horde's limits.

A photo tells where and when it was taken; a worker gets the pixels only. What Pillow would spoil (16-bit greys come
out white) is converted by hand. Small pictures stay lossless; a large one becomes a good WebP, which is what the Horde
makes of it anyway.
"""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass

from PIL import Image, ImageOps

from bot.domain.alchemy import tiles
from bot.domain.sources import SourceFacts
from bot.media import decode

#: What the Horde takes (server 5.1.5): pixels of a picture sent as base64, and squares of 512×512.
MAX_PIXELS, MAX_TILES = 3072 * 3072, 255
#: Longest side that WebP can hold, in pixels; the Horde keeps sources as WebP.
MAX_SIDE = 16_383
#: Up to here it is worth trying to stay lossless, in pixels and in bytes; what is sent is never more bytes than that.
LOSSLESS_PIXELS, MAX_BYTES = 2048 * 2048, 4 * 1024 * 1024
#: WebP qualities tried, best first; Pillow's `method` weighs size against time, and someone is waiting.
GOOD, FAIR, EFFORT = 92, 80, 2
#: A picture that is still too heavy is made a little smaller than its weight says it should be.
MARGIN = 0.9

_OPAQUE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A source ready to be sent, and what it turned out to be."""

    data: bytes
    facts: SourceFacts


def prepare(data: bytes, *, max_pixels: int) -> Prepared:
    """Decode and make ready (blocking: call it in a thread). Raises `MediaError` with a sentence for the person."""
    frame = decode(data, max_pixels=max_pixels)
    upright = _flat(_upright(frame.image))
    width, height = upright.size
    sent, encoded = _encoded(_resized(upright, fitting(width, height)))
    facts = SourceFacts(
        width=sent.width, height=sent.height, given_width=width, given_height=height, animated=frame.animated
    )
    return Prepared(data=encoded, facts=facts)


def fitting(width: int, height: int) -> tuple[int, int]:
    """The largest size of the same shape that the Horde takes; the size itself when it does."""
    share = min(1.0, math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / max(width, height))
    new = _scaled(width, height, share)
    while new[0] * new[1] > MAX_PIXELS or tiles(*new) > MAX_TILES:
        share *= 0.99
        new = _scaled(width, height, share)
    return new


def _scaled(width: int, height: int, share: float) -> tuple[int, int]:
    return max(1, round(width * share)), max(1, round(height * share))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, LookupError, TypeError, struct.error):
        return image  # what a broken note on orientation throws; the pixels are fine


def _flat(image: Image.Image) -> Image.Image:
    """As RGB or, where something can be seen through, RGBA of 8 bits."""
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip instead of scaling
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    lowest, _ = clear.getchannel("A").getextrema()
    return clear.convert("RGB") if lowest == _OPAQUE else clear


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encoded(image: Image.Image) -> tuple[Image.Image, bytes]:
    """Encode so that it weighs at most `MAX_BYTES`; a picture of noise may have to be made smaller for that."""
    if image.width * image.height <= LOSSLESS_PIXELS:
        encoded = _saved(image, "PNG")
        if len(encoded) <= MAX_BYTES:
            return image, encoded
    while True:
        encoded = _saved(image, "WEBP", quality=GOOD, method=EFFORT)
        if len(encoded) > MAX_BYTES:
            encoded = _saved(image, "WEBP", quality=FAIR, method=EFFORT)
        if len(encoded) <= MAX_BYTES:
            return image, encoded
        share = MARGIN * math.sqrt(MAX_BYTES / len(encoded))
        image = _resized(image, _scaled(image.width, image.height, share))


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    bare = image.copy()
    bare.info = {}  # EXIF, comments, colour profile: some encoders write them unasked
    buffer = io.BytesIO()
    bare.save(buffer, kind, **options)
    return buffer.getvalue()
