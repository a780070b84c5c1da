"""The form behind `/osais run settings:True`: one paragraph of `name = value` lines, for a modal holds five fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.ui.edit_form import TYPING_TIME, field_values

_CUSTOM_ID = re.compile(r"form:engine:(?P<id>[0-9]{1,20})")
#: Longest text that a modal's field takes (Discord: "Text Input").
MAX_LINES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What came back from the form."""

    text: str
    #: The interaction that opened it: what else was asked for is remembered by it.
    opened_by: str


class EngineForm(ui.Modal):
    """All settings of an engine, as they stand."""

    def __init__(self, interaction_id: int, title: str, lines: str) -> None:
        super().__init__(title=title[:45], custom_id=f"form:engine:{interaction_id}", timeout=TYPING_TIME)
        field: ui.TextInput[Any] = ui.TextInput(
            custom_id="lines",
            style=discord.TextStyle.paragraph,
            default=lines[:MAX_LINES] or None,
            max_length=MAX_LINES,
            required=False,
        )
        self.add_item(ui.Label(text="Settings", description="One on each line: name = value", component=field))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Do nothing: forms are read by their custom id, so that an error is told wherever it comes from."""


def read_lines_form(data: Mapping[str, Any] | Any) -> Lines | None:
    """The lines of a submitted form, or None when it is another form."""
    match = _CUSTOM_ID.fullmatch(str(data.get("custom_id", ""))) if data else None
    if match is None:
        return None
    return Lines(text=field_values(data).get("lines", ""), opened_by=match["id"])
