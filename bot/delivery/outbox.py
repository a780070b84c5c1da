"""Messages beside the reply, each sent at most once: further files and parts, notices, and replies that had to move.

An edit may be repeated, a new message may not. So each is written into the job's row before it leaves, and its id once
Discord has told it. Whoever finds one there without an id (an answer got lost, or the process died) does not know
whether it arrived, and finds out in this order:

- Within two minutes it is sent again. Its nonce is the job's, and Discord answers a nonce that it has seen in the last
  few minutes with the message it made then.
- Later, it is looked for in the channel: a message of ours with the same words and the same files. If it is not there,
  it never was, and is sent.
- Where the channel can't be read, or the message went by an interaction's token (Discord takes no nonce there, and
  lists no such messages), nothing tells. Then it is *not* sent again: a message less is the lesser evil where all that
  it brings can be had by `/jobs show`, and the reply says so.

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
from bot.delivery.routes import Fields, Routes
from bot.delivery.translate import NoAccess, NotSent, Refused, TooLarge
from bot.domain.jobs import Job, JobId
from bot.domain.outgoing import Outgoing
from bot.domain.replies import ReplyAddress
from bot.errors import DeliveryError, ReplyClosed, ReplyLost

#: How long a repeated nonce surely finds its message again (Discord: "a few minutes").
NONCE_LIFE = timedelta(minutes=2)
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
        message = next((one for one in await self.sent(job.id) if one.part == part), None)
        if message is not None and message.message_id is not None:
            return message.message_id
        found = None
        if message is None:
            message = await self._begin(job, part, place, fields)
        elif not place.open_to_bot or self._clock.now() - message.begun_at >= NONCE_LIFE:
            found = await self._find(message, job, place, fields)
            message = message if found is not None else await self._begin(job, part, place, fields)
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
        """The id of a message that may have arrived; None when it surely did not."""
        words = (fields.get("content") or "").strip()  # Discord trims them too

        def is_it(found: discord.Message) -> bool:
            return found.content.strip() == words and {stem(one.filename) for one in found.attachments} == {
                *message.files
            }

        if not place.open_to_bot:
            raise Unsure("Discord lists no messages sent by an interaction's token")
        beside = job.reply.message_id if place.channel_id == job.reply.channel_id else None
        try:
            return await self._routes.find(place, since=message.begun_at - SKEW, which=is_it, beside=beside)
        except (NoAccess, Refused) as error:
            raise Unsure(f"the channel can't be read: {error}") from error
