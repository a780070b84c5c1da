"""Pictures that nobody made: a palette's swatch, and what a simple vector drawing looks like.

SVG files come from strangers. They are never opened by a browser or a library here: `svg.py` reads a small subset
(filled paths, rectangles, polygons) with a parser that knows no entities, and everything else means "no preview".
Nothing is run, nothing is fetched. All functions block: call them in a thread.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from bot.delivery.svg import Drawing, read_svg
from bot.domain.alchemy import FormArtifact
from bot.render import form_values
from bot.render.messages import Drawn, FileRef

#: One colour of a swatch, in pixels.
TILE_WIDTH, TILE_HEIGHT = 120, 160
#: The longer side of a preview, in pixels, before smoothing; and how much smaller it is afterwards.
PREVIEW_SIDE, SMOOTHING = 1024, 2


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
    return _png(_painted(drawing)) if drawing is not None else None


def _painted(drawing: Drawing) -> Image.Image:
    scale = PREVIEW_SIDE / max(drawing.width, drawing.height)
    size = (max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale)))
    picture = Image.new("RGBA", size, (255, 255, 255, 0))
    canvas = ImageDraw.Draw(picture)
    for shape in drawing.shapes:
        points = [((x - drawing.left) * scale, (y - drawing.top) * scale) for x, y in shape.points]
        canvas.polygon(points, fill=shape.fill)
    smaller = (max(1, size[0] // SMOOTHING), max(1, size[1] // SMOOTHING))
    return picture.resize(smaller, Image.Resampling.BOX)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
