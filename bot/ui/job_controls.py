"""Buttons that survive restarts: all state is in the database, the custom id only names the verb and the job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol, Self, cast

import discord
from discord import ui

from bot.domain.jobs import JobId
from bot.render.messages import Control, ControlStyle

_STYLES = {
    ControlStyle.PRIMARY: discord.ButtonStyle.primary,
    ControlStyle.SECONDARY: discord.ButtonStyle.secondary,
    ControlStyle.SUCCESS: discord.ButtonStyle.success,
    ControlStyle.DANGER: discord.ButtonStyle.danger,
}


class Presses(Protocol):
    """Who acts on presses; the client carries one as `presses`."""

    async def pressed(self, interaction: discord.Interaction[Any], verb: str, job_id: JobId) -> None:
        """Answer one press; every answer to the person is made in there."""
        ...


class _PressHost(Protocol):
    presses: Presses


class JobButton(ui.DynamicItem[ui.Button[Any]], template=r"job:(?P<verb>[a-z]{1,20}):(?P<job>[a-z0-9]{1,40})"):
    """One button of a job's reply."""

    def __init__(self, control: Control, job_id: JobId) -> None:
        self._verb = control.verb
        self._job_id = job_id
        super().__init__(
            ui.Button(
                label=control.label or None,
                emoji=control.emoji,
                style=_STYLES[control.style],
                disabled=control.disabled,
                custom_id=f"job:{control.verb}:{job_id}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button of a press, whichever process sent it."""
        return cls(Control(verb=match["verb"], label=getattr(item, "label", None) or "…"), JobId(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press on."""
        await cast("_PressHost", interaction.client).presses.pressed(interaction, self._verb, self._job_id)


def controls_view(rows: Sequence[Sequence[Control]], job_id: JobId | None) -> ui.View | None:
    """The view of a message's buttons, or None for none.

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
    return view
