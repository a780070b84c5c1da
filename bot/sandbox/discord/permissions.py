"""Discord's permissions: the bits, and who has which where (Discord docs, "Permissions")."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag
from typing import Final

from .kinds import ChannelKind
from .model import Channel, Guild, Overwrite


class Permission(IntFlag):
    """The bits that matter to the simulator, under Discord's own names."""

    KICK_MEMBERS = 1 << 1
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CHANGE_NICKNAME = 1 << 26
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


#: Every bit Discord may ever set here: what a guild's owner has.
ALL: Final = (1 << 53) - 1

#: What @everyone has in a new guild; Manage Messages is not in it.
EVERYONE: Final = int(
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.MENTION_EVERYONE
    | Permission.ADD_REACTIONS
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.CHANGE_NICKNAME
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.USE_EXTERNAL_APPS
)

#: What the Moderator role adds.
MODERATOR: Final = int(Permission.MANAGE_MESSAGES | Permission.MANAGE_THREADS | Permission.KICK_MEMBERS)

#: `app_permissions` in a DM with the bot: 442368, and neither View Channel nor Send Messages is in it.
IN_BOT_DM: Final = int(
    Permission.ATTACH_FILES | Permission.EMBED_LINKS | Permission.MENTION_EVERYONE | Permission.USE_EXTERNAL_EMOJIS
)


def bits_of(names: Iterable[str]) -> int:
    """Add up permissions given by name ("attach_files", "Attach Files"); an unknown name is a `ValueError`."""
    total = 0
    for name in names:
        key = name.strip().upper().replace(" ", "_")
        if key not in Permission.__members__:
            known = ", ".join(sorted(Permission.__members__)).lower()
            raise ValueError(f"There is no permission {name!r}; known are: {known}.")
        total |= Permission[key]
    return total


def names_of(bits: int) -> list[str]:
    """Return the names of the known bits that are set."""
    return [name.lower() for name, flag in Permission.__members__.items() if bits & flag]


def permissions_in(guild: Guild, channel: Channel, user_id: int, *, parent: Channel | None = None) -> int:
    """Work out what a member may do in a channel; a thread takes the overwrites of its `parent`."""
    base = permissions_of(guild, user_id)
    if base & Permission.ADMINISTRATOR:
        return ALL
    member = guild.members.get(user_id)
    if member is None:
        return 0
    overwrites = (parent or channel).overwrites
    base = _apply(base, [o for o in overwrites if o.target_id == guild.id])
    base = _apply(base, [o for o in overwrites if o.target_id in member.role_ids])
    base = _apply(base, [o for o in overwrites if o.target_id == user_id])
    return base if base & Permission.VIEW_CHANNEL else 0


def permissions_of(guild: Guild, user_id: int) -> int:
    """Work out what a member may do in the guild before any channel has its say."""
    member = guild.members.get(user_id)
    if member is None:
        return 0
    if user_id == guild.owner_id:
        return ALL
    total = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        total |= guild.roles[role_id].permissions
    return ALL if total & Permission.ADMINISTRATOR else total


def sending_bit(channel: Channel) -> Permission:
    """Return the permission that sending needs: threads have their own."""
    return Permission.SEND_MESSAGES_IN_THREADS if channel.kind is ChannelKind.THREAD else Permission.SEND_MESSAGES


def _apply(base: int, overwrites: list[Overwrite]) -> int:
    deny = allow = 0
    for overwrite in overwrites:
        deny |= overwrite.deny
        allow |= overwrite.allow
    return base & ~deny | allow
