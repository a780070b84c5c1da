"""Talking: a question, or a press under an answer, becomes two turns and a job.

One conversation has one answer in work. A question that comes meanwhile is written down as a job that is *unready*:
the tracker holds it until the answer before it is there, and has its request composed only then (`composing.py`). All
of that lies in rows, so a restart changes nothing. A third question is refused with a sentence.
"""

from __future__ import annotations

import asyncio
import logging
import string
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from bot.chat.harmless import JOINERS, sendable
from bot.clock import Clock
from bot.domain.conversation import Role, TextRequest, Turn
from bot.domain.jobs import Job, JobId, TextJob, is_text
from bot.domain.replies import ReplyAddress
from bot.domain.sources import SourceMedia
from bot.domain.turns import ConversationId, KeptTurn, TurnId
from bot.errors import InvalidRequest, JobGone, NotAllowed
from bot.services.asking import Asking, AskWish, wish_of
from bot.services.conversations import Conversations
from bot.services.ids import new_job_id
from bot.services.jobs import JobService
from bot.services.ports import OpensReply

log = logging.getLogger(__name__)

PROVIDER = "horde-text"
#: Answers of one conversation that may be in work or wait.
AT_ONCE = 2
_TOO_MANY = "There is an answer in work and one more question waiting. Please wait for the first of them."
_FORGOTTEN = "I don't remember that conversation any more. Please start a new one with `/ask`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who says something, and how their reply is opened."""

    user_id: int
    name: str
    address: ReplyAddress
    reply: OpensReply
    #: Whether the channel is age-restricted.
    nsfw: bool = False


