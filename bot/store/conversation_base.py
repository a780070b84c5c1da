"""The port of what is kept of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.jobs import JobId
from bot.domain.turns import Chat, ConversationId, KeptTurn, TurnId


class ConversationStore(Protocol):
    """Conversations as turns with parents, found again by the messages that show them."""

    async def add(self, *turns: KeptTurn) -> None:
        """Write turns down, together. Raises `DuplicateJob` for an answer whose job has one already."""
        ...

    async def get(self, turn_id: TurnId) -> KeptTurn | None:
        """The turn, or None."""
        ...

    async def of_job(self, job_id: JobId) -> KeptTurn | None:
        """The answer that a job makes, or None."""
        ...

    async def of_message(self, message_id: int) -> KeptTurn | None:
        """The turn that a message shows, or None."""
        ...

    async def shown_in(self, turn_id: TurnId, message_id: int) -> None:
        """Note that a message shows the turn; a turn that is gone is not an error."""
        ...

    async def messages_of(self, turn_id: TurnId) -> Sequence[int]:
        """The messages that show the turn, oldest first."""
        ...

    async def branch(self, turn_id: TurnId, *, limit: int) -> Sequence[KeptTurn]:
        """The turn and what it goes on from, oldest first; at most the last `limit`, as far back as they are kept."""
        ...

    async def newest_in(self, channel_id: int, *, since: datetime, owner_id: int | None = None) -> KeptTurn | None:
        """The last turn said in a channel since then, or None: one said to all, or any of one owner's conversations."""
        ...

    async def pending(self, conversation_id: ConversationId) -> Sequence[KeptTurn]:
        """The answers of a conversation that are not settled, oldest first."""
        ...

    async def settle(self, turn_id: TurnId, *, text: str, model: str, tokens: int) -> None:
        """Write an answer's words down, once its job is over."""
        ...

    async def caption(self, turn_id: TurnId, captions: Sequence[str]) -> None:
        """Write down what a captioner said of a turn's pictures."""
        ...

    async def whole(self, conversation_id: ConversationId) -> Sequence[KeptTurn]:
        """Every turn of a conversation, oldest first."""
        ...

    async def erase(self, conversation_ids: Sequence[ConversationId]) -> int:
        """Delete conversations with the jobs that answered in them; returns how many turns.

        A job that is still in work forgets what was said, and is deleted by a `purge` once it is done.
        """
        ...

    async def owned_by(self, owner_id: int) -> Sequence[ConversationId]:
        """The conversations a person began."""
        ...

    async def purge(self, *, before: datetime) -> int:
        """Delete turns said before then, with their jobs as far as those are done; returns how many.

        Done jobs whose conversation was erased while they were in work are deleted too.
        """
        ...

    async def chat(self, channel_id: int) -> Chat | None:
        """What a thread or a direct message remembers, or None."""
        ...

    async def keep_chat(self, chat: Chat) -> None:
        """Write that down; what was there before is forgotten."""
        ...
