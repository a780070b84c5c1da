"""The form behind `/osais run settings:True`: one paragraph of `name = value` lines, for a modal holds five fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from discord import ui

from bot.ui.modals import TYPING_TIME, field_values, recognised, text_field

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
        hint = "One on each line: name = value"
        self.add_item(text_field("lines", "Settings", lines, most=MAX_LINES, long=True, hint=hint))


def read_lines_form(data: Mapping[str, Any] | Any) -> Lines | None:
    """The lines of a submitted form, or None when it is another form."""
    match = recognised(data, _CUSTOM_ID)
    if match is None:
        return None
    return Lines(text=field_values(data).get("lines", ""), opened_by=match["id"])
