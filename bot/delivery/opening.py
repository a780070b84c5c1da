"""The first answer to an interaction or a message, and finding out after a crash whether there was one."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import discord

from bot.clock import Clock
from bot.delivery.delivery import Delivery
from bot.delivery.outbox import NONCE_LIFE, SKEW
from bot.delivery.routes import Routes
from bot.delivery.translate import AlreadyAnswered, NoAccess, Refused, discord_errors
from bot.domain.jobs import Job
from bot.errors import DeliveryError, ReplyClosed, ReplyLost
from bot.render import render_job
from bot.render.messages import RenderedMessage
from bot.ui.embeds import to_embed
from bot.ui.job_controls import controls_view

log = logging.getLogger(__name__)

#: Nobody waits for an answer to a message any longer than an interaction would have taken one.
ANSWER_LIFE = timedelta(minutes=15)


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


class MessageOpener:
    """Answers a message that asked: there is no interaction, so the answer is a message of its own that refers to it.

    After an answer that got lost, and after a crash before its id was written, it is looked for before it is sent once
    more. Its nonce is the job's id: for a few minutes Discord answers a repeated nonce with the message it already
    made, which settles what could not be seen.
    """

    def __init__(self, routes: Routes, delivery: Delivery, clock: Clock) -> None:
        self._routes = routes
        self._delivery = delivery
        self._clock = clock

    async def open(self, job: Job) -> int | None:
        """Send the acknowledgement; returns the message id.

        Raises `ReplyLost` when Discord does not take it, another `DeliveryError` when that cannot be told yet.
        """
        try:
            return await self._send(job)
        except (ReplyClosed, ReplyLost):
            raise
        except Refused as error:
            raise ReplyLost(f"not allowed to answer here: {error}") from error
        except DeliveryError as error:
            log.warning("acknowledgement uncertain", extra={"action": "job.ack-uncertain", "cause": str(error)})
            return await self._make_sure(job)

    async def _make_sure(self, job: Job) -> int:
        """It may have arrived although nothing said so."""
        try:
            found = await _seen(self._routes, job)
        except (NoAccess, Refused):
            found = None  # nothing there tells; its nonce does
        return found if found is not None else await self._send(job)

    async def _send(self, job: Job) -> int:
        rendered = render_job(job, self._clock.now())
        view = controls_view(rendered.controls, job.id)
        fields = {
            "embed": to_embed(rendered.embed),
            "view": view if view is not None else discord.utils.MISSING,
            "allowed_mentions": discord.AllowedMentions.none(),
        }
        refers_to = job.reply.source_message_id
        sent = await self._routes.send(job.reply, nonce=job.id, refers_to=refers_to, fields=fields)
        self._delivery.opened(job, rendered)
        return sent.id


class OriginalFinder:
    """Finds out whether a person ever got an answer, and settles it where that takes sending it again."""

    def __init__(self, routes: Routes, clock: Clock, answers: MessageOpener) -> None:
        self._routes = routes
        self._clock = clock
        self._answers = answers

    async def find(self, job: Job) -> int | None:
        """The id of the message that answers what asked for the job, or None when there surely is none.

        None too where nothing will ever tell: of a private one, and where the bot may not read. Such an answer is known
        again when its 📬 Collect is pressed.
        """
        if job.reply.interaction_id is None and job.reply.source_message_id is not None:
            return await self._of_message(job)
        if self._routes.token_works(job.reply, set(), self._clock.now()):
            return await _find(self._routes, job)
        try:
            return await _seen(self._routes, job) if job.reply.open_to_bot else None
        except (ReplyLost, ReplyClosed, Refused):
            return None

    async def _of_message(self, job: Job) -> int | None:
        """Look for it, and send it where it is not; where nothing tells, only while Discord surely knows the nonce."""
        age = self._clock.now() - job.created_at
        try:
            found = await _seen(self._routes, job)
        except (NoAccess, Refused):
            if age >= NONCE_LIFE:
                return None
            found = None
        except (ReplyLost, ReplyClosed):
            return None
        if found is not None or age >= ANSWER_LIFE:
            return found
        try:
            return await self._answers.open(job)
        except (ReplyLost, ReplyClosed):
            return None


async def _find(routes: Routes, job: Job) -> int | None:
    try:
        return (await routes.original(job.reply)).id
    except (ReplyLost, ReplyClosed):
        return None


async def _seen(routes: Routes, job: Job) -> int | None:
    """The first of the bot's messages in the channel that refers to what asked, or has the job's buttons.

    Raises `Refused` or `NoAccess` where nothing tells, other `DeliveryError`s when it cannot be told now.
    """
    asked_in = job.reply.source_message_id if job.reply.interaction_id is None else None

    def is_it(message: discord.Message) -> bool:
        if asked_in is not None and message.reference is not None and message.reference.message_id == asked_in:
            return True
        rows = (row for row in message.components if isinstance(row, discord.ActionRow))
        return any((button.custom_id or "").endswith(f":{job.id}") for row in rows for button in row.children)

    after = asked_in if asked_in is not None else discord.utils.time_snowflake(job.created_at - SKEW)
    return await routes.find(job.reply, after=after, which=is_it, beside=asked_in)
