"""What a message may hold: Discord's limits on text, embeds, mentions and flags (Discord docs, "Create Message")."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from .component_rules import check_components
from .errors import FormErrors
from .kinds import MessageFlag
from .model import Json

CONTENT: Final = 2000
EMBEDS: Final = 10
EMBED_TOTAL: Final = 6000
EMBED_FIELDS: Final = 25
ATTACHMENTS: Final = 10
DESCRIPTION: Final = 1024
NONCE: Final = 25

_URL = re.compile(r"(?:https?|attachment)://\S+", re.IGNORECASE)
_TEXTS: Final = {"title": 256, "description": 4096}


def check_message(errors: FormErrors, body: Json, *, v2: bool, edit: bool) -> None:
    """Note everything that is wrong with the body of a message or of an edit."""
    if errors.text("content", body.get("content")) and body.get("content"):
        errors.length("content", body["content"], 0, CONTENT)
    embeds = body.get("embeds")
    if embeds is not None:
        check_embeds(errors, embeds)
    components = body.get("components")
    if components is not None:
        check_components(errors, components, v2=v2)
    if v2:
        check_v2_fields(errors, body)
    _check_mentions(errors, body.get("allowed_mentions"))
    _check_attachments(errors, body.get("attachments"))
    flags = body.get("flags")
    if flags is not None and not isinstance(flags, int):
        errors.add("flags", "NUMBER_TYPE_COERCE", f'Value "{flags}" is not int.')
    if not edit and body.get("nonce") is not None:
        errors.length("nonce", str(body["nonce"]), 0, NONCE)


def is_v2(body: Json, present_flags: int = 0) -> bool:
    """Say whether the message is, or becomes, one of components only; the flag never goes away again."""
    flags = body.get("flags")
    asked = flags if isinstance(flags, int) else 0
    return bool((asked | present_flags) & MessageFlag.COMPONENTS_V2)


def check_embeds(errors: FormErrors, embeds: Any, path: str = "embeds") -> None:
    """Note what is wrong with the embeds, each by itself and all together."""
    if not isinstance(embeds, list):
        errors.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if len(embeds) > EMBEDS:
        errors.length(path, embeds, 0, EMBEDS)
    total = 0
    for number, embed in enumerate(embeds):
        if isinstance(embed, dict):
            total += _check_embed(errors, embed, f"{path}.{number}")
        else:
            errors.add(f"{path}.{number}", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    if total > EMBED_TOTAL:
        errors.add(path, "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_TOTAL}")


def _check_embed(errors: FormErrors, embed: Json, path: str) -> int:
    total = sum(_size(errors, f"{path}.{key}", embed.get(key), high) for key, high in _TEXTS.items())
    footer, author = embed.get("footer") or {}, embed.get("author") or {}
    total += _size(errors, f"{path}.footer.text", footer.get("text"), 2048)
    total += _size(errors, f"{path}.author.name", author.get("name"), 256)
    fields = embed.get("fields") or []
    if len(fields) > EMBED_FIELDS:
        errors.length(f"{path}.fields", fields, 0, EMBED_FIELDS)
    for number, item in enumerate(fields):
        for key, high in (("name", 256), ("value", 1024)):
            errors.length(f"{path}.fields.{number}.{key}", item.get(key), 1, high)
            total += len(str(item.get(key) or "").strip())
    for part, key in (("image", "url"), ("thumbnail", "url"), ("author", "icon_url"), ("footer", "icon_url")):
        _check_url(errors, f"{path}.{part}.{key}", (embed.get(part) or {}).get(key))
    _check_url(errors, f"{path}.url", embed.get("url"))
    color = embed.get("color")
    if color is not None and not (isinstance(color, int) and 0 <= color <= 0xFFFFFF):
        errors.add(f"{path}.color", "NUMBER_TYPE_MAX", "int value should be between 0 and 16777215.")
    _check_time(errors, f"{path}.timestamp", embed.get("timestamp"))
    if not total and not embed.get("image") and not embed.get("thumbnail"):
        errors.required(f"{path}.description")
    return total


def _size(errors: FormErrors, path: str, text: Any, high: int) -> int:
    if text is None or not errors.text(path, text):
        return 0
    errors.length(path, text, 0, high)
    return len(text.strip())


def _check_url(errors: FormErrors, path: str, url: Any) -> None:
    if url is None or not errors.text(path, url):
        return
    if not _URL.fullmatch(url):
        errors.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    errors.length(path, url, 0, 2048)


def _check_time(errors: FormErrors, path: str, text: Any) -> None:
    if text is None:
        return
    try:
        datetime.fromisoformat(str(text))
    except ValueError:
        errors.add(path, "DATE_TIME_TYPE_PARSE", f"Could not parse {text}. Should be ISO8601.")


def check_v2_fields(errors: FormErrors, body: Json) -> None:
    """Note the classic parts that a message of components must not have."""
    for key in ("content", "embeds", "poll", "sticker_ids"):
        if body.get(key):
            sentence = f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            errors.add(key, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", sentence)


def _check_mentions(errors: FormErrors, allowed: Any) -> None:
    if allowed is None:
        return
    if not isinstance(allowed, dict):
        errors.add("allowed_mentions", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return
    parse = allowed.get("parse") or []
    for number, kind in enumerate(parse):
        if kind not in {"users", "roles", "everyone"}:
            errors.choices(f"allowed_mentions.parse.{number}", "'users', 'roles', 'everyone'")
    for kind in ("users", "roles"):
        ids = allowed.get(kind) or []
        errors.length(f"allowed_mentions.{kind}", ids, 0, 100)
        if ids and kind in parse:
            code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
            errors.add("allowed_mentions", code, f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.')


def _check_attachments(errors: FormErrors, listed: Any) -> None:
    if listed is None:
        return
    if not isinstance(listed, list):
        errors.add("attachments", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if len(listed) > ATTACHMENTS:
        errors.length("attachments", listed, 0, ATTACHMENTS)
    seen: set[str] = set()
    for number, item in enumerate(listed):
        key = str(item.get("id")) if isinstance(item, dict) else "None"
        if not key.isdigit():
            errors.required(f"attachments.{number}.id")
        elif key in seen:
            errors.add(
                f"attachments.{number}.id", "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value"
            )
        seen.add(key)
        if isinstance(item, dict):
            errors.length(f"attachments.{number}.description", item.get("description"), 0, DESCRIPTION)
