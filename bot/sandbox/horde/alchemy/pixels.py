"""Picture bytes in and out, whatever their mode: 16 bits, CMYK, palettes, animations. Call it off the event loop."""

from __future__ import annotations

import io
import struct

from PIL import Image

#: What Pillow raises on bytes that are no picture, a broken one, or a bomb.
UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_BEST, _WORST = 100, 50
_LARGE_PIXELS = 4_000_000


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height, from the header alone."""
    with Image.open(io.BytesIO(data)) as image:
        return image.size


def opened(data: bytes) -> Image.Image:
    """The first frame, loaded, as RGB or (with any transparency) RGBA of 8 bits."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if image.mode.startswith("I"):
            # Pillow would clip 16 bits to 255 instead of scaling them.
            return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
        return image.convert("RGBA" if image.has_transparency_data else "RGB")


def stored(data: bytes) -> bytes:
    """The WebP that the server keeps of a source sent as base64: worse with size, first frame only, without EXIF."""
    image = opened(data)
    share = min(1.0, image.width * image.height / _LARGE_PIXELS)
    return webp(image, quality=round(_BEST - (_BEST - _WORST) * share))


def webp(image: Image.Image, *, quality: int = 90) -> bytes:
    """The picture as WebP, alpha kept."""
    buffer = io.BytesIO()
    large = image.width * image.height > _LARGE_PIXELS
    image.save(buffer, "WEBP", quality=quality, method=0 if large else 1)
    return buffer.getvalue()
