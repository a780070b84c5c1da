"""What our modals share: how a text field is made, how a form that comes back is recognised, and how it is read.

None has an `on_submit`: a cog reads what comes back by the form's custom id, so that a form that was opened before a
restart still works, and an error is told wherever it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import discord
from discord import ui

#: Forms are kept in discord.py's memory for as long as people plausibly type, in seconds.
TYPING_TIME = 900.0


def text_field(
    name: str,
    label: str,
    value: str = "",
    *,
    most: int,
    long: bool = False,
    required: bool = False,
    hint: str = "",
) -> ui.Label[Any]:
    """A text field with its label, prefilled with as much of `value` as its `most` characters hold."""
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=name,
        style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
        default=value[:most] or None,
        max_length=most,
        required=required,
    )
    return ui.Label(text=label, description=hint or None, component=field)


def recognised(data: Mapping[str, Any] | Any, custom_id: re.Pattern[str]) -> re.Match[str] | None:
    """What the custom id of a submitted form says, or None when it is another form."""
    return custom_id.fullmatch(str(data.get("custom_id", ""))) if data else None


def field_values(data: Mapping[str, Any] | Any) -> dict[str, str]:
    """What was typed into each field of a submitted form, by the field's custom id."""
    return dict(_values(data.get("components") or ()))


def _values(components: Any) -> Iterator[tuple[str, str]]:
    for component in components:
        if "custom_id" in component and "value" in component:
            yield str(component["custom_id"]), str(component["value"] or "")
        yield from _values(component.get("components") or ())
        if component.get("component"):
            yield from _values((component["component"],))
