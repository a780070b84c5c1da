"""Whether a delivered file is one that people may be shown, and one that its engine makes: told by its bytes alone."""

from __future__ import annotations

from typing import Final

from bot.providers.osais.configs import may_send
from bot.sniffing import sniff
from bot.web.refusals import Refused

_PICTURE: Final = "image"


def media_type_of(data: bytes) -> str:
    """Tell the media type of a file that any engine may make. Raises `Refused`: 415 for anything else."""
    found = sniff(data)
    if found is None:
        raise _unfit("it is no picture, film or sound that is taken here")
    if found.medium == _PICTURE and (found.too_large or not found.width or not found.height):
        raise _unfit("the picture is damaged or has too many pixels")
    return found.media_type


def check_makes(engine: str, media_type: str) -> None:
    """Raise `Refused` (415) for a file that the engine does not make."""
    if not may_send(engine, media_type):
        raise _unfit(f"{engine} makes no {media_type}")


def _unfit(message: str) -> Refused:
    return Refused(message, status=415)
