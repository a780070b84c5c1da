"""What workers tell of a picture, read with suspicion: the server passes it on unchecked, of any type and size."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.alchemy import Form, FormArtifact

MAX_TAGS = 5
#: A palette with more colours than this is cut.
MAX_COLOURS = 12
#: More groups of tags than this are not looked at (workers send seven).
MAX_GROUPS = 12

_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_NUMBER = re.compile(r"-?\d{1,6}(?:\.\d{1,9})?")
_YES, _NO = frozenset({"true", "yes", "nsfw", "1"}), frozenset({"false", "no", "sfw", "safe", "0"})


def value_of(artifact: FormArtifact) -> Any:
    """What was told, without the wrapping that some workers add."""
    value = artifact.value
    if isinstance(value, Mapping) and set(value) == {artifact.form.value}:
        return value[artifact.form.value]
    return value


def text_of(artifact: FormArtifact) -> str:
    """A caption or a description; empty when it is no text."""
    value = value_of(artifact)
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
        value = value[0]
    return value.strip() if isinstance(value, str) else ""


def tags_of(artifact: FormArtifact) -> Mapping[str, Sequence[tuple[str, float | None]]]:
    """The surest tags by group, each with its percentage; empty groups are left out, none means it is nonsense."""
    value = value_of(artifact)
    groups = value if isinstance(value, Mapping) else {Form.TAGS.value: value}
    found = {str(name): _ranked(group) for name, group in list(groups.items())[:MAX_GROUPS]}
    return {name: tags for name, tags in found.items() if tags}


def colours_of(artifact: FormArtifact) -> tuple[str, ...]:
    """A palette as `#rrggbb` in lower case, each once."""
    value = value_of(artifact)
    return tuple(dict.fromkeys(_colours(value, depth=3)))[:MAX_COLOURS]


def score_of(artifact: FormArtifact) -> float | None:
    """A score between 0 and 10."""
    number = _number(value_of(artifact))
    return number if number is not None and 0 <= number <= 10 else None


def nsfw_of(artifact: FormArtifact) -> bool | None:
    """Whether a worker found it not safe for work."""
    value = value_of(artifact)
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold() if isinstance(value, str | int) else ""
    return True if word in _YES else False if word in _NO else None


def raw_of(artifact: FormArtifact) -> str:
    """What was told as it is, for the curious."""
    value = artifact.value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value is not None else ""


def _ranked(group: Any) -> Sequence[tuple[str, float | None]]:
    tags = [tag for tag in map(_tag, group) if tag is not None] if isinstance(group, list) else []
    return sorted(tags, key=lambda tag: -math.inf if tag[1] is None else tag[1], reverse=True)[:MAX_TAGS]


def _tag(tag: Any) -> tuple[str, float | None] | None:
    if isinstance(tag, str):
        return (tag, None) if tag.strip() else None
    if not isinstance(tag, Mapping) or not isinstance(tag.get("text"), str) or not tag["text"].strip():
        return None
    return tag["text"], _number(tag.get("confidence"))


def _colours(value: Any, *, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield from (f"#{found.lower()}" for found in _HEX.findall(value[:2000]))
    elif isinstance(value, Mapping) and depth:
        for part in list(value.values())[:MAX_COLOURS]:
            yield from _colours(part, depth=depth - 1)
    elif isinstance(value, list) and value and all(_is_channel(part) for part in value) and len(value) in {3, 4}:
        yield "#" + "".join(f"{part:02x}" for part in value[:3])
    elif isinstance(value, list) and depth:
        for part in value[: 4 * MAX_COLOURS]:
            yield from _colours(part, depth=depth - 1)


def _is_channel(part: Any) -> bool:
    return isinstance(part, int) and not isinstance(part, bool) and 0 <= part <= 255


def _number(value: Any) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
