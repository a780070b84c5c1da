"""What people should know of a picture that an engine may have its troubles with; pure, and no reason to refuse it.

Whether OSAIS enforces the limits of its configs is not known (its documents do not say).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.domain.engines import Input
from bot.domain.sources import SourceMedia

#: What engines load, and the limits of most configs where one says nothing: longest side in pixels, bytes.
ENDINGS: Final = (".png", ".jpg", ".jpeg")
MEDIA_TYPES: Final = frozenset({"image/png", "image/jpeg"})
MOST_SIDE, MOST_BYTES = 1024, 1024 * 1024


def picture_remarks(engine: str, taken: Input, picture: SourceMedia, *, fits: bool) -> Iterator[str]:
    """Name what does not fit; with `fits` it is made smaller and re-encoded before it goes out, but never larger."""
    sides = [side for side in (picture.width, picture.height) if side]
    if sides and min(sides) < taken.least_side:
        yield f"`image` is smaller than the {taken.least_side} pixels a side that {engine} asks for."
    if fits:
        return
    if not _is_taken(picture):
        yield f"`image` goes out as it is, and {engine} may only take PNG and JPEG."
    if sides and max(sides) > (most := taken.most_side or MOST_SIDE):
        yield f"`image` goes out as it is, larger than the {most} pixels a side that {engine} asks for."
    if picture.size > (most := taken.most_bytes or MOST_BYTES):
        yield f"`image` goes out as it is, larger than the {most // 1024} KB that {engine} asks for."


def _is_taken(picture: SourceMedia) -> bool:
    """Whether it is PNG or JPEG by what Discord says of it; where that is nothing, it may well be."""
    if picture.content_type:
        return picture.content_type.partition(";")[0].strip().lower() in MEDIA_TYPES
    return not picture.filename or picture.filename.casefold().endswith(ENDINGS)
