"""What a chat format is made of, and what backends know of all of them by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Pair = tuple[str, str]


class Thinking(StrEnum):
    """Who opens a thought: the model if it likes, the prompt, or nobody because the prompt has closed it already."""

    FREE = "free"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFormat:
    """One way of writing turns: what stands before and behind each role's text.

    `open` begins the turn the model is to write (default: as `assistant`); `fold` is put round a system text inside
    the first or last user turn where there is no system role; `start` lists what may stand at the very beginning.
    `blanks_matter` where siblings differ by blanks only, so that a text may not begin with one;
    `asked` formats ask the model to think, whether it likes to or not.
    """

    family: str
    user: Pair
    assistant: Pair
    system: tuple[Pair, ...] = ()
    fold: Pair | None = None
    open: str | None = None
    start: tuple[str, ...] = ("",)
    needs: str = ""
    end: str = ""
    thought: Pair | None = None
    thinking: Thinking = Thinking.FREE
    blanks_matter: bool = False
    asked: bool = False

    @property
    def opening(self) -> str:
        """What the prompt has to end with, before any answer begun already."""
        return self.assistant[0] if self.open is None else self.open

    @property
    def markers(self) -> frozenset[str]:
        """Strings that may not occur inside of an answer begun in the prompt."""
        pairs = (*self.system, self.user)
        return frozenset(text for text in (*(pair[0].strip() for pair in pairs), self.end) if text)


#: A base model takes any text and goes on with it.
BASE = "base"
#: Ends of turns that the programs behind the workers recognise without being told; others have to be sent.
BACKEND_ENDS = frozenset(
    {
        "<|eot_id|>",
        "<|im_end|>",
        "<|end|>",
        "<|return|>",
        "<|call|>",
        "<end_of_turn>",
        "<|endoftext|>",
        "</s>",
        "<|eom_id|>",
        "<|end_of_text|>",
        "<eos>",
        "<turn|>",
        "<｜end▁of▁sentence｜>",
        "[e~[",
    }
)
