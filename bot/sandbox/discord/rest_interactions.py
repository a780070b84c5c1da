"""Answering interactions: one callback each, in time and of a kind that fits."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from .answers import Answers
from .component_rules import check_modal
from .errors import FormErrors, Refusal, form_error
from .events import EventFeed
from .kinds import CallbackKind, InteractionKind, InteractionState, Route
from .messages import MessageDesk
from .model import Interaction, Json, Message
from .payloads import Payloads
from .rest import NO_CONTENT, Rest, number
from .snowflakes import iso
from .uploads import Upload, read_upload
from .world import World

CHOICES: Final = 25

_ANSWERS: Final = {
    InteractionKind.COMMAND: {CallbackKind.MESSAGE, CallbackKind.DEFERRED_MESSAGE, CallbackKind.MODAL},
    InteractionKind.COMPONENT: {
        CallbackKind.MESSAGE,
        CallbackKind.DEFERRED_MESSAGE,
        CallbackKind.DEFERRED_UPDATE,
        CallbackKind.UPDATE,
        CallbackKind.MODAL,
    },
    InteractionKind.AUTOCOMPLETE: {CallbackKind.CHOICES},
    InteractionKind.MODAL: {CallbackKind.MESSAGE, CallbackKind.DEFERRED_MESSAGE},
}
_UPDATES: Final = {CallbackKind.DEFERRED_UPDATE, CallbackKind.UPDATE}


class InteractionRoutes:
    """The route under /interactions; it does not ask for the bot's token."""

    def __init__(self, world: World, desk: MessageDesk, payloads: Payloads, feed: EventFeed) -> None:
        self._world = world
        self._desk = desk
        self._payloads = payloads
        self._feed = feed
        self._answers = Answers(world, desk)
        #: Interactions whose answer is being taken in: a second one that comes meanwhile is too many.
        self._answering: set[int] = set()

    def routes(self, rest: Rest) -> list[web.RouteDef]:
        """Return the routes."""
        path = "/interactions/{interaction}/{token}/callback"
        return [rest.route("POST", path, self._callback, kind="callback", auth=False)]

    # -- the callback ----------------------------------------------------------------------------------------------

    async def _callback(self, request: web.Request) -> Any:
        upload = await read_upload(request)
        interaction = self._answerable(request)
        kind = self._callback_kind(interaction, upload.object())
        self._answering.add(interaction.id)
        try:
            await self._carry_out(interaction, kind, upload.inside("data"))
        finally:
            self._answering.discard(interaction.id)
        interaction.answer = kind
        interaction.state = InteractionState.ACKNOWLEDGED
        interaction.answered_at = self._world.now()
        self._publish(interaction)
        if request.query.get("with_response", "").lower() not in {"1", "true"}:
            return NO_CONTENT
        return self._response(interaction, kind)

    def _answerable(self, request: web.Request) -> Interaction:
        interaction = self._world.interactions.get(number(request, "interaction", Refusal.UNKNOWN_INTERACTION))
        if interaction is None or interaction.token != request.match_info["token"]:
            raise Refusal.UNKNOWN_INTERACTION.error()
        answered = self._world.settle(interaction).state is InteractionState.ACKNOWLEDGED
        if answered or interaction.id in self._answering:
            raise Refusal.ALREADY_ANSWERED.error()
        if interaction.state is InteractionState.FAILED:
            raise Refusal.UNKNOWN_INTERACTION.error()
        return interaction

    @staticmethod
    def _callback_kind(interaction: Interaction, body: Json) -> CallbackKind:
        allowed = set(_ANSWERS[interaction.kind])
        if interaction.kind is InteractionKind.MODAL and interaction.message_id is not None:
            allowed |= _UPDATES
        if body.get("type") not in allowed:
            listed = ", ".join(str(int(kind)) for kind in sorted(allowed))
            raise form_error("type", "BASE_TYPE_CHOICES", f"Value must be one of {{{listed}}}.")
        return CallbackKind(body["type"])

    async def _carry_out(self, interaction: Interaction, kind: CallbackKind, upload: Upload) -> None:
        match kind:
            case CallbackKind.MESSAGE:
                message = await self._answers.send(interaction, upload, Route.CALLBACK, prefix="data")
                interaction.original_id = message.id
            case CallbackKind.DEFERRED_MESSAGE:
                interaction.original_id = self._answers.think(interaction, upload).id
            case CallbackKind.UPDATE:
                await self._desk.edit(
                    self._source(interaction),
                    upload,
                    route=Route.CALLBACK,
                    limit=interaction.attachment_size_limit,
                    prefix="data",
                )
                interaction.original_id = interaction.message_id
            case CallbackKind.DEFERRED_UPDATE:
                interaction.original_id = interaction.message_id
            case CallbackKind.CHOICES:
                interaction.choices = _checked_choices(upload.object())
            case CallbackKind.MODAL:
                errors = FormErrors("data")
                check_modal(errors, upload.object())
                errors.raise_if_any()
                interaction.modal = upload.object()
            case CallbackKind.PONG:
                pass

    def _source(self, interaction: Interaction) -> Message:
        message = self._world.messages[interaction.message_id or 0]
        if message.deleted_at is not None:
            raise Refusal.UNKNOWN_MESSAGE.error()
        return message

    def _response(self, interaction: Interaction, kind: CallbackKind) -> Json:
        about: Json = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "channel_id": str(interaction.channel_id),
        }
        if interaction.guild_id is not None:
            about["guild_id"] = str(interaction.guild_id)
        message = self._world.messages.get(interaction.original_id or 0)
        if message is None:
            return {"interaction": about}
        about |= {
            "response_message_id": str(message.id),
            "response_message_loading": message.now.loading,
            "response_message_ephemeral": message.ephemeral,
        }
        if kind not in {CallbackKind.MESSAGE, CallbackKind.UPDATE}:
            return {"interaction": about}
        return {"interaction": about, "resource": {"type": int(kind), "message": self._payloads.message(message)}}

    def _publish(self, interaction: Interaction) -> None:
        self._feed.publish(
            {
                "event": "interaction_answered",
                "at": iso(self._world.now()),
                "interaction_id": str(interaction.id),
                "channel_id": str(interaction.channel_id),
                "state": str(interaction.state),
                "answer": int(interaction.answer or 0),
            }
        )


def _checked_choices(body: Json) -> list[Json]:
    errors = FormErrors("data")
    choices = body.get("choices") or []
    if len(choices) > CHOICES:
        errors.length("choices", choices, 0, CHOICES)
    for place, choice in enumerate(choices):
        errors.length(f"choices.{place}.name", choice.get("name"), 1, 100)
        if isinstance(choice.get("value"), str):
            errors.length(f"choices.{place}.value", choice["value"], 1, 100)
        elif choice.get("value") is None:
            errors.required(f"choices.{place}.value")
    errors.raise_if_any()
    return list(choices)
