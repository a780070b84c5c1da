"""Pictures for the simulated workers: small landscapes under a sky, decided by prompt, seed and model alone.

Smooth parts (sky, glow, reflections) are painted small and enlarged, shapes are drawn at full size, so a 1024x1024
picture takes well under 150 ms. Call it off the event loop.
"""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]
_SMALL = 96
_LAYERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one picture, from top to front."""

    zenith: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    far: Colour
    near: Colour
    night: bool


def paint(*, prompt: str, seed: int, model: str, width: int, height: int) -> bytes:
    """One WebP picture; the same arguments give the same bytes."""
    mood = Random(hashlib.sha256(f"{prompt}\n{model}".encode()).digest())
    rng = Random(f"{seed}/{prompt}/{model}")
    palette = _palette(mood, rng)
    horizon = rng.uniform(0.5, 0.68)
    light = (rng.uniform(0.15, 0.85), horizon - rng.uniform(0.06, 0.34), rng.uniform(0.05, 0.1))
    image = _sky(palette, width, height, horizon, light)
    draw = ImageDraw.Draw(image)
    if palette.night:
        _stars(draw, rng, width, int(height * horizon))
    _disc(draw, palette, width, height, light)
    water = rng.random() < 0.55
    if water:
        image = _water(image, palette, horizon, rng)
    _hills(image, palette, rng, horizon, front=not water)
    _trees(image, palette, rng)
    return _webp(image)


@lru_cache(maxsize=4)
def placeholder(width: int, height: int, kind: str) -> bytes:
    """The black picture with a sentence that workers send instead of a censored one."""
    image = Image.new("RGB", (width, height), "black")
    size = max(8, min(width, height) // 16)
    text = f"Censored\n({kind})"
    ImageDraw.Draw(image).multiline_text(
        (width / 2, height / 2),
        text,
        fill=(200, 200, 200),
        font=ImageFont.load_default(size),
        anchor="mm",
        align="center",
    )
    return _webp(image)


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=82, method=1)
    return buffer.getvalue()


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _palette(mood: Random, rng: Random) -> Palette:
    """A sky hue from the prompt, an accent opposite or beside it; the seed only shifts them a little."""
    hue = mood.random() + rng.uniform(-0.04, 0.04)
    accent = hue + mood.choice((0.42, 0.5, 0.58, 0.12, -0.12))
    night = mood.random() < 0.35
    bright = 0.35 if night else 0.85
    return Palette(
        zenith=_rgb(hue, 0.65, bright * 0.55),
        middle=_rgb(hue + 0.04, 0.5, bright * 0.85),
        horizon=_rgb(accent, 0.45 if night else 0.38, min(1.0, bright + 0.12)),
        light=_rgb(accent, 0.12, 1.0),
        far=_rgb(hue + 0.03, 0.4, bright * 0.72),
        near=_rgb(hue + 0.08, 0.6, 0.12 if night else 0.2),
        night=night,
    )


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    share = min(1.0, max(0.0, share))
    red, green, blue = (round(one + (two - one) * share) for one, two in zip(first, second, strict=True))
    return red, green, blue


def _sky(palette: Palette, width: int, height: int, horizon: float, light: tuple[float, float, float]) -> Image.Image:
    """A three-colour gradient with a soft glow around the light, painted small and enlarged."""
    small = Image.new("RGB", (1, _SMALL))
    for row in range(_SMALL):
        depth = row / (_SMALL * horizon)
        upper = _mix(palette.zenith, palette.middle, depth * 1.8)
        small.putpixel((0, row), _mix(upper, palette.horizon, (depth - 0.45) * 1.9))
    sky = small.resize((_SMALL, _SMALL))
    glow = Image.new("L", (_SMALL, _SMALL))
    x, y, _ = light
    radius = 0.2
    box = [(x - radius) * _SMALL, (y - radius) * _SMALL, (x + radius) * _SMALL, (y + radius) * _SMALL]
    ImageDraw.Draw(glow).ellipse(box, fill=150)
    glow = glow.filter(ImageFilter.GaussianBlur(_SMALL * 0.1))
    sky.paste(palette.light, (0, 0), glow)
    return sky.resize((width, height), Image.Resampling.BICUBIC)


def _stars(draw: ImageDraw.ImageDraw, rng: Random, width: int, bottom: int) -> None:
    for _ in range(160):
        x, y = rng.uniform(0, width), bottom * rng.random() ** 1.6
        size = max(0.5, width / 1100 * rng.uniform(0.4, 1.6))
        shade = rng.randint(150, 255)
        draw.ellipse([x - size, y - size, x + size, y + size], fill=(shade, shade, min(255, shade + 12)))


def _disc(
    draw: ImageDraw.ImageDraw, palette: Palette, width: int, height: int, light: tuple[float, float, float]
) -> None:
    x, y, radius = light[0] * width, light[1] * height, light[2] * min(width, height)
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=palette.light)


def _water(image: Image.Image, palette: Palette, horizon: float, rng: Random) -> Image.Image:
    """Mirror the sky below the horizon, darker, with bright ripples that widen towards the front."""
    width, height = image.size
    top = int(height * horizon)
    mirror = image.crop((0, max(0, 2 * top - height), width, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    tint = Image.new("RGB", (8, 8), _mix(palette.middle, (255, 255, 255), 0.35)).resize((width, height - top))
    mirror = ImageChops.multiply(mirror.resize((width, height - top)), tint)
    image.paste(mirror, (0, top))
    draw = ImageDraw.Draw(image)
    for index in range(40):
        depth = (index / 40) ** 1.7
        y = top + depth * (height - top)
        length = width * rng.uniform(0.02, 0.05 + 0.22 * depth)
        x = rng.uniform(-length, width)
        colour = _mix(palette.horizon, palette.light, rng.random())
        draw.line([x, y, x + length, y], fill=colour, width=max(1, int(height * 0.004 * depth)))
    return image


def _hills(image: Image.Image, palette: Palette, rng: Random, horizon: float, *, front: bool) -> None:
    """Ridges from far to near; with water in front only the far ones stand, on the shore."""
    width, height = image.size
    draw = ImageDraw.Draw(image)
    count = _LAYERS if front else 3
    for layer in range(count):
        share = layer / max(1, count - 1)
        base = horizon + (0.34 * share if front else 0.004 * layer)
        reach = (0.16 - 0.05 * share) if front else 0.13 - 0.045 * layer
        waves = [(rng.uniform(0.6, 2.2) * (2**k), rng.uniform(0, math.tau), reach / (2**k)) for k in range(4)]
        ridge = [(x * width, (base - _ridge(waves, x, reach)) * height) for x in _steps(width)]
        bottom = height if front else horizon * height + 1
        colour = _mix(palette.far, palette.near, 0.15 + 0.85 * share if front else 0.35 + 0.3 * share)
        draw.polygon([*ridge, (width, bottom), (0, bottom)], fill=colour)


def _steps(width: int) -> list[float]:
    count = max(16, width // 8)
    return [index / count for index in range(count + 1)]


def _ridge(waves: list[tuple[float, float, float]], x: float, reach: float) -> float:
    wave = sum(amount * math.sin(frequency * math.tau * x + phase) for frequency, phase, amount in waves)
    return max(0.0, reach * 0.5 + wave * 0.45)


def _trees(image: Image.Image, palette: Palette, rng: Random) -> None:
    """A dark fringe of firs along the bottom edge, to give the picture a front."""
    width, height = image.size
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(7, 16)):
        x, tall = rng.uniform(0, width), height * rng.uniform(0.06, 0.18)
        wide = tall * rng.uniform(0.32, 0.45)
        for tier in range(3):
            top = height - tall * (1 - tier * 0.24)
            half = wide * (0.4 + 0.3 * tier)
            bottom = height - tall * (0.62 - tier * 0.3)
            draw.polygon([(x, top), (x - half, bottom), (x + half, bottom)], fill=palette.near)
