"""The 16 post-processors as plain pixel operations: enlarging, a mild touch on faces, cutting out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

#: No result is larger than this, so that a simulator never asks for gigabytes; larger sources grow by less.
MAX_RESULT_PIXELS = 32_000_000
_MAX_SIDE = 16_383  # of WebP
#: Distance from the background's colour (largest channel difference) where the cut begins and where it ends.
_NEAR, _FAR = 24, 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaler:
    """How much a model enlarges and with what hand."""

    factor: int
    sharpening: int
    smoothing: float = 0.0


_UPSCALERS: Mapping[str, Upscaler] = {
    "RealESRGAN_x4plus": Upscaler(factor=4, sharpening=60),
    "RealESRGAN_x2plus": Upscaler(factor=2, sharpening=60),
    "RealESRGAN_x4plus_anime_6B": Upscaler(factor=4, sharpening=90, smoothing=0.8),
    "NMKD_Siax": Upscaler(factor=4, sharpening=50),
    "4x_AnimeSharp": Upscaler(factor=4, sharpening=120, smoothing=0.8),
    "4xNomos8kSC": Upscaler(factor=4, sharpening=40),
    "4xLSDIRplus": Upscaler(factor=4, sharpening=70),
    "4xNomosWebPhoto_RealPLKSR": Upscaler(factor=4, sharpening=30),
    "4xNomos2_realplksr_dysample": Upscaler(factor=4, sharpening=45),
    "4xNomos2_hq_dat2": Upscaler(factor=4, sharpening=55),
    "2xModernSpanimationV1": Upscaler(factor=2, sharpening=80, smoothing=0.8),
}
#: Radius of a blur, in pixels, and the percentage of sharpening after it.
_FACE_FIXERS: Mapping[str, tuple[float, int]] = {
    "GFPGAN": (0.6, 80),
    "GFPGANv1.3": (0.6, 100),
    "CodeFormers": (1.0, 60),
    "RestoreFormer": (1.0, 90),
}


def change(form: str, image: Image.Image) -> Image.Image:
    """What the post-processor makes of an RGB or RGBA picture; alpha is kept."""
    if form in _UPSCALERS:
        return _enlarged(image, _UPSCALERS[form])
    if form in _FACE_FIXERS:
        radius, percent = _FACE_FIXERS[form]
        return _opaque_part(image, _touched(image.convert("RGB"), radius, percent))
    if form == "strip_background":
        return cut_out(image)
    raise ValueError(f"{form!r} changes no picture")


def enlarged_size(width: int, height: int, factor: int) -> tuple[int, int]:
    """The size after enlarging, smaller than asked when it would be unreasonable."""
    most = min(factor, math.sqrt(MAX_RESULT_PIXELS / (width * height)), _MAX_SIDE / max(width, height))
    return max(1, int(width * most)), max(1, int(height * most))


def cut_out(image: Image.Image) -> Image.Image:
    """Fade out whatever is like one of the corners."""
    plain = image.convert("RGB")
    right, bottom = plain.width - 1, plain.height - 1
    distance = Image.new("L", plain.size, 255)
    for left, top in ((0, 0), (right, 0), (0, bottom), (right, bottom)):
        corner = plain.crop((left, top, left + 1, top + 1)).resize(plain.size)
        distance = ImageChops.darker(distance, _distance(plain, corner))
    alpha = distance.point([_ramp(value) for value in range(256)])
    if "A" in image.getbands():
        alpha = ImageChops.multiply(alpha, image.getchannel("A"))
    plain.putalpha(alpha)
    return plain


def _enlarged(image: Image.Image, model: Upscaler) -> Image.Image:
    """Sharpen first and enlarge then: a sixteenth of the work, and the halo stays soft."""
    size = enlarged_size(image.width, image.height, model.factor)
    plain = _touched(image.convert("RGB"), model.smoothing, model.sharpening)
    grown = plain.resize(size, Image.Resampling.BICUBIC)
    if "A" in image.getbands():
        grown.putalpha(image.getchannel("A").resize(size, Image.Resampling.BICUBIC))
    return grown


def _touched(plain: Image.Image, radius: float, percent: int) -> Image.Image:
    smooth = plain.filter(ImageFilter.BoxBlur(radius)) if radius else plain
    return smooth.filter(ImageFilter.UnsharpMask(radius=1.5, percent=percent, threshold=2))


def _opaque_part(image: Image.Image, plain: Image.Image) -> Image.Image:
    if "A" in image.getbands():
        plain.putalpha(image.getchannel("A"))
    return plain


def _distance(one: Image.Image, other: Image.Image) -> Image.Image:
    red, green, blue = ImageChops.difference(one, other).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _ramp(distance: int) -> int:
    return round(255 * min(1.0, max(0.0, (distance - _NEAR) / (_FAR - _NEAR))))
