"""What a file is, told from its first bytes alone: neither its name nor what its sender says counts.

Only what may be shown to people is known here. SVG and HTML are not: they can hold scripts.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

#: The sides a picture may have, and its pixels in all.
MAX_SIDE, MAX_PIXELS = 8192, 50_000_000

#: File ending, without a dot, by media type.
EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "image/png": "png",
        "image/jpeg": "jpg",
        "image/webp": "webp",
        "image/gif": "gif",
        "video/mp4": "mp4",
        "video/webm": "webm",
        "audio/wav": "wav",
        "audio/mpeg": "mp3",
    }
)
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"ID3", "audio/mpeg"),
)
#: Brands of QuickTime and audio-only files that share MP4's container and are no film.
_NOT_MP4 = frozenset({b"qt  ", b"M4A ", b"heic", b"heix", b"avif", b"mif1"})
#: Of JPEG's markers, those that begin a frame and so tell its size.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: And those that have no length.
_BARE = frozenset({0xFF, 0x01, *range(0xD0, 0xDA)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """What a file is."""

    media_type: str
    #: Pixels, of pictures; 0 where the header does not tell.
    width: int = 0
    height: int = 0

    @property
    def medium(self) -> str:
        """`image`, `audio` or `video`."""
        return self.media_type.partition("/")[0]

    @property
    def extension(self) -> str:
        """The file's ending, without a dot."""
        return EXTENSIONS[self.media_type]

    @property
    def too_large(self) -> bool:
        """Whether it is a picture of more pixels than should ever be decoded."""
        return max(self.width, self.height) > MAX_SIDE or self.width * self.height > MAX_PIXELS


def sniff(data: bytes) -> Sniffed | None:
    """Tell what it is; None for anything that is not to be shown to people."""
    media_type = _media_type(data[:64])
    if media_type is None:
        return None
    width, height = _size(media_type, data)
    return Sniffed(media_type=media_type, width=width, height=height)


def _media_type(head: bytes) -> str | None:
    for start, media_type in _STARTS:
        if head.startswith(start):
            return media_type
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _NOT_MP4 else "video/mp4"
    # A bare stream of MPEG audio, layer III: eleven bits of sync, then a version and a layer that exist.
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08:
        return "audio/mpeg"
    return None


def _size(media_type: str, data: bytes) -> tuple[int, int]:
    try:
        match media_type:
            case "image/png":
                return struct.unpack(">II", data[16:24])
            case "image/gif":
                return struct.unpack("<HH", data[6:10])
            case "image/jpeg":
                return _jpeg_size(data)
            case "image/webp":
                return _webp_size(data)
            case _:
                return 0, 0
    except (struct.error, IndexError):
        return 0, 0


def _jpeg_size(data: bytes) -> tuple[int, int]:
    place = 2
    while place + 9 < len(data):
        if data[place] != 0xFF:
            place += 1
            continue
        marker = data[place + 1]
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        if marker in _BARE:
            place += 1 if marker == 0xFF else 2
            continue
        place += 2 + max(2, struct.unpack(">H", data[place + 2 : place + 4])[0])
    return 0, 0


def _webp_size(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            bits = struct.unpack("<I", data[21:25])[0]
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case _:
            return 0, 0
