"""Who speaks, and where the answer goes: from an interaction, or from a message."""

from __future__ import annotations

from typing import Any

import discord

from bot.clock import Clock
from bot.delivery import Delivery, InteractionOpener, MessageOpener
from bot.delivery.routes import Routes
from bot.domain.replies import ReplyAddress
from bot.services.talking import Speaker
from cogs.context import address_of, address_of_message, age_restricted, age_restricted_place


class Speakers:
    """Makes speakers of what Discord tells."""

    def __init__(self, delivery: Delivery, routes: Routes, clock: Clock) -> None:
        self._delivery = delivery
        self._routes = routes
        self._clock = clock

    def of_interaction(self, interaction: discord.Interaction[Any], *, private: bool) -> Speaker:
        """Whoever used a command or pressed a button; the reply answers the interaction."""
        return Speaker(
            user_id=interaction.user.id,
            name=interaction.user.display_name,
            address=address_of(interaction, private=private),
            reply=InteractionOpener(interaction, self._delivery, self._clock),
            nsfw=age_restricted(interaction),
        )

    def in_thread(self, interaction: discord.Interaction[Any], question: discord.Message) -> Speaker:
        """Whoever used a command whose question was put into a thread; the reply is a message there."""
        address = ReplyAddress(
            application_id=interaction.application_id,
            channel_id=question.channel.id,
            source_message_id=question.id,
            guild_id=interaction.guild_id,
            size_limit=interaction.filesize_limit,
        )
        return Speaker(
            user_id=interaction.user.id,
            name=interaction.user.display_name,
            address=address,
            reply=MessageOpener(self._routes, self._delivery, self._clock),
            nsfw=age_restricted(interaction),
        )

    def of_message(self, message: discord.Message, *, application_id: int) -> Speaker:
        """Whoever wrote a message to the bot; the reply is a message of its own."""
        return Speaker(
            user_id=message.author.id,
            name=message.author.display_name,
            address=address_of_message(message, application_id),
            reply=MessageOpener(self._routes, self._delivery, self._clock),
            nsfw=age_restricted_place(message.channel, message.guild.id if message.guild is not None else None),
        )
