"""Uploaded files: what the CDN keeps, and its signed addresses that die after a day."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import mimetypes
import re
from datetime import timedelta
from typing import Final

from aiohttp import web
from PIL import Image, UnidentifiedImageError

from .model import StoredFile
from .world import World

#: How long an address works (seen in practice; the `ex` parameter of "Signed Attachment CDN URLs").
ADDRESS_LIFE: Final = timedelta(hours=24)
GONE: Final = "This content is no longer available."

_ADDRESS = re.compile(r"/(?:ephemeral-)?attachments/\d+/(\d+)/")


class AttachmentStore:
    """Keeps every file for the life of the simulator and serves it like Discord's CDN."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key = world.secret(32).encode()
        self.files: dict[int, StoredFile] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the CDN, and of the avatars that clients may ask for."""
        return [
            web.get("/attachments/{place}/{id}/{filename}", self._serve),
            web.get("/ephemeral-attachments/{place}/{id}/{filename}", self._serve),
            web.get("/avatars/{user}/{name}", self._avatar),
            web.get("/embed/avatars/{name}", self._avatar),
        ]

    async def add(
        self, filename: str, data: bytes, *, place_id: int, description: str | None = None, ephemeral: bool = False
    ) -> StoredFile:
        """Keep a file; pictures are measured off the event loop."""
        width, height, kind = await asyncio.to_thread(_look_at, data)
        stored = StoredFile(
            id=self._world.ids.next(),
            place_id=place_id,
            filename=clean_name(filename),
            original_name=filename,
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            content_type=kind or mimetypes.guess_type(filename)[0] or "application/octet-stream",
            width=width,
            height=height,
            description=description,
            ephemeral=ephemeral,
        )
        self.files[stored.id] = stored
        return stored

    def url(self, file: StoredFile) -> str:
        """Return a fresh address, good for 24 hours of the world's time."""
        issued = int(self._world.now().timestamp())
        expires = issued + int(ADDRESS_LIFE.total_seconds())
        folder = "ephemeral-attachments" if file.ephemeral else "attachments"
        query = f"ex={expires:x}&is={issued:x}&hm={self._sign(file.id, f'{expires:x}', f'{issued:x}')}"
        return f"{self._world.public_url}/{folder}/{file.place_id}/{file.id}/{file.filename}?{query}&"

    def by_url(self, url: str) -> StoredFile | None:
        """Return the file that an address (expired or not) points at, None for foreign ones."""
        match = _ADDRESS.search(url)
        return self.files.get(int(match[1])) if match else None

    def _sign(self, file_id: int, expires: str, issued: str) -> str:
        return hmac.new(self._key, f"{file_id}:{expires}:{issued}".encode(), hashlib.sha256).hexdigest()

    async def _serve(self, request: web.Request) -> web.Response:
        file = self.files.get(int(request.match_info["id"])) if request.match_info["id"].isdigit() else None
        expires, issued, seal = (request.query.get(key, "") for key in ("ex", "is", "hm"))
        if file is None or file.filename != request.match_info["filename"]:
            return web.Response(status=404, text=GONE)
        good = hmac.compare_digest(seal.encode(), self._sign(file.id, expires, issued).encode())
        if not good or int(expires, 16) < self._world.now().timestamp():
            return web.Response(status=404, text=GONE)
        return web.Response(body=file.data, content_type=file.content_type, headers=_harmless(file))

    @staticmethod
    async def _avatar(request: web.Request) -> web.Response:
        shade = sum(request.match_info["name"].encode()) % 128 + 64
        return web.Response(body=await asyncio.to_thread(_plain_picture, shade), content_type="image/png")


def _harmless(file: StoredFile) -> dict[str, str]:
    """Headers that keep an uploaded page or drawing from running: it lies on the address of the control API."""
    kind = file.content_type.partition(";")[0]
    shown = kind.startswith(("image/", "audio/", "video/")) and kind != "image/svg+xml"
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
    return headers if shown else headers | {"Content-Disposition": "attachment"}


def clean_name(filename: str) -> str:
    """Return the name Discord gives a file: nothing but letters, digits, '.', '_' and '-'."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", filename) or "unknown"


def _look_at(data: bytes) -> tuple[int | None, int | None, str | None]:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.width, picture.height, Image.MIME.get(picture.format or "")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None, None, None


def _plain_picture(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (shade, 96, 200)).save(out, "PNG")
    return out.getvalue()
