"""The world that both sides see: the bot through Discord's API, people through the control API."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from bot.clock import Clock

from .errors import ActRefusedError
from .kinds import ChannelKind, InteractionState
from .model import UPLOAD_LIMIT, Channel, Guild, Interaction, Json, Member, Message, Overwrite, Role, User
from .permissions import ALL, EVERYONE, MODERATOR, permissions_in, permissions_of
from .snowflakes import Snowflakes

#: What a person's act may name a thing by: its id, its id as text, its name, or the thing itself.
Ref = int | str | User | Guild | Channel | Message | Interaction


class World:
    """Holds everything that exists, makes new things, and finds them."""

    def __init__(self, clock: Clock, *, seed: int, token: str) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.ids = Snowflakes(clock)
        #: Where the simulator is reached; part of every file's address.
        self.public_url = ""
        #: Seconds within which an interaction must be answered (Discord: 3).
        self.answer_within = 3.0
        #: Edits that a message older than an hour takes before 30046; None for no limit.
        self.old_message_edits: int | None = None
        #: Whether a nonce that comes again is answered with the message it made; Discord does, others may not.
        self.honours_nonces = True
        #: Privileged intents that are switched on for the application.
        self.privileged_intents = 0
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.interactions: dict[int, Interaction] = {}
        self.by_token: dict[str, Interaction] = {}
        #: Application commands by guild; None holds the global ones.
        self.commands: dict[int | None, dict[int, Json]] = {None: {}}
        self.application_id = self.ids.next()
        self.bot = self.add_user("Muster", bot=True)
        self.token = token or self._make_bot_token()

    def now(self) -> datetime:
        """Return the world's time."""
        return self.clock.now()

    def secret(self, length: int) -> str:
        """Return unguessable-looking text that depends on the seed alone."""
        return "".join(self.random.choices(string.ascii_letters + string.digits + "-_", k=length))

    # -- making ----------------------------------------------------------------------------------------------------

    def add_user(
        self,
        name: str,
        *,
        bot: bool = False,
        locale: str = "en-US",
        upload_limit: int = UPLOAD_LIMIT,
        dms_closed: bool = False,
        installed_app: bool = False,
    ) -> User:
        """Make an account."""
        user = User(
            id=self.ids.next(),
            name=name,
            bot=bot,
            locale=locale,
            upload_limit=upload_limit,
            dms_closed=dms_closed,
            installed_app=installed_app,
        )
        self.users[user.id] = user
        return user

    def add_guild(
        self, name: str, *, owner: User, has_bot: bool, locale: str = "en-US", upload_limit: int = UPLOAD_LIMIT
    ) -> Guild:
        """Make a guild with @everyone, a Moderator role, its owner, and the bot if wanted."""
        guild = Guild(
            id=self.ids.next(), name=name, owner_id=owner.id, has_bot=has_bot, locale=locale, upload_limit=upload_limit
        )
        guild.roles[guild.id] = Role(id=guild.id, name="@everyone", permissions=EVERYONE)
        moderator = Role(id=self.ids.next(), name="Moderator", permissions=MODERATOR)
        guild.roles[moderator.id] = moderator
        self.guilds[guild.id] = guild
        self.join(guild, owner)
        if has_bot:
            managed = Role(id=self.ids.next(), name=self.bot.name, permissions=EVERYONE, managed_by=self.bot.id)
            guild.roles[managed.id] = managed
            self.join(guild, self.bot).role_ids.append(managed.id)
        return guild

    def join(self, guild: Guild, user: User, *, moderator: bool = False) -> Member:
        """Make someone a member; a moderator gets Manage Messages through a role."""
        member = guild.members.setdefault(user.id, Member(user_id=user.id, joined_at=self.now()))
        role = next(role for role in guild.roles.values() if role.name == "Moderator")
        if moderator and role.id not in member.role_ids:
            member.role_ids.append(role.id)
        return member

    def add_channel(
        self, guild: Guild, name: str, *, nsfw: bool = False, parent: Channel | None = None, owner_id: int | None = None
    ) -> Channel:
        """Make a text channel, or a thread below `parent`."""
        channel = Channel(
            id=self.ids.next(),
            kind=ChannelKind.THREAD if parent else ChannelKind.TEXT,
            name=name,
            guild_id=guild.id,
            nsfw=nsfw,
            parent_id=parent.id if parent else None,
            owner_id=owner_id,
        )
        self.channels[channel.id] = channel
        guild.channel_ids.append(channel.id)
        return channel

    def dm_with(self, user: User) -> Channel:
        """Return the DM of a person with the bot, making it on first use."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.DM and channel.recipient_id == user.id:
                return channel
        channel = Channel(id=self.ids.next(), kind=ChannelKind.DM, name=f"DM with {user.name}", recipient_id=user.id)
        self.channels[channel.id] = channel
        return channel

    # -- looking up ------------------------------------------------------------------------------------------------

    def user(self, ref: Ref) -> User:
        """Find a person; `ActRefusedError` if there is none."""
        return _find("user", ref, self.users, lambda user: (user.name,))

    def guild(self, ref: Ref) -> Guild:
        """Find a guild; `ActRefusedError` if there is none."""
        return _find("guild", ref, self.guilds, lambda guild: (guild.name,))

    def channel(self, ref: Ref) -> Channel:
        """Find a channel by id or by "#name"; `ActRefusedError` if there is none or several."""
        return _find("channel", ref, self.channels, lambda channel: (channel.name, f"#{channel.name}"))

    def message(self, ref: Ref) -> Message:
        """Find a message, deleted ones too; `ActRefusedError` if there is none."""
        return _find("message", ref, self.messages, lambda _: ())

    def interaction(self, ref: Ref) -> Interaction:
        """Find an interaction with its present state; `ActRefusedError` if there is none."""
        return self.settle(_find("interaction", ref, self.interactions, lambda _: ()))

    def guild_of(self, channel: Channel) -> Guild | None:
        """Return the guild a channel is in, None for DMs."""
        return None if channel.guild_id is None else self.guilds[channel.guild_id]

    def permissions(self, channel: Channel, user_id: int) -> int:
        """Return what someone may do in a guild channel; 0 in a DM, which has no permissions."""
        guild = self.guild_of(channel)
        if guild is None:
            return 0
        parent = self.channels.get(channel.parent_id) if channel.parent_id else None
        return permissions_in(guild, channel, user_id, parent=parent)

    def guild_permissions(self, guild: Guild, user_id: int) -> int:
        """Return what someone may do in a guild at large."""
        return permissions_of(guild, user_id)

    def age_restricted(self, channel: Channel) -> bool:
        """Say whether a channel is for adults; a thread is what its parent is."""
        parent = self.channels.get(channel.parent_id) if channel.parent_id else None
        return (parent or channel).nsfw

    def size_limit(self, user: User, channel: Channel) -> int:
        """Return the bytes a file may have here: the better of the person's and the guild's."""
        guild = self.guild_of(channel)
        return max(user.upload_limit, guild.upload_limit if guild else 0)

    # -- changing --------------------------------------------------------------------------------------------------

    def set_overwrite(
        self, channel: Channel, target_id: int, *, bits: int | None, allow: int, deny: int, for_role: bool
    ) -> Overwrite:
        """Give someone exactly `bits` in a channel, or (None) allow and deny single permissions."""
        overwrite = Overwrite(target_id=target_id, for_role=for_role, allow=allow, deny=deny)
        if bits is not None:
            overwrite.allow, overwrite.deny = bits, ALL & ~bits
        channel.overwrites = [o for o in channel.overwrites if o.target_id != target_id] + [overwrite]
        return overwrite

    def settle(self, interaction: Interaction) -> Interaction:
        """Mark an interaction as failed if its time to be answered has passed."""
        age = (self.now() - interaction.created_at).total_seconds()
        if interaction.state is InteractionState.PENDING and age > interaction.answer_within:
            interaction.state = InteractionState.FAILED
        return interaction

    def _make_bot_token(self) -> str:
        head = base64.urlsafe_b64encode(str(self.bot.id).encode()).decode().rstrip("=")
        return f"{head}.{self.secret(6)}.{self.secret(38)}"


class _HasId(Protocol):
    id: int


T = TypeVar("T", bound=_HasId)


def _find(kind: str, ref: Ref, things: Mapping[int, T], names: Callable[[T], Iterable[str]]) -> T:
    text = str(ref if isinstance(ref, int | str) else ref.id)
    if text.isdigit() and int(text) in things:
        return things[int(text)]
    found = [thing for thing in things.values() if text in names(thing)]
    if len(found) == 1:
        return found[0]
    raise ActRefusedError(
        f"There are {len(found)} {kind}s {text!r}: name it by its id." if found else f"There is no {kind} {text!r}."
    )
