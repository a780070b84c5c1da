"""The edit form of a picture request: prefilled, and read without any memory of having been opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from discord import ui

from bot.domain.jobs import ImageJob, JobId
from bot.domain.requests import MAX_NEGATIVE, MAX_PROMPT, MAX_SEED
from bot.services.imagining import Changes
from bot.ui.modals import TYPING_TIME, field_values, recognised, text_field

_CUSTOM_ID = re.compile(r"form:edit:(?P<job>[a-z0-9]{1,40})")


class EditForm(ui.Modal):
    """Five fields, the most a modal holds."""

    def __init__(self, job: ImageJob) -> None:
        super().__init__(title="Edit and paint again", custom_id=f"form:edit:{job.id}", timeout=TYPING_TIME)
        request = job.request
        seed = request.seed if request.seed_chosen else ""
        self.add_item(text_field("prompt", "Prompt", request.prompt, long=True, most=MAX_PROMPT, required=True))
        self.add_item(text_field("negative", "Negative prompt", request.negative, long=True, most=MAX_NEGATIVE))
        self.add_item(
            text_field("model", "Model", request.model, most=100, hint="As in the list of /imagine; empty keeps it.")
        )
        self.add_item(text_field("seed", "Seed", seed, most=MAX_SEED, hint="Empty for a new random one."))
        pair = f"{request.steps} / {request.guidance:g}"
        self.add_item(text_field("numbers", "Steps / guidance", pair, most=20, hint="For example 25 / 7"))


def read_form(data: Mapping[str, Any] | Any) -> tuple[JobId, Changes] | None:
    """The job and the changes in a submitted form, or None when it is another form."""
    match = recognised(data, _CUSTOM_ID)
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
