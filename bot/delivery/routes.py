"""The roads to a reply: the interaction's token while it lives, the bot's own token by channel afterwards."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, Protocol, cast

import aiohttp
import discord

from bot.clock import Clock
from bot.delivery.once import at_most_once
from bot.delivery.translate import NoAccess, NoHistory, NotSent, Refused, discord_errors
from bot.domain.replies import ReplyAddress
from bot.errors import ReplyClosed, ReplyLost
from bot.pacing import Pacer
from bot.services.waiting import event_or_timeout

#: Edits with the bot's token for one channel: all its jobs share Discord's bucket.
CHANNEL_EDITS, CHANNEL_SECONDS = 4, 5.0
#: How many messages are read to find one of ours: what Discord lists in one answer.
HISTORY = 100
#: Pacers are kept for this many channels at most.
MAX_PACERS = 2000
#: Who reads somebody's message waits so long for the bot's own token to be accepted, in seconds.
LOGIN_WAIT = 10.0

Fields = dict[str, Any]

log = logging.getLogger(__name__)


class Route(Protocol):
    """One way to read and edit a reply. Raises `DeliveryError` and its kin."""

    async def read(self) -> list[discord.Attachment]:
        """What is attached now."""
        ...

    async def edit(self, fields: Fields, *, first: bool = False) -> list[discord.Attachment]:
        """Change the message, with `first` before others that wait; returns what is attached afterwards."""
        ...


#: Discord's own word for the message that answers an interaction, or that a pressed button is on: the one name of
#: it that every token understands. discord.py types the id as int, but sends whatever it is given.
_ORIGINAL = cast("int", "@original")


class _TokenRoute:
    def __init__(self, webhook: discord.Webhook) -> None:
        self._webhook = webhook

    async def read(self) -> list[discord.Attachment]:
        with discord_errors():
            return (await self._webhook.fetch_message(_ORIGINAL)).attachments

    async def edit(self, fields: Fields, *, first: bool = False) -> list[discord.Attachment]:  # noqa: ARG002
        with discord_errors():
            return (await self._webhook.edit_message(_ORIGINAL, **fields)).attachments


class _ChannelRoute:
    def __init__(self, message: discord.PartialMessage, pacer: Pacer) -> None:
        self._message = message
        self._pacer = pacer

    async def read(self) -> list[discord.Attachment]:
        with _bot_token(), discord_errors():
            return (await self._message.fetch()).attachments

    async def edit(self, fields: Fields, *, first: bool = False) -> list[discord.Attachment]:
        await self._pacer.acquire(first=first)
        with _bot_token(), discord_errors():
            return (await self._message.edit(**fields)).attachments


def renewed(fields: Fields) -> Fields:
    """The same fields to be sent once more: a `discord.File` can be sent once only."""
    if "files" not in fields:
        return fields
    files = []
    for file in fields["files"]:
        file.reset()
        files.append(discord.File(io.BytesIO(file.fp.read()), filename=file.filename, spoiler=file.spoiler))
    return {**fields, "files": files}


class _OnceSession:
    """A session in which the library can't repeat what may have arrived: it would after every 5xx."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._may_have_arrived = False

    @asynccontextmanager
    async def request(self, method: str, url: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._may_have_arrived:
            raise aiohttp.ClientError("it may have arrived")
        self._may_have_arrived = True
        async with self._session.request(method, url, **options) as response:
            self._may_have_arrived = response.status != 429
            yield response


@contextmanager
def _bot_token() -> Iterator[None]:
    """A refused bot token is the operator's to mend: no other road opens by it, so it is tried again, slowly."""
    try:
        yield
    except ReplyClosed as error:
        raise NotSent(f"the bot's token is refused: {error}") from error


class Routes:
    """Chooses the road to a reply."""

    def __init__(
        self, client: discord.Client, session: aiohttp.ClientSession, clock: Clock, *, logged_in: asyncio.Event
    ) -> None:
        """`logged_in` is set once the bot's own token may be used; the interaction's token needs no login."""
        self._client = client
        self._session = session
        self._clock = clock
        self._logged_in = logged_in
        self._pacers: dict[int, Pacer] = {}
        #: Channels in which Discord took no reference, whatever is cached of them.
        self._without_history: set[int] = set()

    def token_works(self, address: ReplyAddress, dead_tokens: set[str], now: datetime) -> bool:
        """Whether the interaction's token can still be used."""
        token = address.token.get_secret_value()
        return bool(token) and token not in dead_tokens and address.token_alive(now)

    async def choose(self, address: ReplyAddress, dead_tokens: set[str]) -> Route | None:
        """The best open road, or None when there is none until somebody presses a button."""
        if address.message_id is None:
            return None
        if self.token_works(address, dead_tokens, self._clock.now()):
            return _TokenRoute(self.webhook(address))
        if not address.open_to_bot:
            return None
        await self._logged_in.wait()
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        return _ChannelRoute(channel.get_partial_message(address.message_id), self._pacer(address.channel_id))

    async def send(
        self, address: ReplyAddress, *, nonce: str, refers_to: int | None, fields: Fields
    ) -> discord.Message:
        """Write a message into the reply's channel with the bot's own token, at most once.

        Discord answers a nonce it has just seen with the message that it made: sending again makes no second one.
        Where we may not refer to `refers_to` it stands by itself.
        """
        await self._logged_in.wait()
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        if refers_to is not None and self._may_refer(address.channel_id):
            reference = discord.MessageReference(
                message_id=refers_to,
                channel_id=address.channel_id,
                guild_id=address.guild_id,
                fail_if_not_exists=False,
            )
            fields = {**fields, "reference": reference, "mention_author": False}
        try:
            with at_most_once(), _bot_token(), discord_errors():
                return await channel.send(nonce=nonce, **fields)
        except NoHistory:
            if "reference" not in fields:
                raise
            self._without_history.add(address.channel_id)
        alone = {name: value for name, value in fields.items() if name not in {"reference", "mention_author"}}
        return await self.send(address, nonce=nonce, refers_to=None, fields=renewed(alone))

    def _may_refer(self, channel_id: int) -> bool:
        """Whether a message there may refer to another: Discord takes that from those who may read the history only.

        Where next to nothing is cached of the place, it is tried.
        """
        if channel_id in self._without_history:
            return False
        channel = self._client.get_channel(channel_id)
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread) or channel.guild.me is None:
            return True
        try:
            granted = channel.permissions_for(channel.guild.me)
        except discord.ClientException:  # a thread whose channel is not cached
            return True
        return granted.administrator or granted.read_message_history

    async def direct_channel(self, user_id: int) -> int:
        """The channel of the bot's direct messages with somebody. Raises `DeliveryError` and its kin."""
        await self._logged_in.wait()
        with _bot_token(), discord_errors():
            return (await self._client.create_dm(discord.Object(user_id))).id

    async def follow_up(self, address: ReplyAddress, fields: Fields) -> int:
        """Send a message after the reply by the interaction's token, at most once; returns its id.

        Raises `ReplyClosed` where the token is dead. Discord takes no nonce here.
        """
        if not self.token_works(address, set(), self._clock.now()):
            raise ReplyClosed("the token is dead")
        session = cast("aiohttp.ClientSession", _OnceSession(self._session))
        with discord_errors():
            return (await self.webhook(address, session).send(ephemeral=address.ephemeral, wait=True, **fields)).id

    async def unarchive(self, address: ReplyAddress) -> bool:
        """Open the thread that a reply is in again; False where a moderator locked it. Raises `DeliveryError`."""
        if not address.open_to_bot:
            return False
        await self._logged_in.wait()
        try:
            with _bot_token(), discord_errors():
                await self._client.http.edit_channel(address.channel_id, archived=False)
        except (Refused, ReplyLost) as error:
            log.info("thread stays archived", extra={"action": "reply.frozen", "cause": str(error)})
            return False
        return True

    async def remove(self, address: ReplyAddress, message_id: int) -> None:
        """Delete a message of the bot's own. Raises `DeliveryError` and its kin."""
        await self._logged_in.wait()
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        with _bot_token(), discord_errors():
            await channel.get_partial_message(message_id).delete()

    async def fetch(self, channel_id: int, message_id: int, guild_id: int | None = None) -> discord.Message:
        """Read any message that the bot can see. Raises `DeliveryError` and its kin."""
        if not await event_or_timeout(self._logged_in, self._clock, LOGIN_WAIT):
            raise NotSent("not logged in yet")
        channel = self._client.get_partial_messageable(channel_id, guild_id=guild_id)
        with _bot_token(), discord_errors():
            return await channel.get_partial_message(message_id).fetch()

    async def find(
        self, address: ReplyAddress, *, after: int, which: Callable[[discord.Message], bool], beside: int | None
    ) -> int | None:
        """The bot's own message like that in the channel after another, or after a moment; None when there is none.

        `beside`: a message of the channel, to be read when nothing is found. Who may not read the history is told that
        nothing is there; only of a single message Discord says that it may not be read. Raises `Refused` or `NoAccess`
        where nothing can be told, other `DeliveryError`s when it cannot be told now.
        """
        listed = await self._after(address, after)
        for message in listed:
            if self._is_mine(message) and which(message):
                return message.id
        if len(listed) >= HISTORY:
            raise Refused("too much was said there since")
        if not listed and address.guild_id is not None:
            await self._check_readable(address, beside)
        return None

    async def _check_readable(self, address: ReplyAddress, message_id: int | None) -> None:
        """Raise `NoAccess` or `Refused` where the bot may not read the channel's history."""
        if message_id is None:
            raise Refused("nothing there is known to be readable")
        try:
            await self.fetch(address.channel_id, message_id, address.guild_id)
        except NoAccess:
            raise
        except ReplyLost:
            return  # whoever is told that a message is gone may read the others

    async def _after(self, address: ReplyAddress, after: int) -> list[discord.Message]:
        await self._logged_in.wait()
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        with _bot_token(), discord_errors():
            return [message async for message in channel.history(limit=HISTORY, after=discord.Object(after))]

    def _is_mine(self, message: discord.Message) -> bool:
        return self._client.user is not None and message.author.id == self._client.user.id

    def webhook(self, address: ReplyAddress, session: aiohttp.ClientSession | None = None) -> discord.Webhook:
        """The interaction's own webhook: it needs no bot token and stands outside the global limit."""
        webhook = discord.Webhook.partial(
            address.application_id,
            address.token.get_secret_value(),
            session=session or self._session,
            client=self._client,
        )
        webhook.type = discord.WebhookType.application  # the library sends private messages by no other kind
        return webhook

    async def original(self, address: ReplyAddress) -> discord.WebhookMessage:
        """The message that answered the interaction, whatever its id."""
        with discord_errors():
            return await self.webhook(address).fetch_message(_ORIGINAL)

    def _pacer(self, channel_id: int) -> Pacer:
        if len(self._pacers) > MAX_PACERS:
            self._pacers.clear()
        return self._pacers.setdefault(channel_id, Pacer(self._clock, [(CHANNEL_EDITS, CHANNEL_SECONDS)]))