class Talking:
    """What people can do in conversations."""

    def __init__(self, *, asking: Asking, conversations: Conversations, jobs: JobService, clock: Clock) -> None:
        self._asking = asking
        self._conversations = conversations
        self._jobs = jobs
        self._clock = clock
        #: One at a time looks whether a conversation is busy and writes its turns; in one process, as one shard is.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ask(
        self, text: str, wish: AskWish, speaker: Speaker, *, pictures: tuple[SourceMedia, ...] = ()
    ) -> Job | None:
        """Begin a conversation. Raises `InvalidRequest`."""
        turn = self._question(text, speaker, parent=None, pictures=pictures)
        request = self._asking.complete(wish, (_with_pictures(turn),))
        return await self._start(request, turn, speaker, parent=None)

    async def follow(
        self, parent: KeptTurn, text: str, speaker: Speaker, *, pictures: tuple[SourceMedia, ...] = ()
    ) -> Job | None:
        """Say something in answer to a turn. Raises `JobGone`, `NotAllowed`, `InvalidRequest`."""
        self._require_reach(parent, speaker)
        async with self._lock(parent.conversation_id):
            turn = self._question(text, speaker, parent=parent, pictures=pictures)
            history = await self._conversations.history(parent.id)
            wish = await self._wish(parent, speaker)
            request = self._asking.go_on(wish, (*history, _with_pictures(turn)))
            return await self._start(request, turn, speaker, parent=parent)

    async def again(self, job_id: JobId, speaker: Speaker) -> Job | None:
        """Have the same question answered once more: a branch beside the first answer."""
        job, answer = await self._answer(job_id, speaker)
        async with self._lock(answer.conversation_id):
            parent = await self._conversations.turn(answer.parent_id)
            turns = await self._conversations.history(answer.parent_id) if parent is not None else job.request.turns
            request = self._asking.go_on(wish_of(job.request, nsfw=speaker.nsfw), turns)
            return await self._start(request, None, speaker, parent=parent, beside=answer)

    async def carry_on(self, job_id: JobId, speaker: Speaker) -> Job | None:
        """Have an answer that was cut off carried on where it stopped."""
        job, answer = await self._answer(job_id, speaker)
        if job.answer is None or not job.answer.cut:
            raise InvalidRequest(user_message="This answer is complete; there is nothing to carry on.")
        async with self._lock(answer.conversation_id):
            turns = await self._conversations.history(answer.id)
            request = self._asking.go_on(wish_of(job.request, nsfw=speaker.nsfw), turns)
            return await self._start(request, None, speaker, parent=answer)

    async def answered_by(self, job_id: JobId, speaker_id: int, channel_id: int) -> KeptTurn:
        """The turn that a job's answer is, for somebody who wants to go on from it. Raises `JobGone`, `NotAllowed`."""
        turn = await self._conversations.of_job(job_id)
        if turn is None:
            raise JobGone(f"no turn of {job_id}", user_message=_FORGOTTEN)
        _require_reach(turn, speaker_id, channel_id)
        return turn

    # -- small parts ----------------------------------------------------------------------------------------------

    def _question(
        self, text: str, speaker: Speaker, *, parent: KeptTurn | None, pictures: tuple[SourceMedia, ...]
    ) -> KeptTurn:
        turn_id = self._conversations.new_turn_id()
        return KeptTurn(
            id=turn_id,
            conversation_id=parent.conversation_id if parent is not None else ConversationId(turn_id),
            parent_id=parent.id if parent is not None else None,
            role=Role.USER,
            text=_clean(text),
            author_id=speaker.user_id,
            author=speaker.name,
            owner_id=parent.owner_id if parent is not None else speaker.user_id,
            channel_id=speaker.address.channel_id,
            guild_id=speaker.address.guild_id,
            private=speaker.address.ephemeral,
            pictures=pictures,
            created_at=self._clock.now(),
        )

    async def _start(
        self,
        request: TextRequest,
        question: KeptTurn | None,
        speaker: Speaker,
        *,
        parent: KeptTurn | None,
        beside: KeptTurn | None = None,
    ) -> Job | None:
        """Write the turns down, then the job; `beside` is an answer to the same question."""
        above = question or parent or beside
        if above is None:
            raise JobGone("nothing to answer", user_message=_FORGOTTEN)
        busy = await self._conversations.in_work(above.conversation_id) if above is not question or parent else ()
        if len(busy) >= AT_ONCE:
            raise InvalidRequest(user_message=_TOO_MANY)
        asked = question or parent
        if busy or (asked is not None and asked.pictures and not asked.captions):
            request = replace(request, unready=True)
        job_id = new_job_id()
        parent_turn = question.id if question is not None else parent.id if parent is not None else None
        answer = self._awaited(job_id, above, parent_turn, request, speaker)
        await self._conversations.add(*filter(None, (question, answer)))
        job = await self._jobs.submit(
            request,
            asker_id=speaker.user_id,
            address=speaker.address,
            reply=speaker.reply,
            provider=PROVIDER,
            parent_id=parent.job_id if parent is not None else None,
            job_id=job_id,
        )
        if job is not None:
            await self._conversations.shown(job)
        return job

    def _awaited(
        self, job_id: JobId, above: KeptTurn, parent_id: TurnId | None, request: TextRequest, speaker: Speaker
    ) -> KeptTurn:
        return KeptTurn(
            id=self._conversations.new_turn_id(),
            conversation_id=above.conversation_id,
            parent_id=parent_id,
            role=Role.ASSISTANT,
            author_id=speaker.user_id,
            owner_id=above.owner_id,
            channel_id=speaker.address.channel_id,
            guild_id=speaker.address.guild_id,
            private=speaker.address.ephemeral,
            job_id=job_id,
            settled=False,
            model=request.model,
            persona=request.persona,
            created_at=self._clock.now(),
        )

    async def _answer(self, job_id: JobId, speaker: Speaker) -> tuple[TextJob, KeptTurn]:
        answer = await self.answered_by(job_id, speaker.user_id, speaker.address.channel_id)
        job = await self._jobs.get(job_id)
        if not is_text(job):
            raise JobGone(f"{job_id} is not a question")
        return job, await self._conversations.settled(answer)

    async def _wish(self, parent: KeptTurn, speaker: Speaker) -> AskWish:
        """How the conversation was answered so far; by the persona that the thread or direct message was given."""
        wish = await self._wish_before(parent, nsfw=speaker.nsfw)
        chat = await self._conversations.chat(parent.channel_id)
        return replace(wish, persona=chat.persona) if chat is not None and chat.open and chat.persona else wish

    async def _wish_before(self, parent: KeptTurn, *, nsfw: bool) -> AskWish:
        if parent.role is not Role.ASSISTANT or parent.job_id is None:
            return AskWish(nsfw=nsfw)
        try:
            job = await self._jobs.get(parent.job_id)
        except JobGone:
            return AskWish(model=parent.model, model_chosen=False, persona=parent.persona, nsfw=nsfw)
        return wish_of(job.request, nsfw=nsfw) if is_text(job) else AskWish(nsfw=nsfw)

    def _require_reach(self, turn: KeptTurn, speaker: Speaker) -> None:
        _require_reach(turn, speaker.user_id, speaker.address.channel_id)

    def _lock(self, conversation_id: ConversationId) -> asyncio.Lock:
        return self._locks.setdefault(conversation_id, asyncio.Lock())


def _require_reach(turn: KeptTurn, speaker_id: int, channel_id: int) -> None:
    """Ids of buttons can be forged: whoever goes on from a turn has to be where it can be seen."""
    if turn.channel_id != channel_id:
        raise JobGone("a turn of another channel", user_message=_FORGOTTEN)
    if turn.private and turn.owner_id != speaker_id:
        raise NotAllowed(f"the conversation belongs to {turn.owner_id}")


def _with_pictures(turn: KeptTurn) -> Turn:
    """What is said, with room for what a captioner is going to say of the pictures."""
    return replace(turn.said(), captions=tuple("a picture" for _ in turn.pictures))


def _clean(text: str) -> str:
    """Leave out what neither the database nor the Horde takes, and what nobody sees; text of nothing else is empty."""
    return sendable(text).strip(string.whitespace + JOINERS)
