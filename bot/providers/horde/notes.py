"""What a worker tells about a picture (`gen_metadata`), in sentences for people."""

from __future__ import annotations

from bot.domain.requests import ImageRequest
from bot.media import Picture
from bot.providers.horde.wire import Generation, Meta

#: A name a worker repeats is shown up to here.
_MAX_NAME = 60

_EXTRAS = {"lora": "LoRA", "ti": "embedding"}
_PICTURES = {"source_image": "source picture", "source_mask": "mask", "extra_source_images": "extra source picture"}
_FAILURES = {
    "download_failed": "could not be loaded",
    "parse_failed": "could not be read",
    "baseline_mismatch": "does not fit this model",
}


def notes_of(generation: Generation, request: ImageRequest, picture: Picture | None) -> tuple[str, ...]:
    """Tell what differs from what was asked. Unknown words and free text from workers are left out."""
    told = (_note(meta) for meta in generation.gen_metadata)
    notes = dict.fromkeys(note for note in told if note)  # each once, in order
    if picture is not None and (size := _size_note(request, picture)):
        notes[size] = None
    return tuple(notes)


def _size_note(request: ImageRequest, picture: Picture) -> str:
    """Tell a size other than asked: the Horde shrinks without saying so (server 5.1.5)."""
    if (picture.width, picture.height) == (request.width, request.height):
        return ""
    told = f"Painted at {picture.width}×{picture.height} instead of {request.width}×{request.height}"
    smaller = picture.width * picture.height < request.width * request.height
    return f"{told}, which was too large for the AI Horde just then." if smaller else f"{told}."


def _note(meta: Meta) -> str:
    failure = _FAILURES.get(meta.value, "")
    if not failure:
        return ""
    if meta.type in _EXTRAS:
        return f"The {_EXTRAS[meta.type]}{_named(meta.ref)} {failure}, so this picture was painted without it."
    if meta.type in _PICTURES:
        return f"The {_PICTURES[meta.type]} {failure}, so this picture was painted without it."
    return ""


def _named(ref: str | None) -> str:
    name = "".join(c for c in ref or "" if c.isprintable())[:_MAX_NAME].strip()
    return f" “{name}”" if name else ""
