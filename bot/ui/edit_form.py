"""The edit form of a picture request: prefilled, and read without any memory of having been opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import discord
from discord import ui

from bot.domain.jobs import ImageJob, JobId
from bot.domain.requests import MAX_NEGATIVE, MAX_PROMPT, MAX_SEED
from bot.services.imagining import Changes

_CUSTOM_ID = re.compile(r"form:edit:(?P<job>[a-z0-9]{1,40})")
#: Forms are kept in discord.py's memory for as long as people plausibly type, in seconds.
TYPING_TIME = 900.0


class EditForm(ui.Modal):
    """Five fields, the most a modal holds."""

    def __init__(self, job: ImageJob) -> None:
        super().__init__(title="Edit and paint again", custom_id=f"form:edit:{job.id}", timeout=TYPING_TIME)
        request = job.request
        seed = request.seed if request.seed_chosen else ""
        self._field("prompt", "Prompt", request.prompt, long=True, most=MAX_PROMPT, required=True)
        self._field("negative", "Negative prompt", request.negative, long=True, most=MAX_NEGATIVE)
        self._field("model", "Model", request.model, most=100, hint="As in the list of /imagine; empty keeps it.")
        self._field("seed", "Seed", seed, most=MAX_SEED, hint="Empty for a new random one.")
        pair = f"{request.steps} / {request.guidance:g}"
        self._field("numbers", "Steps / guidance", pair, most=20, hint="For example 25 / 7")

    def _field(
        self,
        name: str,
        label: str,
        value: str,
        *,
        most: int,
        long: bool = False,
        required: bool = False,
        hint: str = "",
    ) -> None:
        field: ui.TextInput[Any] = ui.TextInput(
            custom_id=name,
            style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
            default=value[:most] or None,
            max_length=most,
            required=required,
        )
        self.add_item(ui.Label(text=label, description=hint or None, component=field))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Do nothing: forms are read by their custom id, so that they work after a restart too."""


def read_form(data: Mapping[str, Any] | Any) -> tuple[JobId, Changes] | None:
    """The job and the changes in a submitted form, or None when it is another form."""
    match = _CUSTOM_ID.fullmatch(str(data.get("custom_id", ""))) if data else None
    if match is None:
        return None
    values = field_values(data)
    changes = Changes(
        prompt=values.get("prompt", ""),
        negative=values.get("negative", ""),
        model=values.get("model", ""),
        seed=values.get("seed", ""),
        steps_and_guidance=values.get("numbers", ""),
    )
    return JobId(match["job"]), changes


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
