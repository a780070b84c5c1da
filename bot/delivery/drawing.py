"""Pictures that nobody made: a palette's swatch, and what a simple vector drawing looks like.

SVG files come from strangers. They are never opened by a browser or a library here: `svg.py` reads a small subset
(filled paths, rectangles, polygons) with a parser that knows no entities, and everything else means "no preview".
Nothing is run, nothing is fetched. All functions block: call them in a thread.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TypeAlias

from PIL import Image, ImageChops, ImageDraw

from bot.delivery.svg import Drawing, read_svg
from bot.domain.alchemy import FormArtifact
from bot.render import form_values
from bot.render.messages import Drawn, FileRef

#: One colour of a swatch, in pixels.
TILE_WIDTH, TILE_HEIGHT = 120, 160
#: The longer side of a preview, in pixels, before smoothing; and how much smaller it is afterwards.
PREVIEW_SIDE, SMOOTHING = 1024, 2
#: Pixels touched for the sake of holes in one drawing: about a second of work.
MAX_WORK = 32 * 1024 * 1024

_NOT_WITHIN, _OPAQUE = 128, 255

Outline: TypeAlias = Sequence[tuple[float, float]]
#: Left, top, right, bottom, in pixels.
Box: TypeAlias = tuple[int, int, int, int]


def draw(ref: FileRef, forms: Sequence[FormArtifact], data: bytes | None) -> bytes | None:
    """Draw what `ref` asks for, from its artifact or the artifact's bytes; None when that can't be done."""
    match ref.drawn:
        case Drawn.SWATCH:
            palettes = [form_values.colours_of(artifact) for artifact in forms if artifact.index == ref.index]
            return swatch(palettes[0]) if palettes and palettes[0] else None
        case Drawn.PREVIEW:
            return preview(data.decode("utf-8", "replace")) if data is not None else None
        case Drawn.ANSWER | None:
            return data


def swatch(colours: Sequence[str]) -> bytes:
    """Draw the colours (`#rrggbb`) side by side, the most frequent first, as PNG."""
    picture = Image.new("RGB", (TILE_WIDTH * max(1, len(colours)), TILE_HEIGHT), "#000000")
    canvas = ImageDraw.Draw(picture)
    for number, colour in enumerate(colours):
        left = number * TILE_WIDTH
        canvas.rectangle((left, 0, left + TILE_WIDTH - 1, TILE_HEIGHT - 1), fill=colour)
    return _png(picture)


def preview(svg: str) -> bytes | None:
    """Draw a simple vector drawing as PNG; None for one that is not simple enough to be drawn rightly."""
    drawing = read_svg(svg)
    painted = _painted(drawing) if drawing is not None else None
    return _png(painted) if painted is not None else None


def _painted(drawing: Drawing) -> Image.Image | None:
    """Paint the shapes; None when that would take too long."""
    scale = PREVIEW_SIDE / max(drawing.width, drawing.height)
    size = (max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale)))
    picture = Image.new("RGBA", size, (255, 255, 255, 0))
    canvas = ImageDraw.Draw(picture)
    work = 0
    for shape in drawing.shapes:
        outlines = [
            [((x - drawing.left) * scale, (y - drawing.top) * scale) for x, y in outline] for outline in shape.outlines
        ]
        if len(outlines) == 1:
            canvas.polygon(outlines[0], fill=shape.fill)
            continue
        whole = _box([point for outline in outlines for point in outline], size)
        work += _area(whole) + sum(_area(_box(outline, size)) for outline in outlines)
        if work > MAX_WORK:
            return None
        if _area(whole):
            picture.paste(shape.fill, whole, _within(outlines, whole, even_odd=shape.even_odd))
    smaller = (max(1, size[0] // SMOOTHING), max(1, size[1] // SMOOTHING))
    return picture.resize(smaller, Image.Resampling.BOX)


def _within(outlines: Sequence[Outline], whole: Box, *, even_odd: bool) -> Image.Image:
    """What lies within outlines that cut holes into each other, as a mask of that part of the picture.

    Each pixel counts how often it is gone around, from the middle of a byte's range.
    """
    size = whole[2] - whole[0], whole[3] - whole[1]
    counts = Image.new("L", size, _NOT_WITHIN)
    for outline in outlines:
        moved = [(x - whole[0], y - whole[1]) for x, y in outline]
        box = _box(moved, size)
        if not _area(box):
            continue
        one = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(one).polygon([(x - box[0], y - box[1]) for x, y in moved], fill=1)
        count = ImageChops.add if even_odd or _clockwise(outline) else ImageChops.subtract
        counts.paste(count(counts.crop(box), one), box)
    times = (value - _NOT_WITHIN for value in range(256))
    return counts.point([_OPAQUE if (time % 2 if even_odd else time) else 0 for time in times])


def _box(outline: Outline, size: tuple[int, int]) -> Box:
    """The part of the picture that an outline touches."""
    xs, ys = zip(*outline, strict=True)
    left, top = (max(0, math.floor(min(side))) for side in (xs, ys))
    right, bottom = (min(most, math.ceil(max(side)) + 1) for side, most in zip((xs, ys), size, strict=True))
    return left, top, max(left, right), max(top, bottom)


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _clockwise(outline: Outline) -> bool:
    following = [*outline[1:], outline[0]]
    return sum(x * below - right * y for (x, y), (right, below) in zip(outline, following, strict=True)) > 0


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
