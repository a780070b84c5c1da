"""Messages that answer an interaction: what kind they are, what they reply to, and who may see them."""

from __future__ import annotations

from .errors import Refusal
from .kinds import InteractionKind, MessageFlag, MessageKind, Route
from .messages import MessageDesk
from .model import Channel, Interaction, Json, Message
from .permissions import sending_bit
from .uploads import Upload
from .world import World


class Answers:
    """Sends answers under an interaction's token."""

    def __init__(self, world: World, desk: MessageDesk) -> None:
        self._world = world
        self._desk = desk

    def think(self, interaction: Interaction, upload: Upload) -> Message:
        """Show "thinking…"; of the body only the ephemeral flag counts."""
        channel = self._channel(interaction)
        ephemeral = _wants_ephemeral(upload.object())
        self._check_may_speak(interaction, channel, ephemeral=ephemeral)
        message = self._desk.create_thinking(
            channel,
            interaction,
            kind=_message_kind(interaction),
            reference=self._replied_to(interaction),
            ephemeral=ephemeral,
        )
        interaction.message_ids.append(message.id)
        return message

    async def send(
        self,
        interaction: Interaction,
        upload: Upload,
        route: Route,
        *,
        prefix: str = "",
        reference: Message | None = None,
    ) -> Message:
        """Send an answer or a followup, which replies to `reference`."""
        channel = self._channel(interaction)
        ephemeral = _wants_ephemeral(upload.object())
        self._check_may_speak(interaction, channel, ephemeral=ephemeral)
        replied = reference or self._replied_to(interaction)
        message = await self._desk.create(
            channel,
            self._world.bot.id,
            upload,
            route=route,
            limit=interaction.attachment_size_limit,
            kind=MessageKind.REPLY if replied else _message_kind(interaction),
            visible_to=interaction.user_id if ephemeral else None,
            interaction=interaction,
            reference=replied,
            prefix=prefix,
        )
        interaction.message_ids.append(message.id)
        return message

    def _channel(self, interaction: Interaction) -> Channel:
        channel = self._world.channels.get(interaction.channel_id)
        if channel is None:
            raise Refusal.UNKNOWN_CHANNEL.error()
        return channel

    def _check_may_speak(self, interaction: Interaction, channel: Channel, *, ephemeral: bool) -> None:
        # The application speaks as the person's own: where the person may not send, only they may see the answer.
        if not interaction.user_install_only or ephemeral or channel.guild_id is None:
            return
        if not self._world.permissions(channel, interaction.user_id) & sending_bit(channel):
            raise Refusal.MISSING_PERMISSIONS.error()

    def _replied_to(self, interaction: Interaction) -> Message | None:
        if interaction.kind is InteractionKind.COMMAND or interaction.message_id is None:
            return None
        message = self._world.messages[interaction.message_id]
        return message if message.deleted_at is None else None


def _wants_ephemeral(body: Json) -> bool:
    flags = body.get("flags")
    return bool(isinstance(flags, int) and flags & MessageFlag.EPHEMERAL)


def _message_kind(interaction: Interaction) -> MessageKind:
    if interaction.kind is not InteractionKind.COMMAND:
        return MessageKind.REPLY
    return MessageKind.COMMAND if interaction.data.get("type", 1) == 1 else MessageKind.CONTEXT_MENU
