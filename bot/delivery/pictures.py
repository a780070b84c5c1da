"""Make a picture fit what Discord takes: re-encode first, make it smaller only if that is not enough."""

from __future__ import annotations

import asyncio
import io

from PIL import Image

#: WebP qualities tried at full size, best first.
QUALITIES = (90, 80)
#: Each further try keeps this share of the side length.
SHRINK = 0.8
SMALLEST_SIDE = 64
#: Endings, without a dot, of files that nothing makes smaller here.
UNSHRINKABLE = frozenset({"svg", "mp4", "webm", "wav", "mp3", "bin"})
#: WebP knows no larger sides.
LARGEST_SIDE = 16383


async def fit(data: bytes, extension: str, limit: int) -> tuple[bytes, str]:
    """Return (bytes, extension) of at most `limit` bytes; the picture itself when it already fits."""
    if len(data) <= limit:
        return data, extension
    return await asyncio.to_thread(_smaller, data, limit), "webp"


def _smaller(data: bytes, limit: int) -> bytes:
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    encoded = b""
    for quality in QUALITIES:
        encoded = _encode(picture, quality)
        if len(encoded) <= limit:
            return encoded
    while len(encoded) > limit and min(picture.size) > SMALLEST_SIDE:
        width, height = (max(1, round(side * SHRINK)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        encoded = _encode(picture, QUALITIES[-1])
    return encoded


def _encode(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()
