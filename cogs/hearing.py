"""Messages that talk to the bot: replies to its answers, direct messages, and what is said in a thread of `/chat`.

Discord shows us the words of a message that mentions us, and of direct messages. Plain words in a thread are only seen
with the privileged message-content intent, and only answered where the operator turned that on. What somebody writes
there in several messages, one right after the other, is answered once.
"""

from __future__ import annotations

import re
from datetime import timedelta

import discord

from bot.clock import Clock
from bot.domain.sources import SourceMedia
from bot.domain.turns import Chat, KeptTurn
from bot.errors import JobGone
from bot.services.asking import AskWish
from bot.services.bursts import Bursts
from bot.services.captioning import MAX_PICTURES
from bot.services.conversations import Conversations
from bot.services.talking import Talking
from bot.services.words import Asked
from cogs.pictures import pictures_of
from cogs.speakers import Speakers

FORGOTTEN = (
    "I no longer remember that conversation: it was deleted, or is older than I keep them. "
    "Mention me with your whole question, or use `/ask`, and we start anew."
)
#: Buttons that only answers have.
_OF_AN_ANSWER = re.compile("job:(?:reask|reply|continue):")
#: A message of ours may be this old before it is surely noted whose answer it is.
FRESH = timedelta(seconds=2)


class Hearing:
    """Answers messages that go on with a conversation, or begin one."""

    def __init__(
        self,
        *,
        talking: Talking,
        conversations: Conversations,
        speakers: Speakers,
        client: discord.Client,
        clock: Clock,
        free_threads: bool,
    ) -> None:
        """`free_threads`: plain words in threads of `/chat` are answered too."""
        self._talking = talking
        self._conversations = conversations
        self._speakers = speakers
        self._client = client
        self._clock = clock
        self._free_threads = free_threads
        self._bursts: Bursts[discord.Message] = Bursts(clock)

    async def heard(self, message: discord.Message, asked: Asked) -> bool:
        """Answer the message if it talks to the bot; False where it is none of a conversation's business.

        `asked` is what it wants done with a picture: such words on a picture always mean that. Raises `JobGone` when it
        answers something that the bot said and no longer remembers.
        """
        pinged = self._pinged(message)
        direct = message.guild is None
        text = self._words(message)
        pictures = tuple(pictures_of(message, me=None))[:MAX_PICTURES]
        if not text or (asked.clear and pictures):
            return False
        replied = message.reference.message_id if message.reference is not None else None
        if replied is not None and (pinged or direct):
            turn = await self._turn_of(message, replied)
            if turn is not None:
                speaker = self._speakers.of_message(message, application_id=self._client.application_id or 0)
                await self._talking.follow(turn, text, speaker, pictures=pictures)
                return True
            if asked.clear:
                return False  # what it wants done is meant for the picture it replies to
        chat = await self._open_thread(message) if not direct else await self._conversations.chat(message.channel.id)
        if direct or (chat is not None and (pinged or self._free_threads)):
            return await self._goes_on(message, chat, wishes=asked.clear)
        if replied is not None and pinged and self._was_answer(message):
            raise JobGone(f"no turn is shown in {replied}", user_message=FORGOTTEN)
        begins = bool(asked.unknown) and not pictures and self._named(message) and replied is None
        if begins:
            await self._begin(message, text, pictures, chat)
        return begins

    async def _turn_of(self, message: discord.Message, replied: int) -> KeptTurn | None:
        """The turn that the message replies to; what shows it may just have been sent, and not be noted yet."""
        turn = await self._conversations.of_message(replied)
        shown = self._own_replied_to(message)
        if (
            turn is None
            and shown is not None
            and shown.reference is not None
            and shown.reference.message_id is not None
        ):
            # A further part of an answer refers to the first, which is noted before any other is sent.
            turn = await self._conversations.of_message(shown.reference.message_id)
        age = self._clock.now() - discord.utils.snowflake_time(replied)
        if turn is None and abs(age) < FRESH:
            await self._clock.sleep(FRESH.total_seconds() / 2)
            turn = await self._conversations.of_message(replied)
        return turn

    async def _goes_on(self, message: discord.Message, chat: Chat | None, *, wishes: bool) -> bool:
        """Go on from what was said last here, or begin anew; what follows right behind is answered along with it."""
        channel_id = message.channel.id
        if wishes and await self._conversations.newest(channel_id) is None:
            return False  # a wish about a picture that is not there: whoever sees to those says so
        burst = await self._bursts.gathered((channel_id, message.author.id), message)
        if burst is None:
            return True
        text = "\n".join(map(self._words, burst))
        pictures = tuple(picture for one in burst for picture in pictures_of(one, me=None))[:MAX_PICTURES]
        newest = await self._conversations.newest(channel_id)
        if newest is None:
            await self._begin(burst[-1], text, pictures, chat)
        else:
            speaker = self._speakers.of_message(burst[-1], application_id=self._client.application_id or 0)
            await self._talking.follow(newest, text, speaker, pictures=pictures)
        return True

    async def _begin(
        self, message: discord.Message, text: str, pictures: tuple[SourceMedia, ...], chat: Chat | None
    ) -> None:
        speaker = self._speakers.of_message(message, application_id=self._client.application_id or 0)
        model, persona = (chat.model, chat.persona) if chat is not None else ("", "")
        wish = AskWish(model=model, persona=persona, nsfw=speaker.nsfw)
        await self._talking.ask(text, wish, speaker, pictures=pictures)

    async def _open_thread(self, message: discord.Message) -> Chat | None:
        """The `/chat` of this thread, as long as it goes on."""
        if not isinstance(message.channel, discord.Thread):
            return None
        chat = await self._conversations.chat(message.channel.id)
        return chat if chat is not None and chat.open else None

    def _own_replied_to(self, message: discord.Message) -> discord.Message | None:
        """The message of the bot's own that this one replies to, if Discord sent it along."""
        shown, me = message.reference.resolved if message.reference is not None else None, self._client.user
        return shown if isinstance(shown, discord.Message) and me is not None and shown.author.id == me.id else None

    def _was_answer(self, message: discord.Message) -> bool:
        """Whether the message replies to an answer of the bot's, to be known by its buttons."""
        shown = self._own_replied_to(message)
        rows = (row.children for row in shown.components if isinstance(row, discord.ActionRow)) if shown else ()
        return any(_OF_AN_ANSWER.match(getattr(one, "custom_id", None) or "") for row in rows for one in row)

    def _pinged(self, message: discord.Message) -> bool:
        me = self._client.user
        return me is not None and (me.id in message.raw_mentions or any(user.id == me.id for user in message.mentions))

    def _named(self, message: discord.Message) -> bool:
        """Whether the mention stands in the words: a reply pings without a word."""
        me = self._client.user
        return me is not None and me.id in message.raw_mentions

    def _words(self, message: discord.Message) -> str:
        """What was said, without the mention of the bot."""
        me = self._client.user.id if self._client.user is not None else 0
        return " ".join(re.split(rf"[^\S\n]*<@!?{me}>[^\S\n]*", message.content)).strip()
