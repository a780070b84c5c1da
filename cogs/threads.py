"""Threads that the bot opens to talk in."""

from __future__ import annotations

from typing import Any

import discord

from bot.errors import InvalidRequest, MissingPermissions
from bot.render.escaping import plain

#: Longest name that we give a thread, in characters (Discord takes 100).
MAX_TITLE = 90
NO_THREADS = "Threads can only be opened in text channels. Leave `thread` out, or use `/ask` here."
NOT_ALLOWED = "I need the permissions **Create Public Threads** and **Send Messages in Threads** here."


async def open_thread(interaction: discord.Interaction[Any], title: str) -> discord.Thread:
    """Acknowledge the command, for the person only, and open a public thread in its channel.

    Raises `InvalidRequest` where there are no threads, `MissingPermissions`.
    """
    channel = interaction.channel
    if not isinstance(channel, discord.TextChannel):
        raise InvalidRequest(user_message=NO_THREADS)
    granted = interaction.app_permissions
    if not granted.administrator and not (granted.create_public_threads and granted.send_messages_in_threads):
        raise MissingPermissions(user_message=NOT_ALLOWED)
    await interaction.response.defer(ephemeral=True)
    return await channel.create_thread(name=plain(title, MAX_TITLE), type=discord.ChannelType.public_thread)


async def point_to(interaction: discord.Interaction[Any], thread: discord.Thread) -> None:
    """Tell the person where the thread is."""
    none = discord.AllowedMentions.none()
    await interaction.followup.send(f"Here we go: {thread.mention}", allowed_mentions=none, ephemeral=True)
