"""What the world of the simulator is made of: people, guilds, channels, messages with their versions, interactions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from .kinds import CallbackKind, ChannelKind, InteractionKind, InteractionState, MessageFlag, MessageKind, Route

#: A JSON object; Discord's payloads have too many shapes for types, and a simulator should see the raw thing.
Json = dict[str, Any]

#: Bytes of one file that anyone may upload without a subscription (Discord docs, "Uploading Files").
UPLOAD_LIMIT: Final = 10 * 1024 * 1024
#: How long an interaction token lives (Discord docs, "Receiving and Responding").
TOKEN_LIFE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that a person uploads."""

    filename: str
    data: bytes
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class User:
    """An account, a person's or the bot's."""

    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"
    #: Bytes a file of this person may have (Nitro raises it).
    upload_limit: int = UPLOAD_LIMIT
    #: True if strangers, and so the bot, cannot write to this person (50007).
    dms_closed: bool = False
    #: True if the person added the application to their account.
    installed_app: bool = False


@dataclass(slots=True, kw_only=True)
class Role:
    """A named set of permissions in a guild; the one with the guild's id is @everyone."""

    id: int
    name: str
    permissions: int
    managed_by: int | None = None


@dataclass(slots=True, kw_only=True)
class Member:
    """A user in a guild."""

    user_id: int
    joined_at: datetime
    role_ids: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Overwrite:
    """Permissions that a channel takes or gives to a role or a member."""

    target_id: int
    for_role: bool
    allow: int = 0
    deny: int = 0


@dataclass(slots=True, kw_only=True)
class Guild:
    """A server, with or without the bot in it."""

    id: int
    name: str
    owner_id: int
    has_bot: bool
    locale: str = "en-US"
    upload_limit: int = UPLOAD_LIMIT
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channel_ids: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Channel:
    """A text channel, a thread, or a DM of one person with the bot."""

    id: int
    kind: ChannelKind
    name: str
    guild_id: int | None = None
    nsfw: bool = False
    parent_id: int | None = None
    owner_id: int | None = None
    recipient_id: int | None = None
    archived: bool = False
    #: Archived by a moderator: nobody else brings it back.
    locked: bool = False
    overwrites: list[Overwrite] = field(default_factory=list)
    message_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as the CDN holds it."""

    id: int
    #: The channel in its address; for ephemeral uploads the application.
    place_id: int
    filename: str
    #: The name it was uploaded under, which `attachment://` may use too.
    original_name: str
    data: bytes
    sha256: str
    content_type: str
    width: int | None
    height: int | None
    description: str | None
    #: True for what people hand to commands and modals.
    ephemeral: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """Whom a text mentions so that they are notified."""

    users: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.roles or self.everyone)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageVersion:
    """What a message showed from one moment on."""

    number: int
    at: datetime
    route: Route
    content: str = ""
    #: Media made from uploads stand here as `attachment-id:N`; payloads turn that into a fresh address.
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[StoredFile, ...] = ()
    #: Uploads that an embed shows: not listed among the attachments again.
    embedded: tuple[StoredFile, ...] = ()
    flags: int = 0
    #: What the text mentions under its allowed_mentions.
    pings: Pings = Pings()
    #: True if those mentions also made a sound: only when the message was new.
    notified: bool = False

    @property
    def loading(self) -> bool:
        """Whether it shows "thinking…"."""
        return bool(self.flags & MessageFlag.LOADING)


@dataclass(slots=True, kw_only=True)
class Message:
    """A message and everything it ever showed."""

    id: int
    channel_id: int
    author_id: int
    kind: MessageKind
    versions: list[MessageVersion]
    #: The only person who sees it, for ephemeral ones.
    visible_to: int | None = None
    interaction_id: int | None = None
    reference_id: int | None = None
    nonce: str | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    #: Edits made while it was older than an hour.
    late_edits: int = 0

    @property
    def now(self) -> MessageVersion:
        """What it shows at present."""
        return self.versions[-1]

    @property
    def created_at(self) -> datetime:
        """When it was sent."""
        return self.versions[0].at

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return self.visible_to is not None


@dataclass(slots=True, kw_only=True)
class Interaction:
    """Something a person did that the application has to answer."""

    id: int
    token: str
    kind: InteractionKind
    user_id: int
    channel_id: int
    guild_id: int | None
    #: What the person used, for reading: "/imagine", "press job:again:1", "modal edit".
    label: str
    data: Json
    created_at: datetime
    #: Seconds within which it must be answered.
    answer_within: float
    attachment_size_limit: int
    #: `authorizing_integration_owners`: "0" names the guild, "1" the person.
    owners: dict[str, str]
    #: The message whose button, select or modal this is about.
    message_id: int | None = None
    #: The interaction that opened the modal.
    parent_id: int | None = None
    state: InteractionState = InteractionState.PENDING
    answer: CallbackKind | None = None
    answered_at: datetime | None = None
    #: What "@original" means for its token.
    original_id: int | None = None
    #: Every message its token may edit.
    message_ids: list[int] = field(default_factory=list)
    followups: int = 0
    choices: list[Json] | None = None
    modal: Json | None = None

    @property
    def user_install_only(self) -> bool:
        """Whether only the person's own installation allows this."""
        return set(self.owners) == {"1"}

    def expired(self, now: datetime) -> bool:
        """Whether its token has died."""
        return now >= self.created_at + TOKEN_LIFE
