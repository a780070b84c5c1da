"""What alchemists send, judged: the Horde passes it on as it came, of whatever type and size (server 5.1.5).

Each function takes the `result` of one form, an object whose key should be the form's name, and raises `ProtocolError`
with a sentence for people when it makes no sense.
"""

from __future__ import annotations

import json
import re
from typing import Any

from bot.domain.alchemy import Form
from bot.errors import ProtocolError

#: Largest text of a describing form, and largest drawing, in bytes of UTF-8.
MAX_TOLD, MAX_SVG = 64 * 1024, 2 * 1024 * 1024

_EXPECTED: dict[Form, type] = {Form.CAPTION: str, Form.TAGS: dict, Form.NSFW: bool}
#: All that a drawing may be made of; what moves, runs, or shows another page is not among it.
_SHAPES = (
    "svg|g|path|rect|circle|ellipse|line|polyline|polygon|text|tspan|image|use|symbol|defs|marker|pattern|mask"
    "|clippath|lineargradient|radialgradient|stop|title|desc|metadata"
)
#: Any other element or declaration; and in attributes, what runs or fetches something when the drawing is opened in a
#: browser, or how that could be disguised (character references, CSS escapes). Linear in the length of the text.
_ACTIVE = re.compile(
    rf"<(?!/?(?:svg:)?(?:{_SHAPES})(?![\w:.-])|!--|\?xml\s|!doctype\s[^<>\[\]]{{0,300}}>)"
    r"|[\s\"'/]on[a-z]+\s*=|(?:java|vb)script:|&\#|\\|xml:base|encoding\s*=\s*[\"'](?!utf-8[\"'])"
    r"|(?:href|src)\s*=\s*(?:[\"']\s*)?(?!#|data:image/(?:png|jpeg|webp|gif)[;,])[^\s\"'>]"
    r"|url\(\s*(?:[\"']\s*)?(?!#)[^\s\"')]|(?:image|image-set|cross-fade|src)\(",
    re.IGNORECASE,
)
_ROOT = re.compile(r"<svg\b[^>]*>", re.IGNORECASE)
_SIDE = r"\b{}\s*=\s*[\"']\s*(\d{{1,5}})(?:\.\d{{1,8}})?(?:px)?\s*[\"']"
_VIEW_BOX = re.compile(r"\bviewBox\s*=\s*[\"']([-+\d.,\s]{1,100})[\"']", re.IGNORECASE)

_NONSENSE = "What the worker sent for this makes no sense. Please try again."
_TOO_LONG = "What the worker sent for this is far too long to be right. Please try again."
_UNSAFE = "The worker's drawing holds more than shapes (such as a script), so I don't pass it on. Please try again."


def told_of(form: Form, result: Any) -> str:
    """Return what a describing form tells, as JSON text that holds no lone surrogates."""
    value = _value(form, result)
    if not isinstance(value, _EXPECTED.get(form, object)) or value in ("", [], {}, None):
        raise _odd(form, _NONSENSE)
    try:
        told = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except (ValueError, RecursionError) as error:
        raise _odd(form, _NONSENSE) from error
    if len(told) > MAX_TOLD:
        raise _odd(form, _TOO_LONG)
    return told.decode()


def link_of(form: Form, result: Any) -> str:
    """Return the link to a picture; whether it may be followed is for the guarded fetcher to decide."""
    value = _value(form, result)
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise _odd(form, _NONSENSE)
    return value


def drawing_of(form: Form, result: Any) -> bytes:
    """Return the text of an SVG that is nothing but shapes. It is still to be treated as a stranger's."""
    value = _value(form, result)
    if not isinstance(value, str) or not _ROOT.search(value[:4096]):
        raise _odd(form, _NONSENSE)
    data = value.encode("utf-8", "replace")
    if len(data) > MAX_SVG:
        raise _odd(form, _TOO_LONG)
    if _ACTIVE.search(value):
        raise _odd(form, _UNSAFE)
    return data


def drawing_size(data: bytes) -> tuple[int, int]:
    """Tell width and height as a drawing states them, in pixels; zeros when it does not."""
    root = _ROOT.search(data[:4096].decode("utf-8", "replace"))
    if root is None:
        return 0, 0
    sides = [re.search(_SIDE.format(name), root[0], re.IGNORECASE) for name in ("width", "height")]
    if sides[0] and sides[1]:
        return int(sides[0][1]), int(sides[1][1])
    box = _VIEW_BOX.search(root[0])
    numbers = re.findall(r"\d{1,5}(?:\.\d{0,8})?", box[1]) if box else []
    return (int(float(numbers[2])), int(float(numbers[3]))) if len(numbers) == 4 else (0, 0)


def _value(form: Form, result: Any) -> Any:
    return result.get(form.value) if isinstance(result, dict) else None


def _odd(form: Form, told: str) -> ProtocolError:
    return ProtocolError("a result that can't be used", path=form.value, user_message=told)
