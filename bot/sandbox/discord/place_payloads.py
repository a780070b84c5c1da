"""People and places in Discord's JSON, as complete as clients need it (Discord docs, "Resources")."""

from __future__ import annotations

from .kinds import ChannelKind
from .model import Channel, Guild, Json, Overwrite, Role, User
from .snowflakes import iso
from .world import World

_LARGE_GUILD = 250


class PlacePayloads:
    """Turns people and places into the objects that the API sends."""

    def __init__(self, world: World) -> None:
        self._world = world

    # -- people ----------------------------------------------------------------------------------------------------

    def user(self, user: User) -> Json:
        """Return a user object."""
        return {
            "id": str(user.id),
            "username": user.name if user.bot else user.name.lower().replace(" ", "_"),
            "global_name": None if user.bot else user.name,
            "discriminator": "0001" if user.bot else "0",
            "avatar": None,
            "avatar_decoration_data": None,
            "banner": None,
            "accent_color": None,
            "collectibles": None,
            "primary_guild": None,
            "public_flags": 0,
            "flags": 0,
            "bot": user.bot,
            "system": False,
        }

    def me(self) -> Json:
        """Return the bot's own user object, with what only the owner sees."""
        extra = {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}
        return self.user(self._world.bot) | extra

    def member(self, guild: Guild, user: User, *, with_user: bool = True) -> Json:
        """Return a guild member object; someone who left shows as a member without roles."""
        member = guild.members.get(user.id)
        payload: Json = {
            "roles": [str(role_id) for role_id in member.role_ids] if member else [],
            "joined_at": iso(member.joined_at if member else self._world.now()),
            "nick": None,
            "avatar": None,
            "banner": None,
            "premium_since": None,
            "communication_disabled_until": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
        }
        return payload | ({"user": self.user(user)} if with_user else {})

    # -- places ----------------------------------------------------------------------------------------------------

    def role(self, role: Role, position: int) -> Json:
        """Return a role object."""
        payload: Json = {
            "id": str(role.id),
            "name": role.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": position,
            "permissions": str(role.permissions),
            "managed": role.managed_by is not None,
            "mentionable": False,
            "flags": 0,
        }
        return payload | ({"tags": {"bot_id": str(role.managed_by)}} if role.managed_by else {})

    def roles(self, guild: Guild) -> list[Json]:
        """Return all roles of a guild, @everyone first."""
        return [self.role(role, position) for position, role in enumerate(guild.roles.values())]

    def channel(self, channel: Channel, *, position: int = 0, for_user: int | None = None) -> Json:
        """Return a channel object; `for_user` adds what that person may do in it, as interactions show it."""
        last = channel.message_ids[-1] if channel.message_ids else None
        payload: Json = {
            "id": str(channel.id),
            "type": int(channel.kind),
            "flags": 0,
            "last_message_id": str(last) if last else None,
        }
        if channel.kind is ChannelKind.DM:
            recipient = self._world.users[channel.recipient_id or 0]
            return payload | {"recipients": [self.user(recipient)]}
        payload |= {
            "guild_id": str(channel.guild_id),
            "name": channel.name,
            "nsfw": self._world.age_restricted(channel),
            "parent_id": str(channel.parent_id) if channel.parent_id else None,
            "rate_limit_per_user": 0,
        }
        payload |= (
            self._thread_part(channel) if channel.kind is ChannelKind.THREAD else self._text_part(channel, position)
        )
        if for_user is not None:
            payload["permissions"] = str(self._world.permissions(channel, for_user))
        return payload

    @staticmethod
    def _text_part(channel: Channel, position: int) -> Json:
        return {
            "topic": None,
            "position": position,
            "permission_overwrites": [_overwrite(overwrite) for overwrite in channel.overwrites],
        }

    def _thread_part(self, channel: Channel) -> Json:
        return {
            "owner_id": str(channel.owner_id or self._world.bot.id),
            "message_count": len(channel.message_ids),
            "total_message_sent": len(channel.message_ids),
            "member_count": 1,
            "thread_metadata": {
                "archived": channel.archived,
                "auto_archive_duration": 1440,
                "archive_timestamp": iso(self._world.now()),
                "locked": channel.locked,
            },
        }

    def guild(self, guild: Guild) -> Json:
        """Return a guild object as GET /guilds/{id} does."""
        return {
            "id": str(guild.id),
            "name": guild.name,
            "owner_id": str(guild.owner_id),
            "icon": None,
            "home_header": None,
            "splash": None,
            "discovery_splash": None,
            "banner": None,
            "application_id": None,
            "region": "us-west",
            "widget_enabled": False,
            "widget_channel_id": None,
            "description": None,
            "features": [],
            "emojis": [],
            "stickers": [],
            "roles": self.roles(guild),
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "safety_alerts_channel_id": None,
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "premium_progress_bar_enabled": False,
            "preferred_locale": guild.locale,
            "vanity_url_code": None,
            "max_members": 500000,
            "max_presences": None,
            "max_video_channel_users": 25,
            "max_stage_video_channel_users": 50,
            "nsfw": False,
            "incidents_data": None,
        }

    def guild_create(self, guild: Guild, *, all_members: bool) -> Json:
        """Return what GUILD_CREATE carries; without the members intent only the bot is among the members."""
        channels = [self._world.channels[channel_id] for channel_id in guild.channel_ids]
        members = [m for m in guild.members if all_members or m == self._world.bot.id]
        bot = guild.members[self._world.bot.id]
        return self.guild(guild) | {
            "joined_at": iso(bot.joined_at),
            "large": len(guild.members) >= _LARGE_GUILD,
            "unavailable": False,
            "member_count": len(guild.members),
            "members": [self.member(guild, self._world.users[user_id]) for user_id in members],
            "channels": [
                self.channel(channel, position=position)
                for position, channel in enumerate(channels)
                if channel.kind is not ChannelKind.THREAD
            ],
            "threads": [self.channel(c) for c in channels if c.kind is ChannelKind.THREAD and not c.archived],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def partial_guild(self, guild: Guild) -> Json:
        """Return the guild as interactions carry it."""
        return {"id": str(guild.id), "locale": guild.locale, "features": []}


def _overwrite(overwrite: Overwrite) -> Json:
    return {
        "id": str(overwrite.target_id),
        "type": 0 if overwrite.for_role else 1,
        "allow": str(overwrite.allow),
        "deny": str(overwrite.deny),
    }
