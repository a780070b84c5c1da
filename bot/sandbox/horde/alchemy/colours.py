"""What can be measured on a picture: dominant colours and their names, brightness, contrast, detail, hot pink."""

from __future__ import annotations

import colorsys
import hashlib
from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageStat

Colour = tuple[int, int, int]
_SIDE = 64
_OPAQUE = 128
_HUES = (
    (15, "red"),
    (42, "orange"),
    (68, "yellow"),
    (160, "green"),
    (200, "teal"),
    (255, "blue"),
    (290, "purple"),
    (345, "pink"),
    (361, "red"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A picture in numbers. Shares are 0 to 1, `colours` come most frequent first, `digest` tells pictures apart."""

    width: int
    height: int
    colours: tuple[Colour, ...]
    brightness: float
    contrast: float
    saturation: float
    detail: float
    pink: float
    transparent: float
    digest: str


def look_at(image: Image.Image) -> Look:
    """Measure an RGB or RGBA picture on a small copy of it."""
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    seen = visible(small)
    grey = ImageStat.Stat(_strip(seen).convert("L"))
    saturation = [colorsys.rgb_to_hsv(*(part / 255 for part in pixel)) for pixel in seen]
    edges = ImageStat.Stat(small.convert("L").filter(ImageFilter.FIND_EDGES))
    return Look(
        width=image.width,
        height=image.height,
        colours=dominant(seen),
        brightness=grey.mean[0] / 255,
        contrast=min(1.0, grey.stddev[0] / 90),
        saturation=sum(one[1] for one in saturation) / len(saturation),
        detail=min(1.0, edges.mean[0] / 60),
        pink=sum(_is_hot_pink(*one) for one in saturation) / len(saturation),
        transparent=1 - len(seen) / (small.width * small.height) if "A" in small.getbands() else 0.0,
        digest=hashlib.sha256(f"{image.size}".encode() + small.tobytes()).hexdigest(),
    )


def visible(image: Image.Image) -> list[Colour]:
    """The colours of all pixels that are more opaque than not; those of all pixels when none is."""
    pixels: list[Colour] = _triples(image.convert("RGB").tobytes())
    if "A" not in image.getbands():
        return pixels
    alpha = image.getchannel("A").tobytes()
    return [pixel for pixel, shade in zip(pixels, alpha, strict=True) if shade >= _OPAQUE] or pixels


def dominant(pixels: list[Colour], count: int = 5) -> tuple[Colour, ...]:
    """Up to `count` different colours, the most frequent first."""
    reduced = _strip(pixels).quantize(count, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = _triples(bytes(reduced.getpalette() or []))
    tally: dict[Colour, int] = {}
    for index, shade in enumerate(reduced.histogram()[: len(palette)]):
        if shade:
            tally[palette[index]] = tally.get(palette[index], 0) + shade
    return tuple(sorted(tally, key=lambda colour: (-tally[colour], colour)))


def hexadecimal(colour: Colour) -> str:
    """As `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def name_of(colour: Colour) -> str:
    """The plain English word for a colour."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in colour))
    if value < 0.15:
        return "black"
    if saturation < 0.12:
        return "white" if value > 0.85 else "grey"
    name = next(name for limit, name in _HUES if hue * 360 < limit)
    return "brown" if name == "orange" and value < 0.65 else name


def _is_hot_pink(hue: float, saturation: float, value: float) -> bool:
    return 315 <= hue * 360 <= 345 and saturation > 0.4 and value > 0.5


def _triples(data: bytes) -> list[Colour]:
    return list(zip(data[0::3], data[1::3], data[2::3], strict=False))


def _strip(pixels: list[Colour]) -> Image.Image:
    return Image.frombytes("RGB", (len(pixels), 1), b"".join(map(bytes, pixels)))
