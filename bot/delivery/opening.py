"""The first answer to an interaction, and finding out after a crash whether there was one."""

from __future__ import annotations

import logging
from typing import Any

import discord

from bot.clock import Clock
from bot.delivery.delivery import Delivery
from bot.delivery.routes import Routes
from bot.delivery.translate import AlreadyAnswered, discord_errors
from bot.domain.jobs import Job
from bot.errors import DeliveryError, ReplyClosed, ReplyLost
from bot.render import render_job
from bot.render.messages import RenderedMessage
from bot.ui.embeds import to_embed
from bot.ui.job_controls import controls_view

log = logging.getLogger(__name__)


class InteractionOpener:
    """Answers one interaction with the job's first message."""

    def __init__(self, interaction: discord.Interaction[Any], delivery: Delivery, clock: Clock) -> None:
        self._interaction = interaction
        self._delivery = delivery
        self._clock = clock

    async def open(self, job: Job) -> int | None:
        """Send the acknowledgement; returns the message id.

        Raises `ReplyLost` or `ReplyClosed` when Discord surely does not have it, another `DeliveryError` when that
        cannot be told yet.
        """
        rendered = render_job(job, self._clock.now())
        try:
            return await self._send(job, rendered)
        except (ReplyClosed, ReplyLost):
            raise
        except DeliveryError as error:
            log.warning("acknowledgement uncertain", extra={"action": "job.ack-uncertain", "cause": str(error)})
            return await self._make_sure(job, rendered)

    async def _make_sure(self, job: Job, rendered: RenderedMessage) -> int | None:
        """It may have arrived although its receipt did not. If not, a second one is safe: Discord takes only one."""
        found = await _find(self._delivery.routes, job)
        if found is not None:
            return found
        try:
            return await self._send(job, rendered)
        except AlreadyAnswered:
            return await _find(self._delivery.routes, job)

    async def _send(self, job: Job, rendered: RenderedMessage) -> int | None:
        view = controls_view(rendered.controls, job.id)
        with discord_errors():
            answer = await self._interaction.response.send_message(
                embed=to_embed(rendered.embed),
                view=view if view is not None else discord.utils.MISSING,
                ephemeral=job.reply.ephemeral,
                allowed_mentions=discord.AllowedMentions.none(),
            )
        self._delivery.opened(job, rendered)
        return answer.message_id


class OriginalFinder:
    """Asks Discord whether an interaction was ever answered (`GET @original`)."""

    def __init__(self, routes: Routes, clock: Clock) -> None:
        self._routes = routes
        self._clock = clock

    async def find(self, job: Job) -> int | None:
        """The id of the message that answers the job's interaction, or None when there surely is none."""
        if not self._routes.token_works(job.reply, set(), self._clock.now()):
            return None
        return await _find(self._routes, job)


async def _find(routes: Routes, job: Job) -> int | None:
    try:
        return (await routes.original(job.reply)).id
    except (ReplyLost, ReplyClosed):
        return None
