"""`@Muster caption`: a reply to a picture that mentions the bot. There is no interaction, so nothing can be private."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import discord
from discord.ext import commands

from bot.clock import Clock
from bot.delivery import Delivery, MessageOpener
from bot.delivery.routes import Routes
from bot.domain.engines import EngineRequest
from bot.domain.kinds import Request
from bot.domain.sources import SourceMedia
from bot.errors import BotError, DeliveryError, UserError
from bot.render import render_error
from bot.services.jobs import JobService
from bot.services.ports import KnowsAlchemists
from bot.services.words import Asked, parse
from bot.ui.alchemy_picker import OpenButton, WhichSelect, embeds_of, view_of
from bot.ui.embeds import to_embed
from cogs.alchemy import UNKNOWN_WORDS
from cogs.context import address_of_message
from cogs.hearing import Hearing
from cogs.picture_work import PROVIDER, request_for, unknown_words
from cogs.pictures import is_blank, pictures_of

log = logging.getLogger(__name__)

HOW = (
    "Reply to a picture, mention me, and say what to do: `caption`, `tags`, `describe`, `palette`, `score`, `nsfw`, "
    "`svg`, `cutout`, `faces`, or `upscale` (with `anime`, `photo`, `2x`, `4x`)."
)
BLANK = (
    "Discord doesn't show me what is in other people's messages: open that message's menu, **Apps**, **Alchemy…**, "
    "or use `/alchemy` with the picture."
)
DELETED = "The message you replied to is gone. Send the picture again, or use `/alchemy`."
NO_PICTURE = f"I see no picture there. {HOW}"
MY_ROLE = "That was my role; please mention me, the bot itself. {how}"
#: A message of nothing but the mention, or with words that mean no form.
_NO_WORDS = Asked(forms=())


class AsksEngines(Protocol):
    """Engines of another service that work on pictures."""

    #: The name of the provider that does it.
    provider: str

    def request(self, engine: str, source: SourceMedia) -> EngineRequest:
        """What asks one to work on a picture. Raises `InvalidRequest`."""
        ...


class Mentions(commands.Cog):
    """Listens for messages that mention the bot; everything else is left alone."""

    def __init__(
        self,
        jobs: JobService,
        delivery: Delivery,
        routes: Routes,
        alchemists: KnowsAlchemists,
        clock: Clock,
        client: discord.Client,
        hearing: Hearing,
        engines: AsksEngines | None = None,
    ) -> None:
        """Take the parts; `engines` understand `osais:rembg` and the like, where there are any."""
        self._engines = engines
        self._jobs = jobs
        self._delivery = delivery
        self._routes = routes
        self._alchemists = alchemists
        self._clock = clock
        self._client = client
        self._hearing = hearing

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that mentions the bot; what goes wrong is told in the channel."""
        if message.author.bot or message.webhook_id is not None or message.is_system():
            return
        try:
            await self._heard(message)
        except UserError as error:
            await self._tell(message, error)
        except BotError as error:
            log.warning("a mention failed", extra={"action": "mention.failed", "cause": str(error)})
            await self._tell(message, error)
        except Exception:
            log.exception("unexpected error at a mention", extra={"action": "mention.unexpected"})
            await self._tell(message, BotError())

    async def _heard(self, message: discord.Message) -> None:
        if self._may_answer(message) and await self._hearing.heard(message, parse(message.content)):
            return
        asked = self._asked(message)
        if asked is None:
            if self._means_my_role(message):
                await self._say(message, MY_ROLE.format(how=HOW))
            return
        if not self._may_answer(message):
            return
        pictures, problem = await self._pictures(message)
        if not pictures:
            await self._say(message, problem)
        elif not asked.forms and not (asked.engine and self._engines):
            await self._offer(message, pictures, unknown=bool(asked.unknown or asked.engine))
        elif len(pictures) > 1:
            await self._ask_which(message, pictures, asked)
        else:
            await self._start(message, pictures[0], asked)

    def _me(self) -> int | None:
        return self._client.user.id if self._client.user is not None else None

    def _asked(self, message: discord.Message) -> Asked | None:
        """What is asked of the bot; None when it is not asked at all.

        A reply pings its author without a word, and people answer the bot's pictures among themselves: such a message
        counts only when it consists of nothing but wishes. So does any in direct messages, where for a picture without
        a word everything is offered.
        """
        me = self._me()
        if me is None:
            return None
        if me in message.raw_mentions:
            return parse(message.content)
        if message.guild is None and not message.content and pictures_of(message, me=me):
            return _NO_WORDS
        pinged = any(user.id == me for user in message.mentions) or message.guild is None
        asked = parse(message.content) if pinged and message.content else _NO_WORDS
        return asked if asked.clear else None

    def _means_my_role(self, message: discord.Message) -> bool:
        me = self._me()
        mine = [role for role in message.role_mentions if role.tags is not None and role.tags.bot_id == me]
        return me is not None and bool(mine) and self._may_answer(message)

    @staticmethod
    def _may_answer(message: discord.Message) -> bool:
        """Whether the bot may write, embed and attach where it was asked; it stays silent elsewhere."""
        me = message.guild.me if message.guild is not None else None
        if me is None or isinstance(message.channel, discord.abc.PrivateChannel):
            return True
        granted = message.channel.permissions_for(me)
        is_thread = isinstance(message.channel, discord.Thread)
        sending = granted.send_messages_in_threads if is_thread else granted.send_messages
        return granted.administrator or (granted.view_channel and sending and granted.embed_links)

    # -- which pictures -------------------------------------------------------------------------------------------

    async def _pictures(self, message: discord.Message) -> tuple[Sequence[SourceMedia], str]:
        """The pictures meant, or a sentence about why there are none: the message's own come first."""
        me = self._me()
        own = pictures_of(message, me=me)
        if own or message.reference is None or message.reference.message_id is None:
            return own, NO_PICTURE
        target = message.reference.resolved
        if target is None:
            target = await self._fetched(message)
        if not isinstance(target, discord.Message):
            return (), DELETED
        found = pictures_of(target, me=me)
        return found, BLANK if is_blank(target, me=me) else NO_PICTURE

    async def _fetched(self, message: discord.Message) -> discord.Message | None:
        reference = message.reference
        if reference is None or reference.message_id is None:
            return None
        try:
            return await self._routes.fetch(reference.channel_id, reference.message_id, reference.guild_id)
        except DeliveryError:
            return None

    # -- answers --------------------------------------------------------------------------------------------------

    async def _start(self, message: discord.Message, source: SourceMedia, asked: Asked) -> None:
        request: Request
        if asked.engine and self._engines is not None:
            request, provider = self._engines.request(asked.engine, source), self._engines.provider
        else:
            request, provider = request_for(source, asked.forms, self._alchemists, asked.unknown), PROVIDER
        await self._jobs.submit(
            request,
            asker_id=message.author.id,
            address=address_of_message(message, self._client.application_id or 0),
            reply=MessageOpener(self._routes, self._delivery, self._clock),
            provider=provider,
        )

    async def _offer(self, message: discord.Message, pictures: Sequence[SourceMedia], *, unknown: bool) -> None:
        if len(pictures) > 1:
            await self._ask_which(message, pictures, _NO_WORDS, note=UNKNOWN_WORDS if unknown else "")
            return
        embeds = embeds_of(pictures, lead="What shall I do with it?", note=UNKNOWN_WORDS if unknown else "")
        await self._send(message, embeds=embeds, view=view_of(OpenButton(message.author.id)))

    async def _ask_which(
        self, message: discord.Message, pictures: Sequence[SourceMedia], asked: Asked, *, note: str = ""
    ) -> None:
        select = WhichSelect(message.author.id, asked.forms, pictures)
        note = note or (unknown_words(asked.unknown) if asked.unknown else "")
        await self._send(message, embeds=embeds_of(pictures, lead="Which picture?", note=note), view=view_of(select))

    async def _tell(self, message: discord.Message, error: BotError) -> None:
        await self._say(message, error.user_message)

    async def _say(self, message: discord.Message, sentence: str) -> None:
        embed = to_embed(render_error(UserError(user_message=sentence)).embed)
        embed.colour = None
        await self._send(message, embeds=[embed])

    async def _send(self, message: discord.Message, **fields: Any) -> None:
        """Answer with a message; where that is not possible there is nobody to tell."""
        fields["allowed_mentions"] = discord.AllowedMentions.none()
        # Discord hands an event on again after a reconnection: the same nonce makes no second answer.
        nonce = f"said-{message.id}"
        address = address_of_message(message, self._client.application_id or 0)
        try:
            await self._routes.send(address, nonce=nonce, refers_to=message.id, fields=fields)
        except DeliveryError as error:
            log.info("could not answer a mention", extra={"action": "mention.unanswered", "cause": str(error)})
