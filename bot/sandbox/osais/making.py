"""What the engines make, and what they should not: files by kind, and the forgeries a client has to refuse."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from PIL import Image

from bot.sandbox.osais import films, pictures, sounds
from bot.sandbox.osais.engines import Kind

#: Larger than any attachment Discord takes without boosts, smaller than what a client has to accept.
BIG_BYTES = 12 * 1024 * 1024
#: Larger than what a client has to accept (32 MiB).
OVERSIZE_BYTES = 33 * 1024 * 1024
_BIG_SIDE = 2048


class Forgery(StrEnum):
    """A file that is not what it should be."""

    NOISE = "noise"
    HTML = "html"
    SVG = "svg"
    EMPTY = "empty"
    OVERSIZE = "oversize"
    HUGE_PICTURE = "huge-picture"
    MP4 = "mp4"
    WAV = "wav"


async def make(
    engine: str,
    kind: Kind,
    params: Mapping[str, Any],
    source: bytes | None,
    *,
    index: int,
    title: str,
    big: bool = False,
) -> bytes:
    """One file of an engine, different for each title; `big` ones are more than Discord takes."""
    return await asyncio.to_thread(_made, engine, kind, params, source, index, title, big)


def _made(
    engine: str, kind: Kind, params: Mapping[str, Any], source: bytes | None, index: int, title: str, big: bool
) -> bytes:
    match kind:
        case Kind.PNG if big:
            return pictures.png(pictures.noise(_BIG_SIDE, index), title)
        case Kind.PNG:
            return pictures.picture(engine, params, source, index=index, title=title)
        case Kind.WAV:
            data = sounds.speech(str(params.get("word", "")), index=index)
            return _long(data) if big else data
        case Kind.MP4:
            data = films.film(_face(source), index=index)
            return films.padded(data, BIG_BYTES) if big else data


async def forge(forgery: Forgery) -> bytes:
    """The bytes of a forgery."""
    return await asyncio.to_thread(_forged, forgery)


def _forged(forgery: Forgery) -> bytes:
    match forgery:
        case Forgery.NOISE:
            return b"\x00\xff\xfethis is not a file of any kind" * 40
        case Forgery.HTML:
            return b"<!doctype html><title>502</title><script>alert(1)</script>"
        case Forgery.SVG:
            return b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        case Forgery.EMPTY:
            return b""
        case Forgery.OVERSIZE:
            return pictures.png(Image.new("RGB", (16, 16)), "oversize") + bytes(OVERSIZE_BYTES)
        case Forgery.HUGE_PICTURE:
            return _header_only(30_000, 30_000)
        case Forgery.MP4:
            return films.film(None, index=0)
        case Forgery.WAV:
            return sounds.speech("this is a sound", index=0)


def _header_only(width: int, height: int) -> bytes:
    """A PNG that says it is that large and ends there."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def _long(wav: bytes) -> bytes:
    """The same sound again and again, until it is big."""
    head, samples = wav[:44], wav[44:]
    body = samples * (BIG_BYTES // len(samples) + 1)
    return head[:4] + struct.pack("<I", 36 + len(body)) + head[8:40] + struct.pack("<I", len(body)) + body


def _face(source: bytes | None) -> Image.Image | None:
    if source is None:
        return None
    try:
        image = Image.open(io.BytesIO(source))
        image.load()
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return image
