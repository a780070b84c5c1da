"""The roads to a reply: the interaction's token while it lives, the bot's own token by channel afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, cast

import aiohttp
import discord

from bot.clock import Clock
from bot.delivery.translate import discord_errors
from bot.domain.jobs import ReplyAddress
from bot.errors import DeliveryError, ReplyClosed
from bot.pacing import Pacer

#: Edits with the bot's token for one channel: all its jobs share Discord's bucket.
CHANNEL_EDITS, CHANNEL_SECONDS = 4, 5.0
#: Pacers are kept for this many channels at most.
MAX_PACERS = 2000

Fields = dict[str, Any]


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


@contextmanager
def _bot_token() -> Iterator[None]:
    """A refused bot token is the operator's to mend: no other road opens by it, so it is tried again, slowly."""
    try:
        yield
    except ReplyClosed as error:
        raise DeliveryError(f"the bot's token is refused: {error}") from error


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
        if address.ephemeral or not address.by_channel:
            return None
        await self._logged_in.wait()
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        return _ChannelRoute(channel.get_partial_message(address.message_id), self._pacer(address.channel_id))

    async def send(
        self, address: ReplyAddress, *, nonce: str, refers_to: int | None, fields: Fields
    ) -> discord.Message:
        """Write a message into the reply's channel with the bot's own token.

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
        with _bot_token(), discord_errors():
            return await channel.send(nonce=nonce, **fields)

    def _may_refer(self, channel_id: int) -> bool:
        """Whether a message there may refer to another: Discord takes that from those who may read the history only."""
        channel = self._client.get_channel(channel_id)
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return True
        granted = channel.permissions_for(channel.guild.me)
        return granted.administrator or granted.read_message_history

    async def direct_channel(self, user_id: int) -> int:
        """The channel of the bot's direct messages with somebody. Raises `DeliveryError` and its kin."""
        await self._logged_in.wait()
        with _bot_token(), discord_errors():
            return (await self._client.create_dm(discord.Object(user_id))).id

    async def follow_up(self, address: ReplyAddress, files: list[discord.File], *, nonce: str) -> None:
        """Send files in a message of their own after the reply. Raises `ReplyClosed` where only a dead token leads."""
        fields: Fields = {"files": files, "allowed_mentions": discord.AllowedMentions.none()}
        if address.by_channel and not address.ephemeral:
            await self.send(address, nonce=nonce, refers_to=address.message_id, fields=fields)
        elif self.token_works(address, set(), self._clock.now()):
            with discord_errors():
                await self.webhook(address).send(ephemeral=address.ephemeral, wait=True, **fields)
        else:
            raise ReplyClosed("the token died before the second message")

    async def remove(self, address: ReplyAddress, message_id: int) -> None:
        """Delete a message of the bot's own. Raises `DeliveryError` and its kin."""
        await self._logged_in.wait()
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        with _bot_token(), discord_errors():
            await channel.get_partial_message(message_id).delete()

    async def fetch(self, channel_id: int, message_id: int, guild_id: int | None = None) -> discord.Message:
        """Read any message that the bot can see. Raises `DeliveryError` and its kin."""
        await self._logged_in.wait()
        channel = self._client.get_partial_messageable(channel_id, guild_id=guild_id)
        with _bot_token(), discord_errors():
            return await channel.get_partial_message(message_id).fetch()

    async def answers_to(self, address: ReplyAddress, message_id: int) -> int | None:
        """The bot's own message that refers to that one, among the next fifty in its channel."""
        await self._logged_in.wait()
        me = self._client.user.id if self._client.user else None
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        with _bot_token(), discord_errors():
            async for message in channel.history(limit=50, after=discord.Object(message_id)):
                reference = message.reference
                if message.author.id == me and reference is not None and reference.message_id == message_id:
                    return message.id
        return None

    def webhook(self, address: ReplyAddress) -> discord.Webhook:
        """The interaction's own webhook: it needs no bot token and stands outside the global limit."""
        webhook = discord.Webhook.partial(
            address.application_id, address.token.get_secret_value(), session=self._session, client=self._client
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
