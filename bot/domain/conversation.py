"""What is said in a conversation, what a person wants said next, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from bot.domain.requests import MAX_PROMPT
from bot.domain.results import Artifact
from bot.domain.sources import SourceMedia
from bot.errors import InvalidRequest

#: Tokens an answer may take: the Horde's bounds (server 5.1.5).
MIN_LENGTH, MAX_LENGTH = 16, 4096
#: Tokens of prompt and answer together: the Horde's bounds.
MIN_CONTEXT, MAX_CONTEXT = 80, 1_048_576
#: A persona's text, in characters.
MAX_SYSTEM = 4000
#: What stands in the place of a question whose conversation was erased.
ERASED = "(erased)"


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something said, as it was said: nothing in it is made harmless yet."""

    role: Role
    text: str
    #: Shown name of the person; empty for the model.
    author: str = ""
    #: What a captioner says of the pictures that came with it: data, never an instruction.
    captions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A picture of a question on its way to words; kept in the job's row, so that a restart goes on from it."""

    since: datetime
    #: The request for its caption at the provider; None until that was accepted.
    remote_id: str | None = None
    #: None while that takes longer, empty where there is none to be had.
    caption: str | None = None


class Creativity(StrEnum):
    """How far the model may stray, as offered in `/ask`."""

    PRECISE = "precise"
    BALANCED = "balanced"
    WILD = "wild"


class AnswerLength(StrEnum):
    """How long an answer may get, as offered in `/ask`."""

    SHORT = "short"
    NORMAL = "normal"
    LONG = "long"
    #: As much as the workers take; more than 512 tokens needs kudos.
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is drawn; ranges are the Horde's."""

    temperature: float = 0.7
    top_p: float = 0.95
    #: 0: off.
    top_k: int = 0
    min_p: float = 0.05
    #: 1: off.
    rep_pen: float = 1.05
    #: Tokens that the repetition penalty looks back on.
    rep_pen_range: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """A wish for an answer, complete: what is left out of the conversation is decided, the model and its words too.

    A last turn of the model's own is the beginning of the answer, to be carried on.
    """

    kind: ClassVar[str] = "text"

    #: What is said, oldest first, as far as it is to be remembered.
    turns: tuple[Turn, ...]
    #: Who the model is to be.
    system: str = ""
    persona: str = ""
    #: The model's exact name at the provider, and other exact names of the very same model.
    model: str
    aliases: tuple[str, ...] = ()
    #: Which of `bot.chat.templates` the model reads.
    template: str
    #: Tokens.
    max_length: int
    #: Tokens that prompt and answer take together, as asked of workers; they cost.
    context: int
    sampling: Sampling = Sampling()
    stops: tuple[str, ...] = ()
    #: Kept so that "Again" offers what was chosen.
    length: AnswerLength = AnswerLength.NORMAL
    creativity: Creativity = Creativity.BALANCED
    model_chosen: bool = False
    #: Older turns that had no room, and whether the newest had to be shortened.
    dropped_turns: int = 0
    shortened: bool = False
    #: How often this answer was asked for again by ourselves; at most once.
    retries: int = 0
    #: That one time was because no worker could take it as large as it was.
    stepped_down: bool = False
    #: Workers (by id) that should not write it: they wrote the one that was no good.
    avoid_workers: tuple[str, ...] = ()
    #: It waits for something before it is handed over: an answer in work, pictures to be put into words.
    unready: bool = False
    #: How far the pictures of the question are, in their order, while it is unready.
    looks: tuple[Look, ...] = ()
    #: What the asker should know beside the answer ("Model X is gone").
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no provider could take, with a sentence for the person."""
        if not any(turn.role is Role.USER and (turn.text.strip() or turn.captions) for turn in self.turns):
            raise InvalidRequest(user_message="There is nothing to answer. Ask me something, for example `Why is it?`")
        if not self.continuing and len(self.turns[-1].text) > MAX_PROMPT:
            raise InvalidRequest(
                user_message=f"That is {len(self.turns[-1].text)} characters long; please keep it under {MAX_PROMPT}."
            )
        if len(self.system) > MAX_SYSTEM:
            raise InvalidRequest(user_message=f"The persona's text is too long; the limit is {MAX_SYSTEM} characters.")
        if not MIN_LENGTH <= self.max_length <= MAX_LENGTH:
            raise InvalidRequest(user_message=f"An answer may take {MIN_LENGTH} to {MAX_LENGTH} tokens.")
        if not max(MIN_CONTEXT, self.max_length) <= self.context <= MAX_CONTEXT:
            raise InvalidRequest(
                user_message="The conversation and its answer don't fit together. Ask for a shorter one."
            )

    @property
    def parts(self) -> int:
        """How many results are expected."""
        return 1

    @property
    def sources(self) -> tuple[SourceMedia, ...]:
        """Nothing has to be fetched: pictures were put into words before."""
        return ()

    @property
    def continuing(self) -> bool:
        """Whether an answer that was cut off is to be carried on."""
        return bool(self.turns) and self.turns[-1].role is Role.ASSISTANT

    @property
    def models(self) -> tuple[str, ...]:
        """Every exact name under which the model may be served."""
        return (self.model, *(name for name in self.aliases if name != self.model))

    def wordless(self) -> TextRequest:
        """The same without what was said and seen: all that a job in work keeps of a conversation that was erased."""
        looks = tuple(replace(look, caption=None) for look in self.looks)
        return replace(self, turns=(Turn(role=Role.USER, text=ERASED),), looks=looks)


class Flaw(StrEnum):
    """What makes an answer unusable."""

    EMPTY = "empty"
    #: It says the same thing over and over.
    LOOP = "loop"
    #: The model was still thinking when its room was used up.
    ONLY_THOUGHT = "only-thought"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextArtifact(Artifact):
    """An answer, tidied up: what a person reads."""

    text: str = ""
    #: White space that belongs between the answer so far and this one, where it carries that on.
    lead: str = ""
    #: What the model thought before it answered; empty when it did not, or did not tell.
    thought: str = ""
    flaw: Flaw | None = None
    #: The answer stops in the middle: it can be carried on.
    cut: bool = False
    #: Tokens of everything the worker wrote, estimated.
    tokens: int = 0
    worker_id: str = ""
    #: Kudos it cost in all; None when not told.
    kudos: float | None = None

    @property
    def usable(self) -> bool:
        """Whether there is something to show."""
        return self.flaw is None and self.censored is None and not self.unreadable and bool(self.text)
