"""What an interaction's token may do for fifteen minutes: read, change and remove its messages, send more of them."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from .answers import Answers
from .errors import Refusal
from .kinds import CallbackKind, Route
from .messages import MessageDesk
from .model import Interaction, Message
from .payloads import Payloads
from .rest import NO_CONTENT, Rest, number
from .uploads import Upload, read_upload
from .world import World

#: Followups of an application that only the person installed (Discord docs, "Followup Messages").
FOLLOWUPS_USER_INSTALL: Final = 5


class WebhookRoutes:
    """The routes under /webhooks; none of them asks for the bot's token."""

    def __init__(self, world: World, desk: MessageDesk, payloads: Payloads) -> None:
        self._world = world
        self._desk = desk
        self._payloads = payloads
        self._answers = Answers(world, desk)

    def routes(self, rest: Rest) -> list[web.RouteDef]:
        """Return the routes."""
        hook = "/webhooks/{application}/{token}"
        made = [rest.route("POST", hook, self._followup, kind="followup_create", auth=False)]
        for place, kind in (("@original", "original"), ("{message}", "followup")):
            path = f"{hook}/messages/{place}"
            made += [
                rest.route("GET", path, self._get, kind=f"{kind}_get", auth=False),
                rest.route("PATCH", path, self._patch, kind=f"{kind}_edit", auth=False),
                rest.route("DELETE", path, self._delete, kind=f"{kind}_delete", auth=False),
            ]
        return made

    async def _followup(self, request: web.Request) -> Any:
        upload = await read_upload(request)
        interaction = self._token(request)
        original = self._world.messages.get(interaction.original_id or 0)
        if original is not None and original.now.loading and original.deleted_at is None:
            # Deprecated but real: the first followup after a deferral fills the "thinking" message.
            return self._payloads.message(await self._edit(interaction, original, upload))
        if interaction.user_install_only and interaction.followups >= FOLLOWUPS_USER_INSTALL:
            raise Refusal.TOO_MANY_FOLLOWUPS.error()
        interaction.followups += 1
        alive = original if original is not None and original.deleted_at is None else None
        return self._payloads.message(await self._answers.send(interaction, upload, Route.TOKEN, reference=alive))

    async def _get(self, request: web.Request) -> Any:
        interaction = self._token(request)
        return self._payloads.message(self._target(request, interaction))

    async def _patch(self, request: web.Request) -> Any:
        upload = await read_upload(request)
        interaction = self._token(request)
        return self._payloads.message(await self._edit(interaction, self._target(request, interaction), upload))

    async def _delete(self, request: web.Request) -> Any:
        self._desk.delete(self._target(request, self._token(request)))
        return NO_CONTENT

    async def _edit(self, interaction: Interaction, message: Message, upload: Upload) -> Message:
        return await self._desk.edit(message, upload, route=Route.TOKEN, limit=interaction.attachment_size_limit)

    def _token(self, request: web.Request) -> Interaction:
        interaction = self._world.by_token.get(request.match_info["token"])
        known = interaction is not None and request.match_info["application"] == str(self._world.application_id)
        if interaction is None or not known:
            raise Refusal.UNKNOWN_WEBHOOK.error()
        if interaction.expired(self._world.now()):
            raise Refusal.DEAD_TOKEN.error()
        if interaction.answer in {None, CallbackKind.CHOICES}:
            raise Refusal.UNKNOWN_WEBHOOK.error()
        return interaction

    def _target(self, request: web.Request, interaction: Interaction) -> Message:
        name = request.match_info.get("message")
        if name is None:
            wanted = interaction.original_id
        else:
            wanted = number(request, "message", Refusal.UNKNOWN_MESSAGE)
            if wanted not in {interaction.original_id, *interaction.message_ids}:
                raise Refusal.UNKNOWN_MESSAGE.error()
        message = self._world.messages.get(wanted or 0)
        if message is None or message.deleted_at is not None:
            raise Refusal.UNKNOWN_MESSAGE.error()
        if message.channel_id not in self._world.channels:
            raise Refusal.UNKNOWN_CHANNEL.error()
        return message
