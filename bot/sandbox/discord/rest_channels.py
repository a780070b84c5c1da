"""Channels and their messages over the bot's token: every call needs access, most need a permission."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .errors import FormErrors, Refusal
from .gateway import Gateway
from .kinds import ChannelKind, MessageKind, Route
from .messages import MessageDesk
from .model import UPLOAD_LIMIT, Channel, Json, Message
from .payloads import Payloads
from .permissions import Permission, sending_bit
from .rest import NO_CONTENT, Rest, number
from .uploads import Upload, read_upload
from .world import World


class ChannelRoutes:
    """The routes under /channels."""

    def __init__(self, world: World, desk: MessageDesk, payloads: Payloads, gateway: Gateway) -> None:
        self._world = world
        self._desk = desk
        self._payloads = payloads
        self._gateway = gateway

    def routes(self, rest: Rest) -> list[web.RouteDef]:
        """Return the routes."""
        channel = "/channels/{channel}"
        messages = f"{channel}/messages"
        return [
            rest.route("GET", channel, self._get_channel, kind="channel_get"),
            rest.route("PATCH", channel, self._patch_channel, kind="channel_edit"),
            rest.route("POST", f"{channel}/typing", self._typing, kind="typing"),
            rest.route("GET", messages, self._list, kind="message_get"),
            rest.route("POST", messages, self._create, kind="message_create"),
            rest.route("GET", f"{messages}/{{message}}", self._get, kind="message_get"),
            rest.route("PATCH", f"{messages}/{{message}}", self._edit, kind="message_edit"),
            rest.route("DELETE", f"{messages}/{{message}}", self._delete, kind="message_delete"),
            rest.route("POST", f"{channel}/threads", self._thread, kind="thread"),
            rest.route("POST", f"{messages}/{{message}}/threads", self._thread, kind="thread"),
        ]

    # -- channels --------------------------------------------------------------------------------------------------

    async def _get_channel(self, request: web.Request) -> Any:
        return self._payloads.channel(self._channel(request))

    async def _patch_channel(self, request: web.Request) -> Any:
        body = (await read_upload(request)).object()
        channel = self._channel(request)
        self._need(channel, self._changing_bit(channel, body))
        channel.name = body.get("name") or channel.name
        if channel.kind is ChannelKind.THREAD:
            channel.archived = bool(body.get("archived", channel.archived))
            channel.locked = bool(body.get("locked", channel.locked))
        self._announce(channel)
        return self._payloads.channel(channel)

    def _changing_bit(self, channel: Channel, body: Json) -> Permission:
        """Return the permission that a change needs: who may write in a thread that is not locked may bring it back."""
        if channel.kind is not ChannelKind.THREAD:
            return Permission.MANAGE_CHANNELS
        mine = channel.owner_id == self._world.bot.id and not body.get("locked")
        allowed = not channel.locked and (mine or body == {"archived": False})
        return Permission.SEND_MESSAGES_IN_THREADS if allowed else Permission.MANAGE_THREADS

    def _announce(self, channel: Channel) -> None:
        event = "THREAD_UPDATE" if channel.kind is ChannelKind.THREAD else "CHANNEL_UPDATE"
        self._gateway.guild_event(event, self._payloads.channel(channel), channel.guild_id or 0)

    async def _typing(self, request: web.Request) -> Any:
        channel = self._channel(request)
        self._need(channel, sending_bit(channel))
        return NO_CONTENT

    async def _thread(self, request: web.Request) -> Any:
        body = (await read_upload(request)).object()
        parent = self._channel(request)
        guild = self._world.guild_of(parent)
        if guild is None or parent.kind is ChannelKind.THREAD:
            raise Refusal.NOT_IN_A_DM.error()
        self._need(parent, Permission.CREATE_PUBLIC_THREADS)
        errors = FormErrors()
        errors.length("name", body.get("name"), 1, 100)
        errors.raise_if_any()
        thread = self._world.add_channel(guild, body["name"], parent=parent, owner_id=self._world.bot.id)
        self._gateway.guild_event("THREAD_CREATE", self._payloads.channel(thread), guild.id)
        return self._payloads.channel(thread)

    # -- messages --------------------------------------------------------------------------------------------------

    async def _list(self, request: web.Request) -> Any:
        channel = self._channel(request)
        if not self._may(channel, Permission.READ_MESSAGE_HISTORY):
            return []
        shown = [self._world.messages[message_id] for message_id in channel.message_ids]
        shown = [message for message in shown if not message.ephemeral]
        after, before = (int(request.query.get(key) or 0) for key in ("after", "before"))
        shown = [m for m in shown if m.id > after and (not before or m.id < before)]
        limit = min(100, int(request.query.get("limit") or 50))
        page = shown[:limit] if after else shown[-limit:]
        return [self._payloads.message(message) for message in reversed(page)]

    async def _get(self, request: web.Request) -> Any:
        channel = self._channel(request)
        self._need(channel, Permission.READ_MESSAGE_HISTORY)
        return self._payloads.message(self._message(request, channel))

    async def _create(self, request: web.Request) -> Any:
        upload = await read_upload(request)
        channel, body = self._channel(request), upload.object()
        self._need(channel, sending_bit(channel))
        if channel.locked and not self._may(channel, Permission.MANAGE_THREADS):
            raise Refusal.LOCKED.error()
        self._check_sending(channel, upload)
        if (twin := self._desk.by_nonce(channel, self._world.bot.id, body)) is not None:
            return self._payloads.message(twin)
        reference = self._reference(channel, body)
        message = await self._desk.create(
            channel,
            self._world.bot.id,
            upload,
            route=Route.BOT,
            limit=self._file_limit(channel),
            kind=MessageKind.REPLY if reference else MessageKind.DEFAULT,
            reference=reference,
        )
        if channel.archived:
            channel.archived = False  # a new message brings a thread back
            self._announce(channel)
        return self._payloads.message(message)

    async def _edit(self, request: web.Request) -> Any:
        upload = await read_upload(request)
        channel = self._channel(request)
        message = self._message(request, channel)
        if message.author_id != self._world.bot.id:
            raise Refusal.NOT_THE_AUTHOR.error()
        if channel.archived:
            raise Refusal.ARCHIVED.error()
        self._check_sending(channel, upload)
        limit = self._file_limit(channel)
        return self._payloads.message(await self._desk.edit(message, upload, route=Route.BOT, limit=limit))

    async def _delete(self, request: web.Request) -> Any:
        channel = self._channel(request)
        message = self._message(request, channel)
        if message.author_id != self._world.bot.id:
            if channel.kind is ChannelKind.DM:
                raise Refusal.NOT_IN_A_DM.error()
            self._need(channel, Permission.MANAGE_MESSAGES)
        self._desk.delete(message)
        return NO_CONTENT

    # -- may the bot? ----------------------------------------------------------------------------------------------

    def _channel(self, request: web.Request) -> Channel:
        channel = self._world.channels.get(number(request, "channel", Refusal.UNKNOWN_CHANNEL))
        if channel is None:
            raise Refusal.UNKNOWN_CHANNEL.error()
        guild = self._world.guild_of(channel)
        if guild is not None and not (guild.has_bot and self._may(channel, Permission.VIEW_CHANNEL)):
            raise Refusal.MISSING_ACCESS.error()
        return channel

    def _message(self, request: web.Request, channel: Channel) -> Message:
        message = self._world.messages.get(number(request, "message", Refusal.UNKNOWN_MESSAGE))
        if message is None or message.deleted_at is not None or message.channel_id != channel.id:
            raise Refusal.UNKNOWN_MESSAGE.error()
        if message.ephemeral:
            # Only the interaction's token reaches an ephemeral message.
            raise Refusal.UNKNOWN_MESSAGE.error()
        return message

    def _may(self, channel: Channel, permission: int) -> bool:
        return channel.kind is ChannelKind.DM or bool(self._world.permissions(channel, self._world.bot.id) & permission)

    def _need(self, channel: Channel, permission: int) -> None:
        if not self._may(channel, permission):
            raise Refusal.MISSING_PERMISSIONS.error()

    def _check_sending(self, channel: Channel, upload: Upload) -> None:
        if channel.kind is ChannelKind.DM and self._world.users[channel.recipient_id or 0].dms_closed:
            raise Refusal.DM_CLOSED.error()
        if upload.files:
            self._need(channel, Permission.ATTACH_FILES)
        if upload.object().get("embeds"):
            self._need(channel, Permission.EMBED_LINKS)

    def _file_limit(self, channel: Channel) -> int:
        guild = self._world.guild_of(channel)
        return guild.upload_limit if guild else UPLOAD_LIMIT

    def _reference(self, channel: Channel, body: Json) -> Message | None:
        reference = body.get("message_reference")
        if not reference:
            return None
        self._need_history(channel)
        message = self._world.messages.get(int(reference.get("message_id") or 0))
        good = message is not None and message.deleted_at is None and message.channel_id == channel.id
        if message is not None and good and not message.ephemeral:
            return message
        if reference.get("fail_if_not_exists", True):
            errors = FormErrors()
            errors.add("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
            errors.raise_if_any()
        return None

    def _need_history(self, channel: Channel) -> None:
        if not self._may(channel, Permission.READ_MESSAGE_HISTORY):
            raise Refusal.NO_HISTORY.error()
