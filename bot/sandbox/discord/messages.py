"""Making, changing and removing messages, whoever asks: the one place where versions come from."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any, Final

from .attachments import AttachmentStore
from .composing import Media, choose_files, number_components, store_files
from .errors import FormErrors, Refusal
from .events import EventFeed
from .gateway import Gateway
from .kinds import MessageFlag, MessageKind, Route
from .mentions import pings_of, texts_of
from .message_rules import check_message, check_v2_fields, is_v2
from .model import Channel, Interaction, Json, Message, MessageVersion, StoredFile
from .payloads import Payloads
from .snowflakes import iso
from .uploads import Upload
from .world import World

#: An author's repeated nonce answers with the first message for this long ("a few minutes", Discord docs).
NONCE_LIFE: Final = timedelta(minutes=5)
#: From this age on, edits have a limit of their own (30046).
OLD: Final = timedelta(hours=1)

_SETTABLE_NEW: Final = int(
    MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2 | MessageFlag.EPHEMERAL
)


class MessageDesk:
    """Applies bodies to messages and tells the gateway and the watchers."""

    def __init__(
        self, world: World, store: AttachmentStore, payloads: Payloads, gateway: Gateway, feed: EventFeed
    ) -> None:
        self._world = world
        self._store = store
        self._payloads = payloads
        self._gateway = gateway
        self._feed = feed

    async def create(
        self,
        channel: Channel,
        author_id: int,
        upload: Upload,
        *,
        route: Route,
        limit: int,
        kind: MessageKind = MessageKind.DEFAULT,
        visible_to: int | None = None,
        interaction: Interaction | None = None,
        reference: Message | None = None,
        prefix: str = "",
    ) -> Message:
        """Send a message; `limit` is the bytes a file may have, `prefix` where the body lies in the request."""
        body = upload.object()
        errors = FormErrors(prefix)
        check_message(errors, body, v2=is_v2(body), edit=False)
        errors.raise_if_any()
        new = await store_files(self._store, upload, place_id=channel.id, limit=limit, listed=body.get("attachments"))
        flags = int(body.get("flags") or 0) & _SETTABLE_NEW
        if visible_to is not None:
            flags |= MessageFlag.EPHEMERAL
        else:
            flags &= ~MessageFlag.EPHEMERAL
        version = self._compose(None, body, new, errors, route=route, flags=flags, replied=reference)
        message = self._add(
            channel, author_id, version, kind=kind, visible_to=visible_to, interaction=interaction, reference=reference
        )
        message.nonce = None if body.get("nonce") is None else str(body["nonce"])
        self.announce_created(message)
        return message

    def create_thinking(
        self,
        channel: Channel,
        interaction: Interaction,
        *,
        kind: MessageKind,
        reference: Message | None,
        ephemeral: bool,
    ) -> Message:
        """Show "thinking…" for a deferred answer."""
        flags = int(MessageFlag.LOADING | (MessageFlag.EPHEMERAL if ephemeral else 0))
        version = MessageVersion(number=1, at=self._world.now(), route=Route.CALLBACK, flags=flags)
        message = self._add(
            channel,
            self._world.bot.id,
            version,
            kind=kind,
            visible_to=interaction.user_id if ephemeral else None,
            interaction=interaction,
            reference=reference,
        )
        self.announce_created(message)
        return message

    async def edit(self, message: Message, upload: Upload, *, route: Route, limit: int, prefix: str = "") -> Message:
        """Change a message; what the body leaves out stays as it is."""
        body = upload.object()
        if message.channel_id not in self._world.channels:
            raise Refusal.UNKNOWN_CHANNEL.error()
        errors = FormErrors(prefix)
        check_message(errors, body, v2=is_v2(body, message.now.flags), edit=True)
        errors.raise_if_any()
        self._count_late_edit(message)
        new = await store_files(
            self._store, upload, place_id=message.channel_id, limit=limit, listed=body.get("attachments")
        )
        if message.deleted_at is not None:
            raise Refusal.UNKNOWN_MESSAGE.error()
        before = message.now
        version = self._compose(
            before, body, new, errors, route=route, flags=_edited_flags(before.flags, body), replied=None
        )
        message.versions.append(version)
        if not before.loading:
            message.edited_at = version.at
        self._gateway.message_event("MESSAGE_UPDATE", message)
        self._publish("message_updated", message)
        return message

    def delete(self, message: Message) -> None:
        """Take a message away; its versions stay readable for the control API."""
        message.deleted_at = self._world.now()
        channel = self._world.channels[message.channel_id]
        channel.message_ids = [message_id for message_id in channel.message_ids if message_id != message.id]
        self._gateway.message_deleted(message)
        self._publish("message_deleted", message)

    def by_nonce(self, channel: Channel, author_id: int, body: Json) -> Message | None:
        """Return the message that an enforced nonce has already made, if any."""
        if not self._world.honours_nonces or not body.get("enforce_nonce") or body.get("nonce") is None:
            return None
        since = self._world.now() - NONCE_LIFE
        for message_id in reversed(channel.message_ids):
            message = self._world.messages[message_id]
            if message.author_id == author_id and message.nonce == str(body["nonce"]) and message.created_at >= since:
                return message
        return None

    def announce_created(self, message: Message) -> None:
        """Tell the gateway and the watchers of a new message."""
        self._gateway.message_event("MESSAGE_CREATE", message)
        self._publish("message_created", message)

    # -- insides ---------------------------------------------------------------------------------------------------

    def _add(
        self,
        channel: Channel,
        author_id: int,
        version: MessageVersion,
        *,
        kind: MessageKind,
        visible_to: int | None,
        interaction: Interaction | None,
        reference: Message | None,
    ) -> Message:
        message = Message(
            id=self._world.ids.next(),
            channel_id=channel.id,
            author_id=author_id,
            kind=kind,
            versions=[version],
            visible_to=visible_to,
            interaction_id=interaction.id if interaction else None,
            reference_id=reference.id if reference else None,
        )
        self._world.messages[message.id] = message
        channel.message_ids.append(message.id)
        return message

    def _compose(
        self,
        before: MessageVersion | None,
        body: Json,
        new: dict[int, StoredFile],
        errors: FormErrors,
        *,
        route: Route,
        flags: int,
        replied: Message | None,
    ) -> MessageVersion:
        content = _text(body, before)
        present = (*before.attachments, *before.embedded) if before else ()
        listed = (body["attachments"] or []) if "attachments" in body else None
        # Files that live in an embed are not in the client's list, and yet an embed may name them again.
        hidden = before.embedded if before else ()
        files = choose_files(errors, listed, present=present, new=new, edit=before is not None)
        media = Media(self._store, [*files, *(file for file in hidden if file not in files)])
        embeds, embedded = self._embeds(before, body, media, errors)
        components = self._components(before, body, media, errors)
        if flags & MessageFlag.COMPONENTS_V2:
            # Turning a classic message into one of components has to clear the classic parts in the same request.
            check_v2_fields(errors, {"content": content, "embeds": embeds})
        errors.raise_if_any()
        attachments = [file for file in files if file not in embedded]
        if not (content or embeds or components or attachments):
            raise Refusal.EMPTY_MESSAGE.error()
        pings = pings_of(
            texts_of(content, components),
            body.get("allowed_mentions"),
            route=route,
            replied_to=replied.author_id if replied else None,
        )
        return MessageVersion(
            number=before.number + 1 if before else 1,
            at=self._world.now(),
            route=route,
            content=content,
            embeds=tuple(embeds),
            components=tuple(components),
            attachments=tuple(attachments),
            embedded=tuple(embedded),
            flags=flags,
            pings=pings,
            notified=before is None and bool(pings),
        )

    @staticmethod
    def _embeds(
        before: MessageVersion | None, body: Json, media: Media, errors: FormErrors
    ) -> tuple[list[Json], list[StoredFile]]:
        if "embeds" not in body:
            return (list(before.embeds), list(before.embedded)) if before else ([], [])
        embeds = [media.embed(errors, embed, f"embeds.{n}") for n, embed in enumerate(body["embeds"] or [])]
        return embeds, list(media.used)

    @staticmethod
    def _components(before: MessageVersion | None, body: Json, media: Media, errors: FormErrors) -> list[Json]:
        if "components" not in body:
            return list(before.components) if before else []
        given = copy.deepcopy(body["components"] or [])
        components = [media.component(errors, component, f"components.{n}") for n, component in enumerate(given)]
        number_components(components)
        return components

    def _count_late_edit(self, message: Message) -> None:
        limit = self._world.old_message_edits
        if self._world.now() - message.created_at <= OLD or limit is None:
            return
        if message.late_edits >= limit:
            error = Refusal.OLD_MESSAGE_EDITS.error()
            error.retry_after = 0.05
            raise error
        message.late_edits += 1

    def _publish(self, what: str, message: Message) -> None:
        version = message.now
        self._feed.publish(
            {
                "event": what,
                "at": iso(self._world.now()),
                "message_id": str(message.id),
                "channel_id": str(message.channel_id),
                "version": version.number,
                "route": str(version.route),
                "ephemeral_for": str(message.visible_to) if message.visible_to else None,
            }
        )


def _text(body: Json, before: MessageVersion | None) -> str:
    if "content" in body:
        return (body["content"] or "").strip()
    return before.content if before else ""


def _edited_flags(present: int, body: Json) -> int:
    flags = present & ~MessageFlag.LOADING
    asked: Any = body.get("flags")
    if isinstance(asked, int):
        flags = flags & ~MessageFlag.SUPPRESS_EMBEDS | asked & MessageFlag.SUPPRESS_EMBEDS
        flags |= asked & MessageFlag.COMPONENTS_V2
    return int(flags)
