"""Conversations: what was said to the bot and what it answered, as a tree; a branch is gone on from by a message's id.

Only words that were addressed to the bot are kept. A question and the answer it is going to have are written down
together, before the job is: the answer as a turn without words that names its job. The words stand in the job's row
from the moment they arrived; they are copied into the turn when somebody next looks at it. So a restart between the
two loses nothing, and there is no event that could be missed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from bot.chat.code_spans import close_fence, on_its_own
from bot.clock import Clock
from bot.domain.conversation import Role, Turn
from bot.domain.jobs import Job, JobId
from bot.domain.replies import LONG_AGO
from bot.domain.turns import Chat, ConversationId, KeptTurn, TurnId
from bot.services.ids import new_job_id
from bot.store.base import JobStore
from bot.store.conversation_base import ConversationStore

log = logging.getLogger(__name__)

#: How many turns a branch is followed back; what of them has room is decided by tokens.
REMEMBERED = 60


class Conversations:
    """Writes turns down and finds them again."""

    def __init__(
        self, store: ConversationStore, jobs: JobStore, clock: Clock, *, new_id: Callable[[], str] = new_job_id
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._new_id = new_id

    # -- writing --------------------------------------------------------------------------------------------------

    def new_turn_id(self) -> TurnId:
        """An id that no turn has."""
        return TurnId(self._new_id())

    async def add(self, *turns: KeptTurn) -> None:
        """Write turns down."""
        await self._store.add(*turns)

    async def shown(self, job: Job) -> None:
        """Note which message shows the answer of a job."""
        if job.reply.message_id is not None:
            await self.shown_in(job.id, job.reply.message_id)

    async def shown_in(self, job_id: JobId, message_id: int) -> None:
        """Note that a message shows (a part of) the answer of a job; any other job's messages are none of ours."""
        turn = await self._store.of_job(job_id)
        if turn is not None:
            await self._store.shown_in(turn.id, message_id)

    async def messages_of(self, job_id: JobId) -> Sequence[int]:
        """The messages that show the answer of a job, oldest first."""
        turn = await self._store.of_job(job_id)
        return await self._store.messages_of(turn.id) if turn is not None else ()

    async def captioned(self, turn: KeptTurn, captions: Sequence[str]) -> None:
        """Note what a captioner said of a turn's pictures."""
        await self._store.caption(turn.id, captions)

    # -- finding --------------------------------------------------------------------------------------------------

    async def of_message(self, message_id: int) -> KeptTurn | None:
        """The turn that a message shows, or None: it is not one of ours, or was deleted long ago."""
        return await self._store.of_message(message_id)

    async def of_job(self, job_id: JobId) -> KeptTurn | None:
        """The answer that a job makes, or None."""
        return await self._store.of_job(job_id)

    async def turn(self, turn_id: TurnId | None) -> KeptTurn | None:
        """The turn, or None."""
        return await self._store.get(turn_id) if turn_id is not None else None

    async def newest(self, channel_id: int) -> KeptTurn | None:
        """What plain words in this thread or direct message go on from; None for a new beginning."""
        chat = await self._store.chat(channel_id)
        return await self._store.newest_in(channel_id, since=chat.since if chat is not None else LONG_AGO)

    async def newest_of(self, channel_id: int, owner_id: int) -> KeptTurn | None:
        """The last thing said in a channel in a conversation that this person began, also a private one."""
        return await self._store.newest_in(channel_id, since=LONG_AGO, owner_id=owner_id)

    async def history(self, turn_id: TurnId | None) -> tuple[Turn, ...]:
        """What was said up to and including that turn, oldest first; an answer and what carries it on are one."""
        if turn_id is None:
            return ()
        branch = [await self.settled(turn) for turn in await self._store.branch(turn_id, limit=REMEMBERED)]
        return tuple(_joined(turn.said() for turn in branch if turn.text.strip() or turn.captions))

    async def settled(self, turn: KeptTurn) -> KeptTurn:
        """The turn with its words, if it is an answer and they are there by now."""
        if not turn.pending or turn.job_id is None:
            return turn
        job = await self._jobs.get(turn.job_id)
        if job is not None and not job.over and not job.terminal:
            return turn
        answer = job.answer if job is not None else None
        text, model, tokens = "", "", 0
        if answer is not None:
            text, model, tokens = answer.lead + answer.text, answer.model, answer.tokens
        await self._store.settle(turn.id, text=text, model=model, tokens=tokens)
        return await self._store.get(turn.id) or turn

    async def in_work(self, conversation_id: ConversationId) -> tuple[KeptTurn, ...]:
        """The answers of a conversation that are still to come, the one asked for first at the front."""
        turns = [await self.settled(turn) for turn in await self._store.pending(conversation_id)]
        return tuple(turn for turn in turns if turn.pending)

    # -- threads and direct messages ------------------------------------------------------------------------------

    async def chat(self, channel_id: int) -> Chat | None:
        """What a thread or a direct message remembers, or None."""
        return await self._store.chat(channel_id)

    async def keep_chat(self, chat: Chat) -> None:
        """Write that down."""
        await self._store.keep_chat(chat)

    # -- what belongs to people -----------------------------------------------------------------------------------

    async def export(self, conversation_id: ConversationId) -> str:
        """Write a conversation out as Markdown, every branch of it, oldest first; empty for one without words."""
        turns = [await self.settled(turn) for turn in await self._store.whole(conversation_id)]
        return export_of([turn for turn in turns if turn.text.strip() or turn.captions])

    async def erase(self, conversation_id: ConversationId) -> int:
        """Delete a conversation, and with it its finished jobs; returns how many turns there were."""
        for turn in await self._store.pending(conversation_id):
            if turn.job_id is not None:
                await self._jobs.request_cancel(turn.job_id, self._clock.now())
        erased = await self._store.erase([conversation_id])
        log.info("conversation erased", extra={"action": "conversation.erased", "turns": erased})
        return erased

    async def purge(self, *, days: int) -> int:
        """Delete what was said more than so many days ago; returns how many turns."""
        return await self._store.purge(before=self._clock.now() - timedelta(days=days))


