"""Telling people by a new message that something came late: edits never notify, and a deleted reply shows nothing.

Only who chose it is told (`/jobs notify`), once for each job, and nobody else is mentioned. The messages' nonces are
made of the job's id, so that sending one again after a crash makes no second one.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import discord

from bot.delivery.routes import Routes
from bot.domain.jobs import LONG_AGO, NO_TOKEN, Job, ReplyAddress
from bot.domain.preferences import Notify
from bot.domain.results import Outcome
from bot.errors import DeliveryError
from bot.services.preferences import Preferences

log = logging.getLogger(__name__)

#: Who waits for longer than this has looked away.
LATE = timedelta(minutes=5)
#: Why a reply is gone when its asker wanted that: nothing is to come in its place.
UNWANTED = frozenset({"deleted by request", "never collected", "never acknowledged"})
#: Largest file that everybody may receive in a direct message, in bytes.
_DIRECT_LIMIT = 10 * 1024 * 1024


class Notices:
    """Messages beside the reply, for those who chose them."""

    def __init__(self, routes: Routes, preferences: Preferences) -> None:
        self._routes = routes
        self._preferences = preferences

    async def tell(self, job: Job, *, collect: bool = False) -> bool:
        """Tell the asker of a late end; True when they were told now. `collect`: it waits for a press.

        Best effort: whatever Discord refuses or cannot take now is left at that, for the end itself is where it is.
        """
        if not _is_late(job):
            return False
        notify = await self._preferences.notify_of(job.asker_id)
        if notify is Notify.OFF:
            return False
        told = "waits for you: press **Collect** under it" if collect else "is here"
        words = f"<@{job.asker_id}> Your answer {told}: {_link(job.reply)}"
        try:
            place = await self._place(job, notify)
            await self._send(job, place, words, refers_to=job.reply.message_id if place is job.reply else None)
        except DeliveryError as error:
            log.info("could not tell", extra={"action": "notice.failed", "job_id": job.id, "cause": str(error)})
        return True

    async def new_reply(self, job: Job, why: str) -> ReplyAddress | None:
        """Make a message in which the end of a job whose reply is lost can be shown; None where that is not wanted."""
        if why in UNWANTED or job.notified_at is not None:
            return None
        notify = await self._preferences.notify_of(job.asker_id)
        if notify is Notify.OFF:
            return None
        words = f"<@{job.asker_id}> The message I answered you in is gone. Here is your answer."
        try:
            return await self._moved_to(job, await self._place(job, notify), words)
        except DeliveryError as error:
            log.info("not moved there", extra={"action": "notice.failed", "job_id": job.id, "cause": str(error)})
        try:
            return await self._moved_to(job, await self._direct(job), words)
        except DeliveryError as error:
            log.info("not moved", extra={"action": "notice.failed", "job_id": job.id, "cause": str(error)})
            return None

    async def _moved_to(self, job: Job, place: ReplyAddress, words: str) -> ReplyAddress:
        sent = await self._send(job, place, words, refers_to=None)
        return replace(place, message_id=sent.id, token=NO_TOKEN, token_until=LONG_AGO, ephemeral=False, detached="")

    async def _place(self, job: Job, notify: Notify) -> ReplyAddress:
        """Where to write: beside the reply, unless that is private, or not the bot's to write in."""
        beside = notify is Notify.PING or job.reply.guild_id is None
        if beside and job.reply.by_channel and not job.reply.ephemeral:
            return job.reply
        return await self._direct(job)

    async def _direct(self, job: Job) -> ReplyAddress:
        channel_id = await self._routes.direct_channel(job.asker_id)
        return replace(job.reply, channel_id=channel_id, guild_id=None, by_channel=True, size_limit=_DIRECT_LIMIT)

    async def _send(self, job: Job, place: ReplyAddress, words: str, *, refers_to: int | None) -> discord.Message:
        only_them = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(job.asker_id)])
        fields = {"content": words, "allowed_mentions": only_them}
        return await self._routes.send(place, nonce=f"{job.id}-n", refers_to=refers_to, fields=fields)


def _is_late(job: Job) -> bool:
    """Whether a job ended so late that its asker may have looked away, and was not told yet."""
    result = job.result
    if job.notified_at is not None or job.ended_at is None or result is None or result.outcome is Outcome.CANCELLED:
        return False
    return job.ended_at - (job.accepted_at or job.created_at) > LATE


def _link(reply: ReplyAddress) -> str:
    return f"https://discord.com/channels/{reply.guild_id or '@me'}/{reply.channel_id}/{reply.message_id}"
