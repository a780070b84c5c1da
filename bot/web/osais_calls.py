"""Pure reading of OSAIS's calls: a body in, what it says out, or `Refused` (its documentation and its NodeJS sample).

OSAIS documents neither the content type of its calls nor the types of their fields, so everything that was seen in any
source is taken: every scalar as text or number, optional fields missing or of another type.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.domain.callbacks import Notice, Upload
from bot.providers.osais.numbers import uid_of, whole
from bot.web.bodies import Body
from bot.web.refusals import Refused, too_large
from bot.web.sniffing import media_type_of

#: Largest notification, and largest file, in bytes.
NOTIFY_LIMIT: Final = 64 * 1024
FILE_LIMIT: Final = 32 * 1024 * 1024
#: Largest body of an upload: the file, as it is or in base64, and what stands beside it.
_MULTIPART_LIMIT, _JSON_LIMIT = FILE_LIMIT + NOTIFY_LIMIT, FILE_LIMIT * 4 // 3 + NOTIFY_LIMIT

_LONGEST_NAME, _LONGEST_TEXT, _LONGEST_ENGINE = 100, 500, 40
_UID_AT_HEAD: Final = re.compile(r"\d{12,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, understood."""

    uid: int
    said: Notice | Upload
    #: An upload's bytes.
    data: bytes | None = None


def read_notice(body: Body) -> Call:
    """Read a stage notification. Raises `Refused` for one that names no request."""
    fields = body.fields
    uid = uid_of(fields.get("uid"))
    if uid is None:
        raise Refused("uid is missing or not a number")
    notice = Notice(
        stage=whole(fields.get("stage")) or 0,
        filename=_name(fields.get("filename")) if isinstance(fields.get("filename"), str) else "",
        description=_text(fields.get("descr"), _LONGEST_TEXT),
        engine=_text(fields.get("engine"), _LONGEST_ENGINE),
        cycle=max(0, whole(fields.get("cycle")) or 0),
    )
    return Call(uid=uid, said=notice)


def read_upload(body: Body) -> Call:
    """Read a delivered file, whichever way it is packed. Raises `Refused`; blocking, for a file may be large."""
    name, data = _file(body)
    if len(data) > FILE_LIMIT:
        raise too_large(FILE_LIMIT)
    said, at_head = body.fields.get("uid"), _UID_AT_HEAD.match(name)
    uid = uid_of(at_head and at_head[0] if _is_blank(said) else said)
    if uid is None:
        raise Refused("uid is missing or not a number")
    upload = Upload(
        name=name,
        media_type=media_type_of(data),
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        engine=_text(body.fields.get("engine"), _LONGEST_ENGINE),
    )
    return Call(uid=uid, said=upload, data=data)


def upload_limit(content_type: str) -> int:
    """Most bytes that the body of an upload may have."""
    return _MULTIPART_LIMIT if content_type.lower().lstrip().startswith("multipart/") else _JSON_LIMIT


def token_of(body: Body, ours: str) -> str:
    """The token that the acknowledgement names: the one received, or ours when none came.

    Raises `Refused` for somebody else's. Compared in constant time.
    """
    said = body.fields.get("token")
    if _is_blank(said) or whole(said) == 0:  # the sample client says "0" for none
        return ours
    token = str(said)
    if not hmac.compare_digest(token.encode("utf-8", "replace"), ours.encode()):
        raise Refused("the token is not ours", status=403)
    return token


def _file(body: Body) -> tuple[str, bytes]:
    if body.files:
        if len(body.files) != 1:
            raise Refused("there has to be exactly one file in a call")
        return _name(body.files[0].filename), body.files[0].data
    for key in ("image", "file"):
        packed = body.fields.get(key)
        if isinstance(packed, str) and packed:
            return _name(body.fields.get("filename")), _unpacked(packed)
    raise Refused("there is no file in the call")


def _unpacked(packed: str) -> bytes:
    head, comma, rest = packed[:200].partition(",")
    text = packed[len(head) + 1 :] if comma and head.startswith("data:") and rest else packed
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("the file is not in base64") from error
    if not data:
        raise Refused("the file is empty")
    return data


def _is_blank(value: Any) -> bool:
    """Whether nothing is said; in a form, JavaScript writes that as a word."""
    if isinstance(value, str):
        return value.strip() in {"", "null", "undefined", "NaN", "false"}
    return value is None or value is False


def _name(value: Any) -> str:
    """A file's name without folders, without anything unprintable, and short; empty for none."""
    return _text(re.split(r"[/\\]", value)[-1] if isinstance(value, str) else "", _LONGEST_NAME).lstrip(".")


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    return "".join(char if char.isprintable() else " " for char in str(value)[:longest]).strip()


def acknowledgement(token: str, uid: int) -> Mapping[str, object]:
    """What OSAIS checks an acknowledgement for: both values, the uid as a number."""
    return {"data": {"token": token, "uid": uid}}
