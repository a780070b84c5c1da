"""The object store: result bytes under presigned links that die after 30 minutes, objects that go after 120."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.horde.requests import Picture

LINK_LIFE = timedelta(minutes=30)
OBJECT_LIFE = timedelta(minutes=120)
PREFIX = "/horde-transient"
_ACCESS_KEY = "sandbox"


class PictureStore:
    """Pictures by object name, and the links to them."""

    def __init__(self, clock: Clock, *, public_url: Callable[[], str], secret: bytes) -> None:
        self._clock = clock
        self._public_url = public_url
        self._secret = secret
        self._pictures: dict[str, Picture] = {}
        self.expire_next = 0

    def open(self, name: str) -> Picture:
        """Make room for one result."""
        picture = Picture(name=name)
        self._pictures[name] = picture
        return picture

    def upload(self, picture: Picture) -> None:
        """Note the moment the worker delivered, from which the object's life counts."""
        picture.uploaded = self._clock.now()

    def prune(self) -> None:
        """Drop the bytes of objects that have outlived their time; their hashes stay."""
        for picture in self._pictures.values():
            if picture.ready.is_set() and picture.uploaded is not None and self._gone(picture):
                picture.data = b""

    def painted(self) -> Mapping[str, str]:
        """SHA-256 by job id of everything painted so far."""
        return {name: picture.sha256 for name, picture in self._pictures.items() if picture.ready.is_set()}

    def link(self, picture: Picture, *, now: datetime | None = None) -> str:
        """A presigned link from now on; made without looking whether the object is there, as the real one is."""
        expires = int(((now or self._clock.now()) + LINK_LIFE).timestamp())
        while self._sign(picture.name, expires) in picture.dead_signatures:
            expires += 1
        signature = self._sign(picture.name, expires)
        query = urlencode({"AWSAccessKeyId": _ACCESS_KEY, "Signature": signature, "Expires": expires})
        return f"{self._public_url()}{PREFIX}/{picture.name}.webp?{query}"

    async def base64(self, picture: Picture) -> str:
        """The bytes for `r2: false`, or the server's `N/A` when the object is gone."""
        if self._gone(picture):
            return "N/A"
        await picture.ready.wait()
        return base64.b64encode(picture.data).decode()

    async def download(self, request: web.Request) -> web.Response:
        """Answer a GET of a link: 403 when it is dead or forged, 404 when there is no such object."""
        name = request.match_info["name"].removesuffix(".webp")
        expires, signature = request.query.get("Expires", ""), request.query.get("Signature", "")
        known = (
            expires.isascii() and expires.isdigit() and hmac.compare_digest(self._sign(name, int(expires)), signature)
        )
        if not known:
            return _refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        picture = self._pictures.get(name)
        if self._dead(picture, signature, int(expires)):
            return _refusal(403, "AccessDenied", "Request has expired")
        if picture is None or self._gone(picture):
            return _refusal(404, "NoSuchKey", "The specified key does not exist.")
        await picture.ready.wait()
        return self._found(picture)

    def _found(self, picture: Picture) -> web.Response:
        uploaded = picture.uploaded or self._clock.now()
        response = web.Response(body=picture.data, content_type="image/webp")
        response.last_modified = uploaded
        response.headers["ETag"] = f'"{hashlib.md5(picture.data, usedforsecurity=False).hexdigest()}"'
        return response

    def _dead(self, picture: Picture | None, signature: str, expires: int) -> bool:
        if picture is not None and self.expire_next > 0 and signature not in picture.dead_signatures:
            self.expire_next -= 1
            picture.dead_signatures.add(signature)
        burned = picture is not None and signature in picture.dead_signatures
        return burned or self._clock.now() >= datetime.fromtimestamp(expires, tz=self._clock.now().tzinfo)

    def _gone(self, picture: Picture) -> bool:
        uploaded = picture.uploaded
        return picture.missing or uploaded is None or self._clock.now() >= uploaded + OBJECT_LIFE

    def _sign(self, name: str, expires: int) -> str:
        digest = hmac.new(self._secret, f"{name}.webp:{expires}".encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()


def _refusal(status: int, code: str, message: str) -> web.Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(status=status, text=text, content_type="application/xml")
