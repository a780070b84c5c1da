"""`vectorize`: a picture as a small SVG of flat shapes, one path for each of a few colours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PIL import Image

from bot.sandbox.horde.alchemy.colours import hexadecimal

_CELLS = 32
_COLOURS = 6
_OPAQUE = 128


def vectorize(image: Image.Image) -> str:
    """SVG text (well under 20 kB) in which runs of cells of one colour are rectangles; transparent cells stay empty."""
    small = image.copy()
    small.thumbnail((_CELLS, _CELLS), Image.Resampling.BOX)
    reduced = small.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    palette = reduced.getpalette() or []
    shades, opaque = reduced.tobytes(), _opaque(small)
    paths: dict[int, list[str]] = {}
    for top in range(small.height):
        cells = range(top * small.width, (top + 1) * small.width)
        row = [shades[cell] if opaque[cell] else None for cell in cells]
        for shade, left, length in _runs(row):
            paths.setdefault(shade, []).append(f"M{left} {top}h{length}v1h-{length}z")
    drawn = (
        f'<path fill="{hexadecimal((palette[3 * shade], palette[3 * shade + 1], palette[3 * shade + 2]))}"'
        f' d="{"".join(parts)}"/>'
        for shade, parts in sorted(paths.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{image.width}" height="{image.height}"'
        f' viewBox="0 0 {small.width} {small.height}" preserveAspectRatio="none" shape-rendering="crispEdges">'
        f"{''.join(drawn)}</svg>"
    )


def _opaque(small: Image.Image) -> list[bool]:
    if "A" not in small.getbands():
        return [True] * (small.width * small.height)
    return [shade >= _OPAQUE for shade in small.getchannel("A").tobytes()]


def _runs(row: Sequence[int | None]) -> list[tuple[int, int, int]]:
    """Shade, start and length of each run of equal opaque cells."""
    runs, left = [], 0
    for shade, cells in groupby(row):
        length = len(list(cells))
        if shade is not None:
            runs.append((shade, left, length))
        left += length
    return runs
