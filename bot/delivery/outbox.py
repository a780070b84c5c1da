"""Messages beside the reply, each sent at most once: further files and parts, notices, and replies that had to move.

An edit may be repeated, a new message may not. So each is written into the job's row before it leaves, and its id once
Discord has told it. Whoever finds one there without an id (an answer got lost, or the process died) does not know
whether it arrived, and finds out:

- It is looked for in the channel: a message of ours with the same words and the same files. If it is not there, it
  never was, and is sent. For one that was on its way just then there is its nonce: Discord answers one that it has seen
  in the last few minutes with the message it made then.
- Where the channel can't be read, only the nonce tells, and only for two minutes. Where the message went by an
  interaction's token nothing does: Discord takes no nonce there, and to the bot's own token it lists neither private
  messages nor those of a channel that is closed to it. Then it is *not* sent again: a message less is the lesser evil
  where all that it brings can be had by `/jobs show`, and the reply says so.

A channel that is closed to the bot may still be open to an interaction's token while that lives: what is refused there
goes by the token, as a message of its own.

What Discord's answer proves not to have arrived is forgotten here, so that it may be tried again at any time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import discord

from bot.clock import Clock
from bot.delivery.book import Book
from bot.delivery.reply import stem
from bot.delivery.routes import Fields, Routes, renewed
from bot.delivery.translate import Frozen, NoAccess, NotSent, Refused, TooLarge
from bot.domain.jobs import Job, JobId
from bot.domain.outgoing import Outgoing
from bot.domain.replies import ReplyAddress
from bot.errors import DeliveryError, ReplyClosed, ReplyLost

#: How long a repeated nonce surely finds its message again (Discord: "a few minutes").
NONCE_LIFE = timedelta(minutes=2)
#: Ends the name of a message that went by an interaction's token because its channel is closed to the bot.
BY_TOKEN = "@"  # noqa: S105 - no password
#: Discord's clock and ours may differ by so much.
SKEW = timedelta(minutes=1)

_NOT_SENT = (NotSent, Refused, TooLarge, ReplyLost, ReplyClosed)


class Unsure(DeliveryError):
    """Nothing tells whether the message arrived; it is not sent again."""


class Outbox:
    """Sends messages beside replies; see the module's text."""

    def __init__(self, routes: Routes, book: Book, clock: Clock) -> None:
        self._routes = routes
        self._book = book
        self._clock = clock

    async def sent(self, job_id: JobId) -> Sequence[Outgoing]:
        """What was sent for the job, or was about to be."""
        return await self._book.outbox(job_id)

    async def post(
        self,
        job: Job,
        part: str,
        place: ReplyAddress,
        fields: Fields,
        *,
        refers_to: int | None = None,
        then: Callable[[int], Awaitable[None]] | None = None,
    ) -> int:
        """Send one message unless it is there already; returns its id.

        `then` is done with the id before that is written down, so that it is done again after a crash.
        Raises `Unsure`, `DeliveryError` and its kin (all but those that prove that it was not sent mean: try again),
        and `StaleJob` or `JobGone` when the row is not ours.
        """
        by_token = f"{part.removesuffix(BY_TOKEN)}{BY_TOKEN}"
        elsewhere = replace(place, by_channel=False)
        if by_token in {one.part for one in await self.sent(job.id)}:
            return await self._post(job, by_token, elsewhere, fields, refers_to, then)
        try:
            return await self._post(job, part, place, fields, refers_to, then)
        except (NoAccess, Refused) as error:
            if isinstance(error, Frozen) or not self._has_token(place, job):
                raise
            try:
                return await self._post(job, by_token, elsewhere, renewed(fields), refers_to, then)
            except ReplyClosed:
                raise error from None

    async def _post(
        self,
        job: Job,
        part: str,
        place: ReplyAddress,
        fields: Fields,
        refers_to: int | None,
        then: Callable[[int], Awaitable[None]] | None,
    ) -> int:
        message = next((one for one in await self.sent(job.id) if one.part == part), None)
        if message is not None and message.message_id is not None:
            return message.message_id
        found = await self._find(message, job, place, fields) if message is not None else None
        if message is None or (found is None and not self._nonce_lives(message)):
            message = await self._begin(job, part, place, fields)
        message_id = found if found is not None else await self._send(message, job, place, fields, refers_to)
        if then is not None:
            await then(message_id)
        await self._book.outgoing(job.id, replace(message, message_id=message_id))
        return message_id

    async def _begin(self, job: Job, part: str, place: ReplyAddress, fields: Fields) -> Outgoing:
        files = tuple(stem(file.filename) for file in fields.get("files", ()))
        begun_at = self._clock.now()
        message = Outgoing(part=part, channel_id=place.channel_id, begun_at=begun_at, files=files)
        await self._book.outgoing(job.id, message)
        return message

    async def _send(
        self, message: Outgoing, job: Job, place: ReplyAddress, fields: Fields, refers_to: int | None
    ) -> int:
        try:
            if not place.open_to_bot:
                return await self._routes.follow_up(place, fields)
            nonce = f"{job.id}-{message.part}"
            return (await self._routes.send(place, nonce=nonce, refers_to=refers_to, fields=fields)).id
        except _NOT_SENT:
            await self._book.not_sent(job.id, message.part)
            raise

    async def _find(self, message: Outgoing, job: Job, place: ReplyAddress, fields: Fields) -> int | None:
        """The id of a message that may have arrived; None when it did not, or when its nonce tells. Raises `Unsure`."""
        words = (fields.get("content") or "").strip()  # Discord trims them too

        def is_it(found: discord.Message) -> bool:
            return found.content.strip() == words and {stem(one.filename) for one in found.attachments} == {
                *message.files
            }

        if not place.open_to_bot:
            raise Unsure("what went by an interaction's token is not listed")
        beside = job.reply.message_id if place.channel_id == job.reply.channel_id else None
        after = discord.utils.time_snowflake(message.begun_at - SKEW)
        try:
            return await self._routes.find(place, after=after, which=is_it, beside=beside)
        except (NoAccess, Refused) as error:
            if self._nonce_lives(message):
                return None
            raise Unsure(f"the channel can't be read: {error}") from error

    def _has_token(self, place: ReplyAddress, job: Job) -> bool:
        """Whether an interaction's token opens this very place as well."""
        here = place.open_to_bot and place.channel_id == job.reply.channel_id
        return here and self._routes.token_works(place, set(), self._clock.now())

    def _nonce_lives(self, message: Outgoing) -> bool:
        """Whether its nonce, sent once more, surely finds it again where it arrived."""
        return self._clock.now() - message.begun_at < NONCE_LIFE
