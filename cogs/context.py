"""What an interaction tells about where it happened and who acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from pydantic import SecretStr

from bot.domain.replies import TOKEN_LIFE, ReplyAddress
from bot.errors import MissingPermissions
from bot.services.jobs import Actor

#: What a reply needs, by Discord's own names.
NEEDED = (
    ("view_channel", "View Channel"),
    ("embed_links", "Embed Links"),
    ("attach_files", "Attach Files"),
)
ELSEWHERE = ("send_messages", "Send Messages")
IN_THREADS = ("send_messages_in_threads", "Send Messages in Threads")


def check_permissions(interaction: discord.Interaction[Any]) -> None:
    """Raise `MissingPermissions` naming what the bot may not do in this channel."""
    if interaction.guild_id is None:
        return
    granted = interaction.app_permissions
    if granted.administrator:
        return
    sending = IN_THREADS if isinstance(interaction.channel, discord.Thread) else ELSEWHERE
    missing = [label for name, label in (*NEEDED, sending) if not getattr(granted, name)]
    if missing:
        raise MissingPermissions(
            user_message=f"I can't work in this channel: I need the {permissions_named(missing)}. "
            "Please ask somebody who manages this server, or try another channel."
        )


def permissions_named(labels: Sequence[str]) -> str:
    """Write `permission **A**`, `permissions **A** and **B**`, or `permissions **A**, **B**, and **C**`."""
    bold = [f"**{label}**" for label in labels]
    match bold:
        case [only]:
            return f"permission {only}"
        case [first, second]:
            return f"permissions {first} and {second}"
        case _:
            return f"permissions {', '.join(bold[:-1])}, and {bold[-1]}"


def age_restricted(interaction: discord.Interaction[Any]) -> bool:
    """Whether the channel (or a thread's parent) is marked as age-restricted; never in direct messages."""
    return age_restricted_place(interaction.channel, interaction.guild_id)


def age_restricted_place(channel: object, guild_id: int | None) -> bool:
    """Whether a channel (or a thread's parent) is marked as age-restricted; never in direct messages."""
    if isinstance(channel, discord.Thread):
        return channel.parent is not None and channel.parent.is_nsfw()
    is_nsfw = getattr(channel, "is_nsfw", None)
    return bool(is_nsfw()) if guild_id is not None and is_nsfw is not None else False


def address_of(interaction: discord.Interaction[Any], *, private: bool) -> ReplyAddress:
    """Where the reply to this interaction will be, and how it can be reached."""
    return ReplyAddress(
        application_id=interaction.application_id,
        interaction_id=interaction.id,
        token=SecretStr(interaction.token),
        token_until=interaction.created_at + TOKEN_LIFE,
        channel_id=interaction.channel_id or 0,
        guild_id=interaction.guild_id,
        ephemeral=private,
        by_channel=interaction.is_guild_integration() if interaction.guild_id is not None else True,
        size_limit=interaction.filesize_limit,
    )


def address_of_message(message: discord.Message, application_id: int) -> ReplyAddress:
    """Where the reply to this message will be: a message beside it, which the bot's own token can edit."""
    guild = message.guild
    return ReplyAddress(
        application_id=application_id,
        channel_id=message.channel.id,
        source_message_id=message.id,
        guild_id=guild.id if guild is not None else None,
        # There is no interaction to tell of the person's own limit; the server's is what counts for a bot.
        size_limit=guild.filesize_limit if guild is not None else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES,
    )


def actor_of(interaction: discord.Interaction[Any]) -> Actor:
    """Who acts, with what they may do here right now."""
    moderates = interaction.guild_id is not None and interaction.permissions.manage_messages
    return Actor(user_id=interaction.user.id, moderates=moderates)
