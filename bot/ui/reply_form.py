"""The form behind ↩ Reply and *Ask about this*: one question, read without any memory of having been opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from discord import ui

from bot.domain.jobs import JobId
from bot.domain.requests import MAX_PROMPT
from bot.ui.modals import TYPING_TIME, field_values, recognised, text_field

_CUSTOM_ID = re.compile(r"form:(?P<kind>reply|about):(?P<id>[a-z0-9]{1,40})")
#: How much of a message a form quotes.
MAX_QUOTED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came back from the form."""

    text: str
    #: The message that is asked about, as it was quoted (and perhaps changed) in the form.
    quoted: str
    #: The answer that is replied to; None for a question about a message.
    job_id: JobId | None
    #: The interaction that opened the form about a message.
    opened_by: str


class ReplyForm(ui.Modal):
    """What to say in answer to an answer."""

    def __init__(self, job_id: JobId) -> None:
        super().__init__(title="Reply", custom_id=f"form:reply:{job_id}", timeout=TYPING_TIME)
        self.add_item(text_field("text", "What do you want to say?", most=MAX_PROMPT, long=True, required=True))


class AboutForm(ui.Modal):
    """What to ask about a message; its text stands in the form, so that nothing has to be remembered."""

    def __init__(self, interaction_id: int, quoted: str) -> None:
        super().__init__(title="Ask about this", custom_id=f"form:about:{interaction_id}", timeout=TYPING_TIME)
        self.add_item(text_field("text", "What do you want to know?", most=1000, long=True, required=True))
        self.add_item(text_field("quoted", "The message", quoted, most=MAX_QUOTED, long=True))


def read_said(data: Mapping[str, Any] | Any) -> Said | None:
    """What was said in a submitted form, or None when it is another form."""
    match = recognised(data, _CUSTOM_ID)
    if match is None:
        return None
    values = field_values(data)
    replies = match["kind"] == "reply"
    return Said(
        text=values.get("text", ""),
        quoted=values.get("quoted", ""),
        job_id=JobId(match["id"]) if replies else None,
        opened_by="" if replies else match["id"],
    )
