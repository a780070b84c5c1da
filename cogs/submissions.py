"""A request handed on, with the interaction that asked for it as the place of its reply."""

from __future__ import annotations

from typing import Any

import discord

from bot.clock import Clock
from bot.delivery import Delivery, InteractionOpener
from bot.domain.jobs import JobId
from bot.domain.kinds import Request
from bot.services.jobs import JobService
from cogs.context import address_of


class Submissions:
    """Has requests done, each as the answer to an interaction."""

    def __init__(self, jobs: JobService, delivery: Delivery, clock: Clock) -> None:
        self._jobs = jobs
        self._delivery = delivery
        self._clock = clock

    async def submit(
        self,
        interaction: discord.Interaction[Any],
        request: Request,
        *,
        provider: str = "horde",
        private: bool = False,
        parent_id: JobId | None = None,
    ) -> None:
        """Have it done by the provider of that name. Raises `UserError`."""
        await self._jobs.submit(
            request,
            asker_id=interaction.user.id,
            address=address_of(interaction, private=private),
            reply=InteractionOpener(interaction, self._delivery, self._clock),
            provider=provider,
            parent_id=parent_id,
        )
