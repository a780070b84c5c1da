"""A small language model without a model: reads the prompt in its family's format, answers, and stops like a backend.

A prompt in another family's format, or one whose beginning the worker had to cut off, gets nonsense full of `▒`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from bot.sandbox.horde.text.answers import LOOP, THINK_WORD, answer, more, thought
from bot.sandbox.horde.text.chat_format import BACKEND_ENDS, BASE, ChatFormat, Thinking
from bot.sandbox.horde.text.chat_formats import FORMATS
from bot.sandbox.horde.text.chat_reading import Conversation, family_of, read_chat
from bot.sandbox.horde.text.tokens import count_tokens, first_tokens, last_tokens

#: In every answer to a prompt that was not understood, and in no other.
GARBLED = "▒"
_SALAD = ("lantern", "slow", "the", "the", "keeper", "seven", "and", "harbour", "nobody", "blue", "of of", "while")
_SALAD_WORDS = 60
_OVERRUN = "Thanks! And what about the weather there?"


class Quirk(StrEnum):
    """A small untidiness of one answer; real ones have them now and then."""

    NONE = "none"
    BLANK = "blank"
    STOP_LEFT = "stop_left"
    DEBRIS = "debris"
    LOOP = "loop"
    ENDLESS_THOUGHT = "endless_thought"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a worker is asked to write. `context` and `length` are in tokens."""

    prompt: str
    family: str
    length: int
    context: int
    stops: Sequence[str] = ()
    thinks: bool = False
    ignores_stops: bool = False
    quirk: Quirk = Quirk.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What came out. `looks_like` is the family whose format the prompt is written in, when that is another one."""

    text: str
    tokens: int
    understood: bool
    cut: bool = False
    looks_like: str | None = None


def write(wish: Wish) -> Writing:
    """The continuation of the prompt."""
    seen = last_tokens(wish.prompt, wish.context - wish.length)
    talk = read_chat(wish.family, seen) if wish.family != BASE else None
    if wish.quirk is Quirk.EMPTY:
        text = ""
    elif talk is not None:
        text = _spoken(talk, wish)
    elif wish.family == BASE:
        text = _rambling(seen)
    else:
        text = _garbage(seen, wish.family)
    text = text if wish.ignores_stops else _stopped(text, wish)
    cut = first_tokens(text, wish.length)
    understood = talk is not None or wish.family == BASE
    looks_like = None if understood else family_of(seen)
    return Writing(text=cut, tokens=count_tokens(cut), understood=understood, cut=cut != text, looks_like=looks_like)


def _spoken(talk: Conversation, wish: Wish) -> str:
    """Thought, answer, and what a backend lets through behind it."""
    chat = talk.format
    said = answer(talk)
    if wish.quirk is Quirk.LOOP:
        said = LOOP * 400
    text = _thought(talk, wish) + _continued(talk, said)
    if wish.quirk is Quirk.DEBRIS:
        text = f"Assistant: {text}"
    if wish.quirk is Quirk.BLANK:
        text = f"  {text}"
    return text + _after(chat, wish)


def _continued(talk: Conversation, said: str) -> str:
    """What is left of the answer behind the part that the prompt has already."""
    begun = talk.begun.strip()
    if not begun or talk.thinking is Thinking.OPENED:
        return said
    if said.startswith(begun):
        return said[len(begun) :]
    at = said.find(begun[-40:])
    return said[at + len(begun[-40:]) :] if at >= 0 else f" {more(talk, 3)}"


def _thought(talk: Conversation, wish: Wish) -> str:
    chat = talk.format
    free = talk.thinking is Thinking.FREE and (wish.thinks or chat.asked) and not talk.begun.strip()
    if chat.thought is None or not (free or talk.thinking is Thinking.OPENED):
        return ""
    opener, closer = chat.thought
    muttered = thought(talk) * (40 if wish.quirk is Quirk.ENDLESS_THOUGHT else 1)
    if wish.quirk is Quirk.ENDLESS_THOUGHT and THINK_WORD not in muttered:
        closer = ""
    return (opener if free else "") + muttered + closer


def _after(chat: ChatFormat, wish: Wish) -> str:
    """The end of the turn, where it shows: a backend that does not know the token goes on into the user's turn."""
    shown = chat.end in wish.stops or wish.ignores_stops or wish.quirk is Quirk.STOP_LEFT
    if chat.end in BACKEND_ENDS and not shown:
        return ""
    return f"{chat.end}{chat.user[0]}{_OVERRUN}{chat.user[1]}"


def _stopped(text: str, wish: Wish) -> str:
    """Cut at the first stop sequence; it stays at the end when the quirk says so."""
    hits = [(text.find(stop), stop) for stop in wish.stops if stop and stop in text]
    if not hits:
        return text
    at, stop = min(hits, key=lambda hit: (hit[0], -len(hit[1])))
    return text[: at + (len(stop) if wish.quirk is Quirk.STOP_LEFT else 0)]


def _garbage(prompt: str, family: str) -> str:
    """What a model writes when it is addressed in a foreign format: pieces of the prompt, its own tokens, salad."""
    rng = Random(hashlib.sha256(prompt.encode()).hexdigest())
    chat = FORMATS[family][0]
    salad = " ".join(rng.choice(_SALAD) for _ in range(_SALAD_WORDS))
    return f" {GARBLED}{prompt[:24]}{GARBLED} {salad} {GARBLED}{GARBLED} {chat.user[0]}{prompt[-40:]}{chat.end}{salad}"


def _rambling(prompt: str) -> str:
    """A base model does not answer, it goes on."""
    rng = Random(hashlib.sha256(prompt.encode()).hexdigest())
    tail = " ".join(prompt.split()[-6:])
    words = " ".join(rng.choice(_SALAD) for _ in range(_SALAD_WORDS))
    return f" and then {tail} {words}. {words}"
