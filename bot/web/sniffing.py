"""Whether a delivered file is what the engine that made it may make; told by the file's bytes alone."""

from __future__ import annotations

from typing import Final

from bot.sniffing import sniff
from bot.web.refusals import Refused

_PICTURE, _FILM, _SOUND = "image", "video", "audio"
#: What engines make (by their own code); one that is not known here may make anything that people may be shown.
_MAKES: Final = {
    "sadtalker": frozenset({_FILM}),
    "facefusion": frozenset({_FILM}),
    "vtoonify": frozenset({_PICTURE, _FILM}),
    "coquitts": frozenset({_SOUND}),
    **dict.fromkeys(("ping", "diffusion", "vqgan", "cnet", "rembg", "gfpgan"), frozenset({_PICTURE})),
}
_ANYTHING: Final = frozenset({_PICTURE, _FILM, _SOUND})


def media_type_of(data: bytes, engine: str = "") -> str:
    """Tell the media type of a file that `engine` may make. Raises `Refused`: 415 for anything else."""
    found = sniff(data)
    if found is None:
        raise _unfit("it is no picture, film or sound that is taken here")
    if found.medium not in _MAKES.get(engine, _ANYTHING):
        raise _unfit(f"{engine} makes no {found.media_type}")
    if found.medium == _PICTURE and (found.too_large or not found.width or not found.height):
        raise _unfit("the picture is damaged or has too many pixels")
    return found.media_type


def _unfit(message: str) -> Refused:
    return Refused(message, status=415)
