"""Where presses of buttons and choices from selects go: to whoever acts on them, carried by the client."""

from __future__ import annotations

from typing import Any, Protocol, cast

import discord

from bot.domain.jobs import JobId


class Presses(Protocol):
    """Who acts on presses; the client carries one as `presses`."""

    async def pressed(
        self, interaction: discord.Interaction[Any], verb: str, job_id: JobId, index: int | None = None
    ) -> None:
        """Answer one press (`index`: the artifact it is about); every answer to the person is made in there."""
        ...


class _PressHost(Protocol):
    presses: Presses


def presses_of(interaction: discord.Interaction[Any]) -> Presses:
    """Who acts on the presses of this client."""
    return cast("_PressHost", interaction.client).presses
