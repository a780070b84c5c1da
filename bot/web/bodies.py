"""Pure reading of what callers send: JSON, forms, multipart. Bytes in, fields and files out, or `Refused`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final
from urllib.parse import parse_qsl

from bot.web.refusals import Refused

#: Fields of a form, and parts of a multipart body; what services send has about ten.
MOST_FIELDS: Final = 64
_LONGEST_HEAD: Final = 8 * 1024
_EOL: Final = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A part that has a file name."""

    #: As the sender wrote it; not to be trusted.
    filename: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a body holds, whichever way it was written."""

    fields: Mapping[str, Any]
    files: tuple[FilePart, ...] = ()


def read_body(content: bytes, content_type: str) -> Body:
    """Read a body as its `Content-Type` header says; JSON without one counts too. Raises `Refused`.

    What stands under `response`, which is how AIs wrap theirs, counts as if it stood beside it.
    """
    head = _header("Content-Type", content_type or "application/json")
    match head.get_content_type():
        case "multipart/form-data":
            body = _multipart(content, str(head.get_param("boundary", "")))
            return Body(fields=_unwrapped(body.fields), files=body.files)
        case "application/x-www-form-urlencoded":
            return Body(fields=_unwrapped(_form(content)))
        case _:
            return Body(fields=read_object(content))


def read_object(content: bytes) -> dict[str, Any]:
    """Read a JSON object, and the one under `response` in it. Raises `Refused`."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:  # bytes that are no text are a ValueError, too
        raise Refused("the body is not JSON") from error
    if not isinstance(found, dict):
        raise Refused("the body is not a JSON object")
    return _unwrapped(found)


def _unwrapped(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under `response` (an object, alone in a list, or as text) over what stands beside it."""
    wrapped = fields.get("response")
    if isinstance(wrapped, str):
        try:
            wrapped = json.loads(wrapped)
        except (ValueError, RecursionError):
            wrapped = None
    if isinstance(wrapped, list) and len(wrapped) == 1:
        wrapped = wrapped[0]
    if not isinstance(wrapped, dict):
        return dict(fields)
    return {**fields, **{name: value for name, value in wrapped.items() if value is not None}}


def _form(content: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Refused("the form has too many fields") from error
    return dict(pairs)


def _multipart(content: bytes, boundary: str) -> Body:
    if not boundary or len(boundary) > 200 or not boundary.isascii():
        raise Refused("the multipart body has no boundary")
    fields: dict[str, Any] = {}
    files: list[FilePart] = []
    for part in _parts(content, b"--" + boundary.encode()):
        raw_head, separator, data = part.partition(_EOL * 2)
        if not separator or len(raw_head) > _LONGEST_HEAD:
            raise Refused("a part of the multipart body has no head")
        name, filename = _names(raw_head)
        if filename is None:
            fields[name] = data.decode("utf-8", "replace")
        elif filename or data:  # an input of a form in which no file was chosen has neither
            files.append(FilePart(filename=filename, data=data))
    return Body(fields=fields, files=tuple(files))


def _parts(content: bytes, mark: bytes) -> list[bytes]:
    """Cut at the lines that begin with `mark`; a body that is not closed was cut off on its way."""
    position = 0 if content.startswith(mark) else content.find(_EOL + mark) + len(_EOL)
    if not content.startswith(mark, position):
        raise Refused("the multipart body does not begin")
    found: list[bytes] = []
    while True:
        position += len(mark)
        if content.startswith(b"--", position):
            return found
        line_end = content.find(_EOL, position)
        end = content.find(_EOL + mark, line_end)
        if line_end < 0 or end < 0 or content[position:line_end].strip(b" \t") or len(found) >= MOST_FIELDS:
            raise Refused("the multipart body is cut off or damaged")
        found.append(content[line_end + len(_EOL) : end])
        position = end + len(_EOL)


def _names(raw_head: bytes) -> tuple[str, str | None]:
    """A part's name and, for a file, the name that its sender gives it."""
    for line in raw_head.decode("utf-8", "replace").split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            head = _header("Content-Disposition", value.strip())
            try:
                name, filename = head.get_param("name", "", "Content-Disposition"), head.get_filename()
            except (LookupError, ValueError, TypeError) as error:  # an odd charset of an encoded name
                raise Refused("a part of the multipart body has an unreadable head") from error
            return (name if isinstance(name, str) else ""), filename
    raise Refused("a part of the multipart body has no name")


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = " ".join(value.split())
    return message
