"""Conversations as they are kept: a tree of turns. An answer belongs to a job; a reply to it goes on from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from bot.domain.conversation import Role, Turn
from bot.domain.jobs import JobId
from bot.domain.sources import SourceMedia

TurnId = NewType("TurnId", str)
#: The id of the turn a conversation began with.
ConversationId = NewType("ConversationId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTurn:
    """One turn of a conversation, as written down."""

    id: TurnId
    conversation_id: ConversationId
    #: What it goes on from; None for the first one. The parent may be gone: turns are kept for a while only.
    parent_id: TurnId | None = None
    role: Role
    #: Empty for an answer that is in work, and for one that never came.
    text: str = ""
    #: Who said it; for an answer, who asked for it.
    author_id: int
    #: Shown name of the person; empty for the model.
    author: str = ""
    #: Who began the conversation: whose it is.
    owner_id: int
    channel_id: int
    guild_id: int | None = None
    #: Only the owner sees it.
    private: bool = False
    #: What came with it, and what a captioner said of that.
    pictures: tuple[SourceMedia, ...] = ()
    captions: tuple[str, ...] = ()
    #: Of an answer: the job that makes it, and what is known once that is over.
    job_id: JobId | None = None
    settled: bool = True
    model: str = ""
    persona: str = ""
    #: Estimated.
    tokens: int = 0
    created_at: datetime

    @property
    def pending(self) -> bool:
        """Whether it is an answer whose job was not over when it was last looked at."""
        return self.role is Role.ASSISTANT and not self.settled

    def said(self) -> Turn:
        """What a model is told of it."""
        return Turn(role=self.role, text=self.text, author=self.author, captions=self.captions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """What a thread or a direct message remembers: with whom people talk there, and since when."""

    channel_id: int
    guild_id: int | None = None
    #: Who started it; only they (and moderators) end it.
    owner_id: int
    persona: str = ""
    model: str = ""
    #: Turns from before are no longer gone on from.
    since: datetime
    #: A thread in which plain words are answered, until it is ended.
    is_thread: bool = False
    ended_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None
