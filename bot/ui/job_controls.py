"""Buttons that survive restarts: all state is in the database, the custom id only names the verb and the job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

import discord
from discord import ui

from bot.domain.jobs import JobId
from bot.render.messages import Control, ControlStyle, Menu
from bot.ui.job_selects import JobSelect
from bot.ui.presses import presses_of

_STYLES = {
    ControlStyle.PRIMARY: discord.ButtonStyle.primary,
    ControlStyle.SECONDARY: discord.ButtonStyle.secondary,
    ControlStyle.SUCCESS: discord.ButtonStyle.success,
    ControlStyle.DANGER: discord.ButtonStyle.danger,
}


class JobButton(
    ui.DynamicItem[ui.Button[Any]],
    template=r"job:(?P<verb>[a-z]{1,20}):(?P<job>[a-z0-9]{1,40})(?::(?P<index>[0-9]{1,4}))?",
):
    """One button of a job's reply."""

    def __init__(self, control: Control, job_id: JobId) -> None:
        self._verb = control.verb
        self._job_id = job_id
        self._index = control.index
        of_one = "" if control.index is None else f":{control.index}"
        super().__init__(
            ui.Button(
                label=control.label or None,
                emoji=control.emoji,
                style=_STYLES[control.style],
                disabled=control.disabled,
                custom_id=f"job:{control.verb}:{job_id}{of_one}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button of a press, whichever process sent it."""
        index = None if match["index"] is None else int(match["index"])
        label = getattr(item, "label", None) or "…"
        return cls(Control(verb=match["verb"], label=label, index=index), JobId(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press on."""
        await presses_of(interaction).pressed(interaction, self._verb, self._job_id, self._index)


def controls_view(rows: Sequence[Sequence[Control]], job_id: JobId | None, menu: Menu | None = None) -> ui.View | None:
    """The view of a message's buttons and select, or None for none.

    It holds dynamic items only, so discord.py keeps nothing of it (one stored view a message would never be freed).
    """
    if job_id is None or not any(rows):
        return None
    view = ui.View(timeout=None)
    for number, row in enumerate(rows):
        for control in row:
            button = JobButton(control, job_id)
            button.item.row = number
            view.add_item(button)
    if menu is not None:
        select = JobSelect(job_id, menu)
        select.item.row = len(rows)
        view.add_item(select)
    return view
