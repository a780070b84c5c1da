"""What people do apart from using the bot: found servers, write and delete messages, look at channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .core import Core
from .errors import ActRefusedError, ApiError
from .kinds import ChannelKind, MessageKind, Route
from .model import UPLOAD_LIMIT, Channel, File, Guild, Json, Message, User
from .permissions import Permission, bits_of, sending_bit
from .reports import Reports
from .uploads import Part, Upload
from .world import Ref


class People(Core):
    """Acts on the world that do not concern the bot directly."""

    # -- making the world ------------------------------------------------------------------------------------------

    async def make_user(
        self,
        name: str,
        *,
        guilds: Iterable[Ref] | None = None,
        moderator: bool = False,
        locale: str = "en-US",
        upload_limit: int = UPLOAD_LIMIT,
        dms_closed: bool = False,
        installed_app: bool = False,
    ) -> User:
        """Make a person, a member of all guilds unless some are named; a moderator has Manage Messages there."""
        joined = list(self.world.guilds.values()) if guilds is None else [self.world.guild(ref) for ref in guilds]
        user = self.world.add_user(
            name, locale=locale, upload_limit=upload_limit, dms_closed=dms_closed, installed_app=installed_app
        )
        for guild in joined:
            self.world.join(guild, user, moderator=moderator)
        return user

    async def make_guild(
        self,
        name: str,
        *,
        bot: bool = True,
        members: Iterable[Ref] | None = None,
        channels: Iterable[str] = ("general",),
        owner: Ref | None = None,
        locale: str = "en-US",
        upload_limit: int = UPLOAD_LIMIT,
    ) -> Guild:
        """Make a guild with everyone in it unless members are named; without the bot it is a user-install place."""
        everyone = [user for user in self.world.users.values() if not user.bot]
        joined = everyone if members is None else [self.world.user(ref) for ref in members]
        owning = self.world.user(owner) if owner is not None else everyone[0]
        guild = self.world.add_guild(name, owner=owning, has_bot=bot, locale=locale, upload_limit=upload_limit)
        for user in joined:
            self.world.join(guild, user)
        for channel in channels:
            self.world.add_channel(guild, channel)
        if bot:
            self.gateway.guild_created(guild)
        return guild

    async def remove_bot(self, guild: Ref) -> None:
        """Throw the bot out of a guild; what it wrote stays, out of its reach."""
        found = self.world.guild(guild)
        self.gateway.guild_event("GUILD_DELETE", {"id": str(found.id)}, found.id)
        found.has_bot = False
        found.members.pop(self.world.bot.id, None)

    async def make_channel(self, guild: Ref, name: str, *, nsfw: bool = False, denied: Iterable[str] = ()) -> Channel:
        """Make a text channel, age-restricted if `nsfw`; the bot is `denied` these permissions in it."""
        bits = bits_of(denied)
        channel = self.world.add_channel(self.world.guild(guild), name, nsfw=nsfw)
        if bits:
            self.world.set_overwrite(channel, self.world.bot.id, bits=None, allow=0, deny=bits, for_role=False)
        self.gateway.guild_event("CHANNEL_CREATE", self.payloads.channel(channel), channel.guild_id or 0)
        return channel

    async def make_thread(self, channel: Ref, name: str, *, archived: bool = False) -> Channel:
        """Make a thread below a text channel."""
        parent = self.world.channel(channel)
        guild = self.world.guild_of(parent)
        if guild is None:
            raise ActRefusedError("A DM has no threads.")
        thread = self.world.add_channel(guild, name, parent=parent, owner_id=guild.owner_id)
        thread.archived = archived
        self.gateway.guild_event("THREAD_CREATE", self.payloads.channel(thread), guild.id)
        return thread

    async def archive_thread(self, thread: Ref, *, archived: bool = True, locked: bool = False) -> None:
        """Archive a thread, or bring it back; one that is `locked` only a moderator can bring back."""
        found = self.world.channel(thread)
        found.archived, found.locked = archived, locked
        self.gateway.guild_event("THREAD_UPDATE", self.payloads.channel(found), found.guild_id or 0)

    async def delete_channel(self, channel: Ref) -> None:
        """Remove a channel and everything in it."""
        found = self.world.channel(channel)
        guild = self.world.guild_of(found)
        del self.world.channels[found.id]
        if guild is not None:
            guild.channel_ids.remove(found.id)
            self.gateway.guild_event("CHANNEL_DELETE", self.payloads.channel(found), guild.id)

    async def open_dm(self, user: Ref) -> Channel:
        """Return the person's DM with the bot."""
        return self.world.dm_with(self.world.user(user))

    async def set_permissions(
        self,
        channel: Ref,
        *,
        bits: int | None = None,
        denied: Iterable[str] = (),
        allowed: Iterable[str] = (),
        who: Ref | None = None,
    ) -> int:
        """Set what someone (the bot, if not said) may do in a channel and return what they have now.

        Either exactly `bits`, or names added and taken away; "@everyone" is possible for `who`.
        """
        found = self.world.channel(channel)
        guild = self.world.guild_of(found)
        if guild is None:
            raise ActRefusedError("A DM has no permissions.")
        for_role = who == "@everyone"
        target = guild.id if for_role else self.world.user(self.world.bot if who is None else who).id
        allow, deny = bits_of(allowed), bits_of(denied)
        self.world.set_overwrite(found, target, bits=bits, allow=allow, deny=deny, for_role=for_role)
        self.gateway.guild_event("CHANNEL_UPDATE", self.payloads.channel(found), guild.id)
        return self.world.permissions(found, self.world.bot.id if for_role else target)

    # -- messages --------------------------------------------------------------------------------------------------

    async def post_message(
        self,
        user: Ref,
        channel: Ref,
        content: str = "",
        *,
        attachments: Sequence[File] = (),
        reply_to: Ref | None = None,
        mentions: Sequence[Ref] = (),
        ping_reply: bool = True,
    ) -> Message:
        """Write a message; `mentions` are put before the text, a reply mentions its author unless told not to."""
        author, place = self.world.user(user), self.world.channel(channel)
        self.check_sees(author, place)
        self._check_may_write(author, place, attachments)
        reference = self.world.message(reply_to) if reply_to is not None else None
        named = " ".join(f"<@{self.world.user(ref).id}>" for ref in mentions)
        body: Json = {
            "content": f"{named} {content}".strip(),
            "allowed_mentions": {"parse": ["users", "roles", "everyone"], "replied_user": ping_reply},
        }
        parts = {n: Part(filename=file.filename, data=file.data) for n, file in enumerate(attachments)}
        try:
            return await self.desk.create(
                place,
                author.id,
                Upload(body=body, files=parts),
                route=Route.PERSON,
                limit=self.world.size_limit(author, place),
                kind=MessageKind.REPLY if reference else MessageKind.DEFAULT,
                reference=reference,
            )
        except ApiError as error:
            raise ActRefusedError(
                f"Discord would not send this: {error.message} {error.errors or ''}".strip()
            ) from None

    async def delete_message(self, user: Ref, message: Ref) -> None:
        """Delete one's own message, or anyone's with Manage Messages; an ephemeral one is dismissed by its reader."""
        person, found = self.world.user(user), self.visible_message(user, message)
        channel = self.world.channels[found.channel_id]
        may = person.id in {found.author_id, found.visible_to}
        if not may and not self.world.permissions(channel, person.id) & Permission.MANAGE_MESSAGES:
            raise ActRefusedError(f"{person.name} may not delete this message: that needs Manage Messages.")
        self.desk.delete(found)

    async def read_channel(self, channel: Ref, as_user: Ref | None = None) -> list[Json]:
        """Return the messages of a channel, oldest first, as they look now.

        As a person one sees one's own ephemeral messages; as nobody in particular all of them.
        """
        place = self.world.channel(channel)
        reader = self.world.user(as_user) if as_user is not None else None
        if reader is not None:
            self.check_sees(reader, place)
        shown = [self.world.messages[message_id] for message_id in place.message_ids]
        return [
            self.reports.message(message)
            for message in shown
            if reader is None or message.visible_to in {None, reader.id}
        ]

    async def message_versions(self, message: Ref) -> list[Json]:
        """Return everything a message ever showed, first to last, also after it was deleted."""
        found = self.world.message(message)
        return [self.reports.version(version) for version in found.versions]

    @property
    def reports(self) -> Reports:
        """How the control API shows things."""
        return Reports(self.world, self.payloads, self.files)

    # -- may they? -------------------------------------------------------------------------------------------------

    def check_sees(self, user: User, channel: Channel) -> None:
        """Refuse an act in a place that the person does not see."""
        guild = self.world.guild_of(channel)
        if guild is None:
            if channel.recipient_id != user.id:
                raise ActRefusedError(f"{user.name} is not part of this DM.")
        elif user.id not in guild.members:
            raise ActRefusedError(f"{user.name} is not a member of {guild.name}.")
        elif not self.world.permissions(channel, user.id) & Permission.VIEW_CHANNEL:
            raise ActRefusedError(f"{user.name} does not see #{channel.name}.")

    def visible_message(self, user: Ref, message: Ref) -> Message:
        """Return a message that the person can see and that is still there."""
        person, found = self.world.user(user), self.world.message(message)
        if found.deleted_at is not None or found.channel_id not in self.world.channels:
            raise ActRefusedError("This message was deleted.")
        if found.visible_to not in {None, person.id}:
            raise ActRefusedError(f"{person.name} does not see this message: only one other person does.")
        self.check_sees(person, self.world.channels[found.channel_id])
        return found

    def _check_may_write(self, user: User, channel: Channel, attachments: Sequence[File]) -> None:
        if channel.kind is ChannelKind.DM:
            return
        needed = Permission.ATTACH_FILES | sending_bit(channel) if attachments else sending_bit(channel)
        if self.world.permissions(channel, user.id) & needed != needed:
            raise ActRefusedError(f"{user.name} may not write (or attach files) in #{channel.name}.")
