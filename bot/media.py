"""Fetching pictures from addresses that somebody else wrote: result links and attachments.

A link is only followed when its host is on the operator's list, over https unless the entry says otherwise. The list
is checked on the very `yarl.URL` that is connected to (no second parser to disagree with), redirects are followed by
hand so that each hop is checked, and names are resolved by a resolver that drops private addresses: a public name
pointing into the local network leads nowhere. What arrives is capped while it streams, recognised by its first bytes,
and decoded once, off the event loop, within a pixel cap.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

import aiohttp
from PIL import Image
from yarl import URL

from bot.errors import MediaError, MediaGone, Unavailable
from bot.media_hosts import GuardedResolver, HostList

MAX_REDIRECTS = 3
#: Pictures decoded at the same time: each may take some 4 bytes a pixel.
MAX_DECODING = 2
#: Signed links are a few hundred characters long.
MAX_URL = 4096

_USER_INFO = re.compile(r"[^/?#]*//[^/?#]*@")

_NOT_ANSWERING = "The place where that picture is kept isn't answering right now. Please try again in a moment."
_NOT_A_PICTURE = "That file isn't a picture I can read. Please use a PNG, JPEG, WebP, or GIF."
_ELSEWHERE = "I don't fetch pictures from where that one is kept. Please save it and send it as a file of your own."
_SVG = "I can't work on SVG drawings. Please save it as a PNG and send that."
_BROKEN = "That picture is damaged or cut off. Please upload it again, or try another file."

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png", "PNG"),
    (b"\xff\xd8\xff", "jpg", "JPEG"),
    (b"GIF87a", "gif", "GIF"),
    (b"GIF89a", "gif", "GIF"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """How much of a picture is taken, and how long it may last."""

    #: Bytes on the wire.
    max_bytes: int
    #: Width times height.
    max_pixels: int
    #: Seconds, redirects included.
    timeout: float


#: What workers paint; below Pillow's own alarm (89 million pixels).
RESULT = MediaLimits(max_bytes=40 * 1024 * 1024, max_pixels=80_000_000, timeout=30.0)
#: What people attach.
ATTACHMENT = MediaLimits(max_bytes=8 * 1024 * 1024, max_pixels=25_000_000, timeout=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture whose bytes have been decoded once: it can be shown."""

    data: bytes
    #: Without a dot, from the bytes: png, jpg, webp, gif.
    extension: str
    #: Pixels.
    width: int
    height: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A decoded picture: its first frame, as the file has it (neither turned nor converted)."""

    image: Image.Image
    #: Without a dot, from the bytes.
    extension: str
    #: There are more frames.
    animated: bool


class MediaFetcher:
    """Fetches pictures from the hosts it was given, and from nowhere else. Made by `open`."""

    def __init__(self, session: aiohttp.ClientSession, hosts: HostList) -> None:
        self._session = session
        self._hosts = hosts
        self._decoding = asyncio.Semaphore(MAX_DECODING)

    @classmethod
    @asynccontextmanager
    async def open(cls, hosts: Sequence[str] | HostList) -> AsyncIterator[Self]:
        """Yield a fetcher with a session of its own, whose connections are guarded. Raises `SetupError`."""
        allowed = hosts if isinstance(hosts, HostList) else HostList.parse(hosts)
        connector = aiohttp.TCPConnector(resolver=GuardedResolver(allowed))
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, trust_env=False) as session:
            yield cls(session, allowed)

    async def fetch(self, url: str, limits: MediaLimits = RESULT) -> Picture:
        """Fetch and check the picture at `url`.

        Raises `MediaGone` (dead link), `Unavailable` (try again later), or `MediaError` (never: host not allowed,
        too large, not a picture).
        """
        data = await self._download(url, limits)
        async with self._decoding:
            return await asyncio.to_thread(examine, data, max_pixels=limits.max_pixels)

    async def download(self, url: str, limits: MediaLimits) -> bytes:
        """Fetch whatever is at `url`, unseen: what it is, is the caller's to find out. Raises like `fetch`."""
        return await self._download(url, limits)

    async def _download(self, url: str, limits: MediaLimits) -> bytes:
        target = self._checked(url)
        try:
            async with asyncio.timeout(limits.timeout):
                for _ in range(MAX_REDIRECTS + 1):
                    found = await self._one_hop(target, limits)
                    if isinstance(found, bytes):
                        return found
                    target = found
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"media host: {type(error).__name__}", user_message=_NOT_ANSWERING) from error
        raise MediaError("too many redirects")

    async def _one_hop(self, target: URL, limits: MediaLimits) -> bytes | URL:
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(target, allow_redirects=False, timeout=timeout) as response:
            if response.status in {301, 302, 303, 307, 308}:
                return self._checked(response.headers.get("Location", ""), base=target)
            _judge_status(response.status)
            return await _capped(response, limits.max_bytes)

    def _checked(self, url: str, *, base: URL | None = None) -> URL:
        """Return the URL to connect to, as it was written (signatures cover the spelling), if its host is allowed."""
        if not url or len(url) > MAX_URL or not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url):
            raise MediaError("not a usable address")
        if _USER_INFO.match(url):  # even an empty one, which parsers drop
            raise MediaError("its address holds a user name")
        try:
            target = URL(url, encoded=True)
            if base is not None and not target.absolute:
                target = base.join(target)
            allowed = self._hosts.allows(target)
        except ValueError as error:
            raise MediaError("not a usable address") from error
        if not allowed:
            raise MediaError("its host is not on the list of allowed media hosts", user_message=_ELSEWHERE)
        return target


