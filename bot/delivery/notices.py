"""Telling people by a new message that something came late: edits never notify, and a deleted reply shows nothing.

Only who chose it is told (`/jobs notify`), once for each job, and nobody else is mentioned. Each such message goes
through the job's outbox: it is tried again as long as that can't make two of it, and let go otherwise, for a mention
too few does less harm than one too many, and the end is where it is.

An end whose reply is lost gets a direct message to be shown in where its asker chose to be told. Only where people
asked for `ping` and the message was deleted is it a mention: whoever deletes a message in a channel does not want to
see it there again, so what it would have shown stays in `/jobs show`. A reply that is there, but in a thread that was
archived, is answered by a new message in that thread, to whoever chose what.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import discord

from bot.clock import Clock
from bot.delivery.outbox import Outbox, Unsure
from bot.delivery.routes import Fields, Routes
from bot.delivery.translate import Refused
from bot.domain.jobs import Job
from bot.domain.preferences import Notify
from bot.domain.replies import LONG_AGO, NO_TOKEN, ReplyAddress
from bot.domain.results import Outcome
from bot.errors import ReplyClosed, ReplyLost
from bot.services.preferences import Preferences

log = logging.getLogger(__name__)

#: Who waits for longer than this has looked away.
LATE = timedelta(minutes=5)
#: Why a reply is gone when its asker wanted that: nothing is to come in its place.
UNWANTED = frozenset({"deleted by request", "never collected", "never acknowledged"})
#: Why it is gone when somebody deleted it, and only it.
DELETED = "message deleted"
#: Largest file that everybody may receive in a direct message, in bytes.
_DIRECT_LIMIT = 10 * 1024 * 1024
#: The parts of a job's outbox that are sent from here.
NOTICE, MOVED = "n", "m"

#: What says that a message can't be sent there, or is not sent again; everything else may pass.
_FINAL = (Refused, ReplyLost, ReplyClosed, Unsure)


class Notices:
    """Messages beside the reply, for those who chose them."""

    def __init__(self, routes: Routes, outbox: Outbox, preferences: Preferences, clock: Clock) -> None:
        self._routes = routes
        self._outbox = outbox
        self._preferences = preferences
        self._clock = clock

    async def tell(self, job: Job, *, collect: bool = False) -> bool:
        """Tell the asker of an end that is shown late; True when that is settled, one way or the other.

        `collect`: the end could not be shown. Raises `DeliveryError` when it is to be tried again.
        """
        if not self._is_late(job):
            return False
        notify = await self._preferences.notify_of(job.asker_id)
        if notify is Notify.OFF:
            return False
        await self._notice(job, notify, f"Your answer {_where(job, collect=collect)}: {_link(job.reply)}")
        return True

    async def new_reply(self, job: Job, why: str) -> ReplyAddress | None:
        """Make a message in which the end of a job whose reply is lost can be shown; None where there is to be none.

        Raises `DeliveryError` when it is to be tried again.
        """
        if why in UNWANTED or job.notified_at is not None:
            return None
        notify = await self._preferences.notify_of(job.asker_id)
        if notify is Notify.OFF:
            return None
        if notify is Notify.PING and why == DELETED and job.reply.guild_id is not None and not job.reply.ephemeral:
            words = f"Your answer is there, but the message for it was deleted. `/jobs show {job.id}` has it."
            await self._notice(job, notify, words)
            return None
        words = f"<@{job.asker_id}> The message I answered you in is gone. Here is your answer."
        return await self._moved(job, words, direct=True)

    async def beside(self, job: Job) -> ReplyAddress | None:
        """Make a message that answers a reply which can't be changed any more; None where that can't be.

        Raises `DeliveryError` when it is to be tried again.
        """
        if not job.reply.open_to_bot:
            return None
        return await self._moved(job, "I can't change the message above any more. Here is the answer.", direct=False)

    async def _notice(self, job: Job, notify: Notify, words: str) -> None:
        try:
            beside = notify is Notify.PING or job.reply.guild_id is None
            place = job.reply if beside and job.reply.open_to_bot else await self._direct(job)
            refers_to = job.reply.message_id if place is job.reply else None
            fields = _to(job, f"<@{job.asker_id}> {words}")
            await self._outbox.post(job, NOTICE, place, fields, refers_to=refers_to)
        except _FINAL as error:
            log.info("could not tell", extra={"action": "notice.failed", "job_id": job.id, "cause": str(error)})

    async def _moved(self, job: Job, words: str, *, direct: bool) -> ReplyAddress | None:
        """Send the message that is to be the reply; None where that can't be, or was done once already."""
        try:
            place = await self._direct(job) if direct else job.reply
            refers_to = None if direct else job.reply.message_id
            sent = await self._outbox.post(job, MOVED, place, _to(job, words), refers_to=refers_to)
        except _FINAL as error:
            log.info("not moved", extra={"action": "notice.failed", "job_id": job.id, "cause": str(error)})
            return None
        if sent == job.reply.message_id:
            return None
        return replace(place, message_id=sent, token=NO_TOKEN, token_until=LONG_AGO, ephemeral=False, detached="")

    async def _direct(self, job: Job) -> ReplyAddress:
        channel_id = await self._routes.direct_channel(job.asker_id)
        direct = replace(job.reply, channel_id=channel_id, guild_id=None, by_channel=True, ephemeral=False)
        return replace(direct, size_limit=_DIRECT_LIMIT)

    def _is_late(self, job: Job) -> bool:
        """Whether it is shown so late that its asker may have looked away, and was not told yet."""
        if job.notified_at is not None or job.result is None or job.result.outcome is Outcome.CANCELLED:
            return False
        return self._clock.now() - (job.accepted_at or job.created_at) > LATE


def _to(job: Job, words: str) -> Fields:
    """A message that may mention the asker and nobody else."""
    only_them = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(job.asker_id)])
    return {"content": words, "allowed_mentions": only_them}


def _where(job: Job, *, collect: bool) -> str:
    if not collect:
        return "is here"
    if job.reply.open_to_bot:
        return f"is there, but Discord doesn't let me show it in its place; `/jobs show {job.id}` has it"
    return f"waits for you: press **Collect** under it, or use `/jobs show {job.id}`"


def _link(reply: ReplyAddress) -> str:
    return f"https://discord.com/channels/{reply.guild_id or '@me'}/{reply.channel_id}/{reply.message_id}"
