"""Messages in Discord's JSON; with people and places, everything that the API sends."""

from __future__ import annotations

from typing import Any, Final

from .attachments import AttachmentStore
from .kinds import InteractionKind, MessageKind
from .model import Interaction, Json, Message, MessageVersion, StoredFile
from .place_payloads import PlacePayloads
from .snowflakes import iso
from .world import World

#: Marks media inside stored embeds and components that came from an upload.
STORED: Final = "attachment-id:"


class Payloads(PlacePayloads):
    """Turns things into the objects that the API sends."""

    def __init__(self, world: World, files: AttachmentStore) -> None:
        super().__init__(world)
        self._files = files

    def attachment(self, file: StoredFile) -> Json:
        """Return an attachment object with a fresh address."""
        url = self._files.url(file)
        payload: Json = {
            "id": str(file.id),
            "filename": file.filename,
            "size": len(file.data),
            "url": url,
            "proxy_url": url,
            "content_type": file.content_type,
        }
        if file.width is not None:
            payload |= {"width": file.width, "height": file.height}
        if file.description:
            payload["description"] = file.description
        return payload | ({"ephemeral": True} if file.ephemeral else {})

    def message(self, message: Message, *, depth: int = 1, in_guild: bool = True) -> Json:
        """Return a message object; `depth` says how many replied-to messages it may carry inside."""
        version = message.now
        users = self._world.users
        payload: Json = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "type": int(message.kind),
            "author": self.user(users[message.author_id]),
            "content": version.content,
            "timestamp": iso(message.created_at),
            "edited_timestamp": iso(message.edited_at) if message.edited_at else None,
            "tts": False,
            "pinned": False,
            "mention_everyone": version.pings.everyone,
            "mentions": [self.user(users[user_id]) for user_id in version.pings.users if user_id in users],
            "mention_roles": [str(role_id) for role_id in version.pings.roles],
            "flags": version.flags,
        }
        payload |= self.shown(version)
        if message.nonce is not None:
            payload["nonce"] = message.nonce
        if message.interaction_id is not None:
            payload |= self._interaction_part(message, self._world.interactions[message.interaction_id])
        if message.reference_id is not None:
            payload |= self._reference_part(message, depth, in_guild=in_guild)
        return payload

    def shown(self, version: MessageVersion) -> Json:
        """Return the parts of a message that carry files, with fresh addresses."""
        return {
            "attachments": [self.attachment(file) for file in version.attachments],
            "embeds": [self._fresh(embed) for embed in version.embeds],
            "components": [self._fresh(component) for component in version.components],
        }

    def event_message(self, message: Message) -> Json:
        """Return a message as the gateway sends it: with guild and member, except for ephemeral ones."""
        guild = self._world.guild_of(self._world.channels[message.channel_id])
        if guild is None or message.ephemeral:
            return self.message(message)
        author = self._world.users[message.author_id]
        member = self.member(guild, author, with_user=False)
        return self.message(message) | {"guild_id": str(guild.id), "member": member}

    def _fresh(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._fresh(item) for item in value]
        if not isinstance(value, dict):
            return value
        fresh = {key: self._fresh(item) for key, item in value.items()}
        for key, proxy in (("url", "proxy_url"), ("icon_url", "proxy_icon_url")):
            if isinstance(url := value.get(key), str) and url.startswith(STORED):
                file = self._files.files[int(url.removeprefix(STORED))]
                fresh |= {key: self._files.url(file), proxy: self._files.url(file)}
                if key == "url":
                    fresh |= {"width": file.width, "height": file.height, "content_type": file.content_type}
        return fresh

    def _interaction_part(self, message: Message, interaction: Interaction) -> Json:
        return {
            "application_id": str(self._world.application_id),
            "webhook_id": str(self._world.application_id),
            "interaction_metadata": self._metadata(message, interaction),
        }

    def _metadata(self, message: Message | None, interaction: Interaction) -> Json:
        payload: Json = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "user": self.user(self._world.users[interaction.user_id]),
            "authorizing_integration_owners": interaction.owners,
        }
        if interaction.kind is InteractionKind.COMMAND:
            payload["name"] = interaction.data["name"]
        if interaction.message_id is not None and interaction.kind is InteractionKind.COMPONENT:
            payload["interacted_message_id"] = str(interaction.message_id)
        if message is not None and interaction.original_id not in {None, message.id}:
            payload["original_response_message_id"] = str(interaction.original_id)
        if interaction.parent_id is not None:
            parent = self._world.interactions[interaction.parent_id]
            payload["triggering_interaction_metadata"] = self._metadata(None, parent)
        return payload

    def _reference_part(self, message: Message, depth: int, *, in_guild: bool) -> Json:
        channel = self._world.channels[message.channel_id]
        reference: Json = {
            "type": 0,
            "message_id": str(message.reference_id),
            "channel_id": str(message.channel_id),
        }
        if channel.guild_id is not None and in_guild:
            reference["guild_id"] = str(channel.guild_id)
        payload: Json = {"message_reference": reference}
        if depth > 0 and message.kind is MessageKind.REPLY:
            target = self._world.messages.get(message.reference_id or 0)
            alive = target is not None and target.deleted_at is None
            payload["referenced_message"] = self.message(target, depth=depth - 1) if target and alive else None
        return payload
