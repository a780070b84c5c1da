"""How a callback is written: nobody knows which way the service does it, so every way that fits the sources is here."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

_BOUNDARY = "----osais7MA4YWxkTrZu0gW"
_FILE_TYPES: Mapping[str, str] = {"png": "image/png", "wav": "audio/wav", "mp4": "video/mp4"}


class NotifyEncoding(StrEnum):
    """How a notification is encoded."""

    JSON = "json"
    JSON_STRINGS = "json-strings"
    JSON_RESPONSE = "json-response"
    JSON_UNTYPED = "json-untyped"
    URLENCODED = "urlencoded"
    MULTIPART = "multipart"


class UploadEncoding(StrEnum):
    """How an upload is encoded."""

    MULTIPART = "multipart"
    BASE64 = "base64"
    BASE64_FILE = "base64-file"
    BASE64_RESPONSE = "base64-response"
    DATA_URL = "data-url"


class TokenSent(StrEnum):
    """Which token a call carries."""

    OWN = "own"
    ZERO = "zero"
    ABSENT = "absent"
    WRONG = "wrong"


class Damage(StrEnum):
    """What happens to a body on its way."""

    NONE = "none"
    #: It ends in the middle, and the connection says that this was all.
    TRUNCATED = "truncated"
    #: The connection dies in the middle.
    CUT = "cut"
    #: It comes in many pieces without its length being told first.
    PIECES = "pieces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How calls are written and where they go."""

    notify: NotifyEncoding = NotifyEncoding.JSON
    upload: UploadEncoding = UploadEncoding.MULTIPART
    notify_token: TokenSent = TokenSent.OWN
    upload_token: TokenSent = TokenSent.OWN
    #: Name of the multipart part that carries the file.
    part_name: str = "file"
    #: Content type of that part; empty: the right one.
    part_type: str = ""
    #: Text parts follow the file instead of preceding it.
    text_after_file: bool = False
    #: A second part with a file name, which is one too many.
    second_file: bool = False
    #: Fields left out of both kinds of calls.
    omit: frozenset[str] = frozenset()
    #: Fields left out of uploads alone.
    omit_upload: frozenset[str] = frozenset()
    #: Fields put into, or changed in, notifications.
    fields: Mapping[str, object] = field(default_factory=dict)
    damage: Damage = Damage.NONE
    #: Between domain and uri.
    slashes: str = "/"
    #: A path the client never gave.
    wrong_path: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What goes over the wire."""

    content: bytes
    #: None sends no content type at all.
    content_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file to upload."""

    name: str
    data: bytes


def notification(fields: Mapping[str, object], encoding: NotifyEncoding) -> Body:
    """Write a notification."""
    match encoding:
        case NotifyEncoding.JSON:
            return _json(fields)
        case NotifyEncoding.JSON_UNTYPED:
            return Body(content=_json(fields).content, content_type=None)
        case NotifyEncoding.JSON_STRINGS:
            return _json(_as_strings(fields))
        case NotifyEncoding.JSON_RESPONSE:
            return _json({"response": _as_strings(fields)})
        case NotifyEncoding.URLENCODED:
            content = urlencode(_as_strings(fields)).encode()
            return Body(content=content, content_type="application/x-www-form-urlencoded")
        case NotifyEncoding.MULTIPART:
            return _multipart([_text(name, value) for name, value in _as_strings(fields).items()])


def upload(fields: Mapping[str, object], file: FilePart, wire: Wire) -> Body:
    """Write an upload."""
    if wire.upload is UploadEncoding.MULTIPART:
        return _upload_parts(fields, file, wire)
    image = base64.b64encode(file.data).decode()
    match wire.upload:
        case UploadEncoding.DATA_URL:
            kind = _FILE_TYPES.get(file.name.rpartition(".")[2], "application/octet-stream")
            return _json({"image": f"data:{kind};base64,{image}", **fields})
        case UploadEncoding.BASE64_RESPONSE:
            return _json({"response": {"image": image, **_as_strings(fields)}})
        case UploadEncoding.BASE64_FILE:
            return _json({"file": image, **fields})
        case _:
            return _json({"image": image, **_as_strings(fields)})


def _upload_parts(fields: Mapping[str, object], file: FilePart, wire: Wire) -> Body:
    texts = [_text(name, value) for name, value in _as_strings(fields).items()]
    kind = wire.part_type or _FILE_TYPES.get(file.name.rpartition(".")[2], "application/octet-stream")
    parts = [_file(wire.part_name, file, kind)]
    if wire.second_file:
        parts.append(_file("another", file, kind))
    return _multipart([*parts, *texts] if wire.text_after_file else [*texts, *parts])


def _json(value: Mapping[str, object]) -> Body:
    return Body(content=json.dumps(value).encode(), content_type="application/json")


def _multipart(parts: list[bytes]) -> Body:
    content = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
    return Body(content=content, content_type=f"multipart/form-data; boundary={_BOUNDARY}")


def _text(name: str, value: str) -> bytes:
    return f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def _file(part: str, file: FilePart, kind: str) -> bytes:
    name = file.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\nContent-Type: {kind}'
    return head.encode() + b"\r\n\r\n" + file.data + b"\r\n"


def _as_strings(fields: Mapping[str, object]) -> dict[str, str]:
    """Every scalar as text, the way a form or JavaScript would write it."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
