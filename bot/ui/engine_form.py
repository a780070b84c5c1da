"""The form behind `/osais run settings:True`: the prompt, and one paragraph of `name = value` lines.

A modal holds five fields, and engines have up to seven settings. What a form was filled in with is written down by the
interaction that opened it, so that a slip costs nothing: the button under the answer opens it again as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import discord
from discord import ui

from bot.domain.engines import MAX_PROMPT
from bot.ui.modals import TYPING_TIME, field_values, recognised, text_field

_CUSTOM_ID = re.compile(r"form:engine:(?P<id>[0-9]{1,20})")
_AGAIN_ID = re.compile(r"engine:again:(?P<id>[0-9]{1,20})")
#: Longest text that a modal's field takes (Discord: "Text Input").
MAX_LINES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What came back from the form."""

    text: str
    #: None where the engine takes no words, so that the form has no field for them.
    prompt: str | None = None
    #: The interaction that opened it: what else was asked for is remembered by it.
    opened_by: str


class EngineForm(ui.Modal):
    """All settings of an engine, as they stand, and what it is told."""

    def __init__(self, opened_by: str, title: str, lines: str, *, prompt: str | None = None) -> None:
        """`prompt` is None for an engine that takes no words, `lines` empty for one that has nothing to set."""
        super().__init__(title=title[:45], custom_id=f"form:engine:{opened_by}", timeout=TYPING_TIME)
        if prompt is not None:
            self.add_item(text_field("prompt", "Prompt", prompt, most=MAX_PROMPT, long=True))
        if lines:
            hint = "One on each line: name = value. What stands behind a # says what it may be."
            self.add_item(text_field("lines", "Settings", lines, most=MAX_LINES, long=True, hint=hint))


class EditAgain(ui.DynamicItem[ui.Button[Any]], template=_AGAIN_ID.pattern):
    """Opens a form again with everything that was typed into it."""

    def __init__(self, opened_by: str) -> None:
        super().__init__(
            ui.Button(
                label="Edit again",
                emoji="✏\ufe0f",
                style=discord.ButtonStyle.primary,
                custom_id=f"engine:again:{opened_by}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button of a press."""
        return cls(match["id"])

    async def callback(self, _interaction: discord.Interaction[Any]) -> None:
        """Leave it to the cog, which reads presses by their custom id, as it does forms: also after a restart."""


def read_lines_form(data: Mapping[str, Any] | Any) -> Lines | None:
    """The lines of a submitted form, or None when it is another form."""
    match = recognised(data, _CUSTOM_ID)
    if match is None:
        return None
    values = field_values(data)
    return Lines(text=values.get("lines", ""), prompt=values.get("prompt"), opened_by=match["id"])


def read_edit_again(data: Mapping[str, Any] | Any) -> str | None:
    """Which interaction had opened the form that a press wants back, or None when it is another press."""
    match = recognised(data, _AGAIN_ID)
    return match["id"] if match is not None else None
