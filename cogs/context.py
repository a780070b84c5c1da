"""What an interaction tells about where it happened and who acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from pydantic import SecretStr

from bot.domain.jobs import TOKEN_LIFE, ReplyAddress
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
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        return channel.parent is not None and channel.parent.is_nsfw()
    is_nsfw = getattr(channel, "is_nsfw", None)
    return bool(is_nsfw()) if interaction.guild_id is not None and is_nsfw is not None else False


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


def actor_of(interaction: discord.Interaction[Any]) -> Actor:
    """Who acts, with what they may do here right now."""
    moderates = interaction.guild_id is not None and interaction.permissions.manage_messages
    return Actor(user_id=interaction.user.id, moderates=moderates)
