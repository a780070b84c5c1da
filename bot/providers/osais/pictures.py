"""Make a picture fit what engines take: PNG or JPEG, within their limits of pixels and bytes."""

from __future__ import annotations

import io

from PIL import Image

#: The limits of most configs (as its AIs publish them): longest side in pixels, bytes.
MAX_SIDE, MAX_BYTES = 1024, 1024 * 1024
#: JPEG qualities tried, best first; then the picture is made smaller by this share.
QUALITIES, SHRINK = (92, 85, 75), 0.8
SMALLEST_SIDE = 64


def fitted(data: bytes, most_side: int = 0, most_bytes: int = 0) -> tuple[bytes, str]:
    """The picture as (bytes, media type), re-encoded and made smaller only as far as need be (blocking).

    `data` was decoded before and is a picture in order. 0 stands for the usual limit.
    """
    side, limit = most_side or MAX_SIDE, most_bytes or MAX_BYTES
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        picture = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    if data.startswith(b"\x89PNG") and max(picture.size) <= side and len(data) <= limit:
        return data, "image/png"
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    encoded = _encoded(picture, "PNG")
    if len(encoded) <= limit:
        return encoded, "image/png"
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    while True:
        for quality in QUALITIES:
            encoded = _encoded(flat, "JPEG", quality=quality)
            if len(encoded) <= limit:
                return encoded, "image/jpeg"
        if min(flat.size) <= SMALLEST_SIDE:
            return encoded, "image/jpeg"
        width, height = (max(1, round(length * SHRINK)) for length in flat.size)
        flat = flat.resize((width, height), Image.Resampling.LANCZOS)


def _encoded(picture: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