def _judge_status(status: int) -> None:
    if status in {403, 404, 410}:  # R2 answers an expired signature with 403, a pruned object with 404
        raise MediaGone(f"HTTP {status}")
    if status >= 500 or status == 429:
        raise Unavailable(f"media host: HTTP {status}", user_message=_NOT_ANSWERING)
    if status != 200:
        raise MediaError(f"HTTP {status}")


async def _capped(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    if (response.content_length or 0) > limit:
        response.close()
        raise _too_heavy(limit)
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > limit:
            response.close()
            raise _too_heavy(limit)
    return bytes(body)


def _too_heavy(limit: int) -> MediaError:
    told = f"That file is too large for me; I take up to {limit // 1024**2} MB. Please use a smaller one."
    return MediaError("too many bytes", user_message=told)


def _too_many_pixels(detail: str, limit: int) -> MediaError:
    told = f"That picture has too many pixels for me; I take up to {limit // 1_000_000} megapixels. Please shrink it."
    return MediaError(detail, user_message=told)


def sniff(data: bytes) -> tuple[str, str]:
    """Tell extension and Pillow format from the first bytes. Raises `MediaError` for anything not listed."""
    for magic, extension, kind in _MAGIC:
        if data.startswith(magic):
            return extension, kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp", "WEBP"
    told = _SVG if b"<svg" in data[:1024].lower() else _NOT_A_PICTURE
    raise MediaError("not a PNG, JPEG, WebP or GIF", user_message=told)


def decode(data: bytes, *, max_pixels: int) -> Frame:
    """Decode the first frame (blocking: call it in a thread). Raises `MediaError`."""
    extension, kind = sniff(data)
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise _too_many_pixels(f"{width}×{height} pixels are too many", max_pixels)
            # A JPEG of several frames is a photo with a preview or a depth map.
            animated = kind != "JPEG" and bool(getattr(image, "is_animated", False))
            image.load()  # a cut or broken file fails here, and only here
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels("too many pixels", max_pixels) from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error) as error:  # what decoders throw
        raise MediaError(f"the picture is broken: {type(error).__name__}", user_message=_BROKEN) from error
    return Frame(image=image, extension=extension, animated=animated)


def examine(data: bytes, *, max_pixels: int) -> Picture:
    """Decode `data` once (blocking: call it in a thread) and describe it. Raises `MediaError`."""
    frame = decode(data, max_pixels=max_pixels)
    width, height = frame.image.size
    digest = hashlib.sha256(data).hexdigest()
    return Picture(data=data, extension=frame.extension, width=width, height=height, sha256=digest)