def export_of(turns: Sequence[KeptTurn]) -> str:
    """Write turns as Markdown; where one does not go on from the one above it, it says from which it does."""
    numbers = {turn.id: number for number, turn in enumerate(turns, start=1)}
    blocks, begun = [], dict[TurnId, str]()
    for before, turn in zip((None, *turns), turns, strict=False):
        branches = before is not None and turn.parent_id not in {None, before.id}
        source = numbers.get(turn.parent_id) if branches and turn.parent_id is not None else None
        # Of an answer that carries another one on: what that came to.
        said = begun.get(turn.parent_id, "") if turn.role is Role.ASSISTANT and turn.parent_id is not None else ""
        if turn.role is Role.ASSISTANT:
            begun[turn.id] = said + turn.text
        blocks.append(_exported(turn, numbers[turn.id], after=source, begun=said))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _exported(turn: KeptTurn, number: int, *, after: int | None, begun: str) -> str:
    who = (
        (turn.author or "Somebody") if turn.role is Role.USER else f"Muster ({turn.model})" if turn.model else "Muster"
    )
    goes_on = f" · in answer to {after}" if after is not None else ""
    text = close_fence(on_its_own(turn.text, begun))
    pictures = [f"> Picture {n} (described by a machine): {text}" for n, text in enumerate(turn.captions, start=1)]
    return "\n\n".join(filter(None, (f"### {number}. {who} · {_moment(turn.created_at)}{goes_on}", text, *pictures)))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _joined(turns: Iterable[Turn]) -> Iterable[Turn]:
    """Put an answer and those that carry it on together: they are one answer that was cut off."""
    kept: Turn | None = None
    for turn in turns:
        if kept is not None and kept.role is turn.role is Role.ASSISTANT:
            kept = Turn(role=Role.ASSISTANT, text=f"{kept.text}{turn.text}")
            continue
        if kept is not None:
            yield kept
        kept = turn
    if kept is not None:
        yield kept
