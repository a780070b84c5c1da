"""Pictures for the simulated engines that make pictures; call it off the event loop."""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps, PngImagePlugin

Colour = tuple[int, int, int]
_SMALL = 64
#: Largest side made of what a client asks for.
_LARGEST_SIDE = 2048
#: How far a colour may be from the corners' to count as background.
_BACKGROUND_DISTANCE = 40


def picture(engine: str, params: Mapping[str, Any], source: bytes | None, *, index: int, title: str) -> bytes:
    """One PNG of an engine: painted, or made of `source`. `index` varies it, `title` goes into its text."""
    original = _opened(source)
    if original is None or engine in {"diffusion", "vqgan", "cnet"}:
        image = _painted(params, index, original)
    else:
        change = _CHANGES.get(engine)
        image = change(original, params) if change else original
    return png(image, title)


def png(image: Image.Image, title: str) -> bytes:
    """The picture as PNG; pictures of different titles are different files."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", title)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=text, compress_level=4)
    return buffer.getvalue()


def noise(side: int, seed: int) -> Image.Image:
    """A picture that no format makes smaller: 3 bytes for each pixel."""
    return Image.frombytes("RGB", (side, side), Random(seed).randbytes(side * side * 3))


def _opened(source: bytes | None) -> Image.Image | None:
    if source is None:
        return None
    try:
        image = Image.open(io.BytesIO(source))
        return ImageOps.exif_transpose(image).convert("RGBA" if "A" in image.getbands() else "RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def _size(params: Mapping[str, Any]) -> tuple[int, int]:
    side = params.get("res", 512)
    width, height = params.get("width", side), params.get("height", side)
    return tuple(min(_LARGEST_SIDE, max(16, int(side))) for side in (width, height))  # type: ignore[return-value]


def _painted(params: Mapping[str, Any], index: int, original: Image.Image | None) -> Image.Image:
    """Discs over a gradient, their colours from the words, places from seed and index; a source shines through."""
    width, height = _size(params)
    mood = Random(hashlib.sha256(str(params.get("word", "")).encode()).digest())
    rng = Random(f"{params.get('seed', 0)}/{index}")
    hue = mood.random()
    image = _gradient(_rgb(hue, 0.7, 0.3), _rgb(hue + 0.12, 0.5, 0.95)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(7, 12)):
        radius = rng.uniform(0.03, 0.16) * min(width, height)
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        colour = _rgb(hue + mood.choice((0.0, 0.1, 0.45, 0.55)) + rng.uniform(-0.05, 0.05), 0.65, rng.uniform(0.5, 1))
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
    points = [(x, height * (0.8 + 0.06 * math.sin(x / width * 9 + index))) for x in range(0, width + 8, 8)]
    draw.polygon([*points, (width, height), (0, height)], fill=_rgb(hue, 0.6, 0.18))
    if original is None:
        return image
    shining = ImageOps.fit(original.convert("RGB"), (width, height))
    return Image.blend(shining, image, min(0.9, max(0.1, float(params.get("strength", 0.5)) * 0.6)))


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    column = Image.new("RGB", (1, _SMALL))
    for row in range(_SMALL):
        share = row / (_SMALL - 1)
        red, green, blue = (round(one + (two - one) * share) for one, two in zip(top, bottom, strict=True))
        column.putpixel((0, row), (red, green, blue))
    return column.resize((_SMALL, _SMALL))


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _returned(image: Image.Image, params: Mapping[str, Any]) -> Image.Image:
    """What ping does: the picture back, in the size asked for."""
    return ImageOps.fit(image, _size(params)) if {"width", "height"} <= params.keys() else image


def _restored(image: Image.Image, params: Mapping[str, Any]) -> Image.Image:
    scale = params.get("res", 1)
    size = (min(4096, image.width * scale), min(4096, image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS).filter(ImageFilter.UnsharpMask(radius=2, percent=80))


def _cut_out(image: Image.Image, _: Mapping[str, Any]) -> Image.Image:
    flat = image.convert("RGB")
    right, bottom = flat.width - 1, flat.height - 1
    background = Image.new("L", flat.size, 255)
    for corner in ((0, 0), (right, 0), (0, bottom), (right, bottom)):
        colour = flat.getpixel(corner)
        away = ImageChops.difference(flat, Image.new("RGB", flat.size, colour)).convert("L")
        background = ImageChops.darker(background, away)
    cut = flat.convert("RGBA")
    cut.putalpha(
        background.point([min(255, max(0, (value - 10) * 255 // _BACKGROUND_DISTANCE)) for value in range(256)])
    )
    return cut


def _drawn(image: Image.Image, _: Mapping[str, Any]) -> Image.Image:
    flat = ImageOps.posterize(image.convert("RGB").filter(ImageFilter.MedianFilter(5)), 3)
    lines = ImageOps.invert(image.convert("L").filter(ImageFilter.FIND_EDGES)).point(lambda value: value * value // 255)
    return ImageEnhance.Color(ImageChops.multiply(flat, lines.convert("RGB"))).enhance(1.5)


_CHANGES: Mapping[str, Callable[[Image.Image, Mapping[str, Any]], Image.Image]] = {
    "ping": _returned,
    "gfpgan": _restored,
    "rembg": _cut_out,
    "vtoonify": _drawn,
}
