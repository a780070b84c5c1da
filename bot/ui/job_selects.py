"""The select below a job's buttons: what is chosen from it does what a button would, also after a restart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self, cast

import discord
from discord import ui

from bot.domain.jobs import JobId
from bot.render.messages import Menu
from bot.ui.presses import presses_of

_VALUE = re.compile(r"(?P<verb>[a-z]{1,20}):(?P<index>[0-9]{1,4})")


class JobSelect(ui.DynamicItem[ui.Select[Any]], template=r"menu:(?P<job>[a-z0-9]{1,40})"):
    """The ⋯ of a job's reply."""

    def __init__(self, job_id: JobId, menu: Menu | None = None) -> None:
        self._job_id = job_id
        select: ui.Select[Any] = ui.Select(custom_id=f"menu:{job_id}", placeholder=menu.placeholder if menu else None)
        for choice in menu.choices if menu else ():
            select.add_option(
                label=choice.label,
                value=f"{choice.verb}:{choice.index}",
                emoji=choice.emoji,
                description=choice.description or None,
            )
        super().__init__(select)

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the select of a choice, whichever process sent it."""
        return cls(JobId(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the choice on, as the press of a button."""
        chosen = _VALUE.fullmatch(chosen_values(interaction)[0])
        verb, index = (chosen["verb"], int(chosen["index"])) if chosen else ("", 0)
        await presses_of(interaction).pressed(interaction, verb, self._job_id, index)


def chosen_values(interaction: discord.Interaction[Any]) -> list[str]:
    """What was chosen from a select, from the interaction itself; never empty."""
    data = cast("Mapping[str, Any]", interaction.data or {})
    return [str(value) for value in data.get("values") or ()] or [""]
