"""A form for a prompt that something else suggests: a caption, or a picture to start from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from discord import ui

from bot.domain.jobs import JobId
from bot.domain.requests import DEFAULT_STRENGTH, MAX_NEGATIVE, MAX_PROMPT
from bot.errors import InvalidRequest
from bot.ui.modals import TYPING_TIME, field_values, recognised, text_field

_CUSTOM_ID = re.compile(r"form:(?P<kind>words|source):(?P<job>[a-z0-9]{1,40}|-)(?::(?P<index>[0-9]{1,4}))?")
_PERCENT = re.compile(r"\s*(\d{1,3})\s*%?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """What came back from the form."""

    prompt: str
    negative: str
    model: str
    #: How much of the picture may change, 0.01 to 1; None when nothing was said.
    strength: float | None
    #: Whether a picture is to be started from.
    from_picture: bool
    #: The job that the suggestion came from, and the index of its picture; None without one.
    job_id: JobId | None
    index: int


class PromptForm(ui.Modal):
    """Prompt, negative prompt, model, and for a picture how much of it may change."""

    def __init__(
        self, *, prompt: str = "", from_picture: bool, job_id: JobId | None = None, index: int = 0, model: str = ""
    ) -> None:
        kind = "source" if from_picture else "words"
        title = "Paint from this picture" if from_picture else "Imagine this"
        custom_id = f"form:{kind}:{job_id or '-'}:{index}"
        super().__init__(title=title, custom_id=custom_id, timeout=TYPING_TIME)
        self.add_item(text_field("prompt", "Prompt", prompt, most=MAX_PROMPT, long=True, required=True))
        self.add_item(text_field("negative", "Negative prompt", "", most=MAX_NEGATIVE, long=True))
        self.add_item(
            text_field("model", "Model", model, most=100, hint="As in the list of /imagine; empty for a good one.")
        )
        if from_picture:
            usual = f"{DEFAULT_STRENGTH:.0%}"
            self.add_item(
                text_field("strength", "How much may change", usual, most=5, hint="1 % stays close, 100 % is all new.")
            )


def read_prompted(data: Mapping[str, Any] | Any) -> Prompted | None:
    """What a submitted form says, or None when it is another form. Raises `InvalidRequest`."""
    match = recognised(data, _CUSTOM_ID)
    if match is None:
        return None
    values = field_values(data)
    return Prompted(
        prompt=values.get("prompt", ""),
        negative=values.get("negative", ""),
        model=values.get("model", ""),
        strength=_strength(values.get("strength", "")),
        from_picture=match["kind"] == "source",
        job_id=None if match["job"] == "-" else JobId(match["job"]),
        index=int(match["index"] or 0),
    )


def _strength(text: str) -> float | None:
    if not text.strip():
        return None
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise InvalidRequest(user_message="I can't read how much may change; write a number from 1 to 100.")
    return int(match[1]) / 100
