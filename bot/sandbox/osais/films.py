"""Little films for the simulated sadtalker and facefusion, made here frame by frame; call it off the event loop.

Pillow writes no MP4, but it writes animated AVIF, and that is nearly one: AV1 frames in the same container (ISO base
media), in a track that calls itself pictures instead of video. So three marks are changed in place, each for one of the
same length. Every current browser plays the result.
"""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw, ImageOps

_SIDE = 256
_FRAMES = 12
_FRAME_MS = 125
_BACKGROUND = (58, 76, 110)


def film(source: Image.Image | None, *, index: int) -> bytes:
    """A film of a second and a half: the source picture (or a plain face) moving its mouth."""
    face = ImageOps.fit(source.convert("RGB"), (_SIDE, _SIDE)) if source else _face()
    frames = [_frame(face, number, index) for number in range(_FRAMES)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "AVIF", save_all=True, append_images=frames[1:], duration=_FRAME_MS, speed=10, quality=55)
    return _as_mp4(buffer.getvalue())


def padded(data: bytes, size: int) -> bytes:
    """The film made larger by a box that players skip."""
    room = max(8, size - len(data))
    return data + room.to_bytes(4, "big") + b"free" + bytes(room - 8)


def _face() -> Image.Image:
    image = Image.new("RGB", (_SIDE, _SIDE), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    draw.ellipse([48, 24, 208, 232], fill=(236, 196, 160))
    for x in (98, 158):
        draw.ellipse([x - 12, 96, x + 12, 116], fill="white")
        draw.ellipse([x - 5, 100, x + 5, 112], fill="black")
    return image


def _frame(face: Image.Image, number: int, index: int) -> Image.Image:
    image = face.copy()
    opened = 3 + 11 * abs(math.sin(number * 0.8 + index))
    ImageDraw.Draw(image).ellipse([100, 182 - opened, 156, 182 + opened], fill=(120, 30, 40))
    return image


def _as_mp4(avif: bytes) -> bytes:
    """The same frames with the marks of an MP4: brands, no still picture, a track of kind `vide`."""
    length = int.from_bytes(avif[:4], "big")
    brands = (b"isom" + bytes([0, 0, 2, 0]) + b"isomiso6av01mp41")[: length - 8]
    head = avif[:8] + brands + b"isom" * ((length - 8 - len(brands)) // 4)
    rest = avif[length:]
    # The first `meta` describes the still picture, the first `hdlr` after `moov` the track.
    meta = rest.index(b"meta")
    track = rest.index(b"pict", rest.index(b"hdlr", rest.index(b"moov")))
    return head + rest[:meta] + b"free" + rest[meta + 4 : track] + b"vide" + rest[track + 4 :]
