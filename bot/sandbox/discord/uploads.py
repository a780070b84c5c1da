"""Reading what a request carries: a JSON body, or multipart with `payload_json` and `files[n]`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web

from .errors import Refusal
from .model import Json

#: Bytes of a whole request; Discord's own bound is not documented, this one is above ten files of 10 MiB.
REQUEST_LIMIT = 110 * 1024 * 1024

_FILE_FIELD = re.compile(r"files?(?:\[(\d+)\])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One uploaded file as it arrived."""

    filename: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The body of a request and the files that came with it, by the n of files[n]."""

    body: Any
    files: Mapping[int, Part] = field(default_factory=dict)

    def object(self) -> Json:
        """Return the body, which has to be a JSON object (400, 50109 otherwise)."""
        if not isinstance(self.body, dict):
            raise Refusal.BAD_JSON.error()
        return self.body

    def inside(self, key: str) -> Upload:
        """Return the same files with the object that stands under `key` as the body."""
        return Upload(body=self.object().get(key) or {}, files=self.files)


async def read_upload(request: web.Request) -> Upload:
    """Read a request whole; ignores the application's `client_max_size`, which is made for smaller ones."""
    if request.content_type.startswith("multipart/"):
        return await _read_parts(request)
    raw = await request.content.read()
    return Upload(body=_parse(raw) if raw else {})


async def _read_parts(request: web.Request) -> Upload:
    body: Any = {}
    files: dict[int, Part] = {}
    reader = MultipartReader(request.headers, request.content)
    total = 0
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            continue
        data = bytes(await part.read())
        total += len(data)
        if total > REQUEST_LIMIT:
            raise Refusal.TOO_LARGE.error()
        match = _FILE_FIELD.fullmatch(part.name or "")
        if part.name == "payload_json":
            body = _parse(data)
        elif match and part.filename:
            files[int(match[1] or 0)] = Part(filename=part.filename, data=data)
    return Upload(body=body, files=files)


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise Refusal.BAD_JSON.error() from None
