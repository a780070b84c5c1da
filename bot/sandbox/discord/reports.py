"""The world as the control API shows it: plain names, times, sizes and hashes."""

from __future__ import annotations

from .attachments import AttachmentStore
from .kinds import ChannelKind, InteractionState
from .model import Channel, Guild, Interaction, Json, Message, MessageVersion, StoredFile, User
from .payloads import Payloads
from .permissions import names_of
from .snowflakes import iso
from .world import World


class Reports:
    """Turns things into JSON for scripts, tests and the page."""

    def __init__(self, world: World, payloads: Payloads, files: AttachmentStore) -> None:
        self._world = world
        self._payloads = payloads
        self._files = files

    def file(self, file: StoredFile, *, in_embed: bool = False) -> Json:
        """Return a file with its hash and a fresh address."""
        return {
            "id": str(file.id),
            "filename": file.filename,
            "size": len(file.data),
            "sha256": file.sha256,
            "content_type": file.content_type,
            "width": file.width,
            "height": file.height,
            "description": file.description,
            "in_embed": in_embed,
            "url": self._files.url(file),
        }

    def version(self, version: MessageVersion) -> Json:
        """Return one version of a message; `files` holds those shown inside embeds too."""
        shown = self._payloads.shown(version)
        return {
            "version": version.number,
            "at": iso(version.at),
            "route": str(version.route),
            "content": version.content,
            "embeds": shown["embeds"],
            "components": shown["components"],
            "attachments": [self.file(file) for file in version.attachments],
            "files": [
                *(self.file(file) for file in version.attachments),
                *(self.file(file, in_embed=True) for file in version.embedded),
            ],
            "flags": version.flags,
            "loading": version.loading,
            "pings": {
                "users": [str(user_id) for user_id in version.pings.users],
                "roles": [str(role_id) for role_id in version.pings.roles],
                "everyone": version.pings.everyone,
            },
            "notified": version.notified,
        }

    def message(self, message: Message) -> Json:
        """Return a message as it looks now."""
        author = self._world.users[message.author_id]
        return {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "author": {"id": str(author.id), "name": author.name, "bot": author.bot},
            "type": int(message.kind),
            "created_at": iso(message.created_at),
            "edited_at": iso(message.edited_at) if message.edited_at else None,
            "deleted_at": iso(message.deleted_at) if message.deleted_at else None,
            "ephemeral_for": str(message.visible_to) if message.visible_to else None,
            "interaction_id": str(message.interaction_id) if message.interaction_id else None,
            "reply_to": str(message.reference_id) if message.reference_id else None,
            **self.version(message.now),
        }

    def interaction(self, interaction: Interaction) -> Json:
        """Return an interaction with how it was answered."""
        self._world.settle(interaction)
        failed = interaction.state is InteractionState.FAILED
        return {
            "id": str(interaction.id),
            "kind": interaction.kind.name.lower(),
            "label": interaction.label,
            "user_id": str(interaction.user_id),
            "channel_id": str(interaction.channel_id),
            "guild_id": str(interaction.guild_id) if interaction.guild_id else None,
            "data": interaction.data,
            "created_at": iso(interaction.created_at),
            "state": str(interaction.state),
            "shown": "The application did not respond" if failed else None,
            "answer": int(interaction.answer) if interaction.answer else None,
            "answer_kind": interaction.answer.name.lower() if interaction.answer else None,
            "answered_at": iso(interaction.answered_at) if interaction.answered_at else None,
            "message_id": str(interaction.original_id) if interaction.original_id else None,
            "source_message_id": str(interaction.message_id) if interaction.message_id else None,
            "message_ids": [str(message_id) for message_id in interaction.message_ids],
            "token_expired": interaction.expired(self._world.now()),
            "user_install_only": interaction.user_install_only,
            "choices": interaction.choices,
            "modal": interaction.modal,
        }

    def user(self, user: User) -> Json:
        """Return a person."""
        return {
            "id": str(user.id),
            "name": user.name,
            "bot": user.bot,
            "locale": user.locale,
            "upload_limit": user.upload_limit,
            "dms_closed": user.dms_closed,
            "installed_app": user.installed_app,
        }

    def channel(self, channel: Channel) -> Json:
        """Return a channel with what the bot may do in it."""
        direct = channel.kind is ChannelKind.DM
        return {
            "id": str(channel.id),
            "kind": channel.kind.name.lower(),
            "name": channel.name,
            "guild_id": str(channel.guild_id) if channel.guild_id else None,
            "nsfw": self._world.age_restricted(channel),
            "archived": channel.archived,
            "user_id": str(channel.recipient_id) if channel.recipient_id else None,
            "bot_permissions": None if direct else names_of(self._world.permissions(channel, self._world.bot.id)),
            "messages": len(channel.message_ids),
        }

    def guild(self, guild: Guild) -> Json:
        """Return a guild with its channels."""
        return {
            "id": str(guild.id),
            "name": guild.name,
            "has_bot": guild.has_bot,
            "owner_id": str(guild.owner_id),
            "member_ids": [str(user_id) for user_id in guild.members],
            "upload_limit": guild.upload_limit,
            "channels": [self.channel(self._world.channels[channel_id]) for channel_id in guild.channel_ids],
        }

    def state(self) -> Json:
        """Return everything but the messages."""
        return {
            "now": iso(self._world.now()),
            "application_id": str(self._world.application_id),
            "bot_user_id": str(self._world.bot.id),
            "guilds": [self.guild(guild) for guild in self._world.guilds.values()],
            "dms": [self.channel(c) for c in self._world.channels.values() if c.kind is ChannelKind.DM],
            "users": [self.user(user) for user in self._world.users.values()],
            "commands": [command for place in self._world.commands.values() for command in place.values()],
        }
