"""Requests that are not ready when they are written down: composed from the turns once what they wait for is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.jobs import Job, TextJob, is_text
from bot.domain.kinds import Request
from bot.domain.turns import KeptTurn
from bot.services.asking import Asking, wish_of
from bot.services.conversations import Conversations
from bot.services.ports import Captions, Waits

AFTER_ANOTHER = "⏳ After the answer before it: one at a time, so that it can take that one in."
UNSEEN = "The picture could not be described, so the answer knows nothing of it."
LOOKING = "🔎 Having the picture described first."


class Composer:
    """The tracker's `Composes`."""

    def __init__(self, *, asking: Asking, conversations: Conversations, captions: Captions) -> None:
        self._asking = asking
        self._conversations = conversations
        self._captions = captions

    async def ready(self, job: Job) -> Request | Waits:
        """The job's request as it can be handed over now, or why it still has to wait."""
        if not is_text(job) or not job.request.unready:
            return job.request
        answer = await self._conversations.of_job(job.id)
        if answer is None:  # erased meanwhile: what was asked is answered all the same
            await self.given_up(job)
            return replace(job.request, unready=False, looks=())
        before = [turn for turn in await self._conversations.in_work(answer.conversation_id) if _order(turn, answer)]
        if before:
            return Waits(request=job.request, why=AFTER_ANOTHER)
        return await self._composed(job, answer)

    async def _composed(self, job: TextJob, answer: KeptTurn) -> Request | Waits:
        question = await self._conversations.turn(answer.parent_id)
        remarks: tuple[str, ...] = ()
        if question is not None and question.pictures and not question.captions:
            looks = await self._captions.further(job.request.looks, question.pictures)
            if any(look.caption is None for look in looks):
                return Waits(request=replace(job.request, looks=looks), why=LOOKING)
            described = tuple(look.caption or "" for look in looks)
            await self._conversations.captioned(question, described)
            remarks = () if any(described) else (UNSEEN,)
        turns = await self._conversations.history(answer.parent_id)
        # What its channel allows was seen to when it was asked.
        wish = wish_of(job.request, nsfw=self._asking.is_nsfw(job.request.model))
        request = self._asking.go_on(wish, turns)
        return replace(request, remarks=(*request.remarks, *remarks))

    async def given_up(self, job: Job) -> None:
        """Take back the requests for captions that are still under way."""
        if is_text(job):
            await self._captions.drop(job.request.looks)

    def step_down(self, job: Job, now: datetime) -> Request | None:
        """A smaller request in place of one that no worker can take; None for none."""
        return self._asking.step_down(job, now)

    def second_try(self, job: Job) -> Request | None:
        """Another request in place of one whose answer was no good; None for none."""
        return self._asking.second_try(job)


def _order(turn: KeptTurn, other: KeptTurn) -> bool:
    """Whether an answer in work was asked for before the other."""
    return turn.id != other.id and (turn.created_at, turn.id) < (other.created_at, other.id)
