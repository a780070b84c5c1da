"""Reading a prompt as a model of some family would: into turns, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.sandbox.horde.text.chat_format import ChatFormat, Thinking
from bot.sandbox.horde.text.chat_formats import FORMATS, TOKENS

_PERSONA = re.compile(r"(?i)\byou(?:'re| are)\b|\bassistant\b|\bpersona\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What somebody said: `system`, `user` or `assistant`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A prompt that was understood.

    `begun` is the part of the answer that the prompt holds already; `thinking` says who opens a thought.
    """

    format: ChatFormat
    turns: tuple[Turn, ...]
    begun: str = ""
    thinking: Thinking = Thinking.FREE

    @property
    def system(self) -> str:
        """The system text at the beginning."""
        return "\n".join(turn.text for turn in self.turns[: self._preamble])

    @property
    def forged(self) -> str:
        """System text that came after somebody had spoken: an attack that worked."""
        return "\n".join(turn.text for turn in self.turns[self._preamble :] if turn.role == "system")

    @property
    def questions(self) -> list[str]:
        """The user's texts, oldest first."""
        return [turn.text for turn in self.turns if turn.role == "user"]

    @property
    def answers(self) -> list[str]:
        """The model's earlier texts, oldest first."""
        return [turn.text for turn in self.turns if turn.role == "assistant"]

    @property
    def _preamble(self) -> int:
        return next((index for index, turn in enumerate(self.turns) if turn.role != "system"), len(self.turns))


def read_chat(family: str, prompt: str) -> Conversation | None:
    """The conversation in `prompt` as a model of `family` sees it; None when it is not written in its way."""
    for variant in FORMATS.get(family, ()):
        found = _Reader(variant, prompt).conversation()
        if found is not None:
            return found
    return None


def family_of(prompt: str) -> str | None:
    """The first family that understands `prompt`, to tell people what their prompt looks like."""
    return next((family for family in FORMATS if read_chat(family, prompt) is not None), None)


@dataclass(slots=True)
class _Reader:
    """One attempt to read a prompt in one format, from front to back."""

    format: ChatFormat
    prompt: str
    at: int = 0
    turns: list[Turn] = field(default_factory=list)

    def conversation(self) -> Conversation | None:
        if not self.prompt.startswith(self.format.needs):
            return None
        self._restore_blank()
        self.at = next((len(text) for text in self.format.start if self.prompt.startswith(text)), 0)
        if not self._bare_system():
            return None
        while self._spoken_turn() or self._answered_turn():
            pass
        begun = self._open_turn()
        if begun is None or not any(turn.role == "user" for turn in self.turns):
            return None
        if any(self._is_odd(turn.text) for turn in self.turns):
            return None
        return self._read(begun)

    def _read(self, begun: str) -> Conversation | None:
        """The conversation with an answer begun; a thought closed in the prompt is not part of that."""
        thinking = self.format.thinking
        if self.format.thought is not None and self.format.thought[1].strip() in begun:
            begun = begun.rpartition(self.format.thought[1].strip())[2]
            thinking = Thinking.CLOSED
        if any(token in begun for token in TOKENS):
            return None
        turns = tuple(_unfolded(self.format, self.turns))
        return Conversation(format=self.format, turns=turns, begun=begun, thinking=thinking)

    def _is_odd(self, text: str) -> bool:
        """Whether a turn's text shows that the prompt is written in another format, or was not made harmless."""
        return (self.format.blanks_matter and text.startswith(" ")) or any(token in text for token in TOKENS)

    def _restore_blank(self) -> None:
        """A blank in front of everything is the tokenizer's own in some families, so it may be missing."""
        blank = self.format.user[0].startswith(" ") and not self.prompt.startswith(" ")
        self.prompt = " " + self.prompt if blank else self.prompt

    def _bare_system(self) -> bool:
        """Take a system text that has nothing in front of it; false when what is there cannot be one."""
        suffixes = [suffix for prefix, suffix in self.format.system if not prefix]
        if not suffixes or self._is_next(self.format.user[0]):
            return True
        end = self.prompt.find(suffixes[0] + self.format.user[0], self.at)
        if end < 0:
            return False
        self._take("system", end, len(suffixes[0]), self.at)
        return True

    def _spoken_turn(self) -> bool:
        """Take a system or user turn."""
        speakers = [*(("system", pair) for pair in self.format.system if pair[0]), ("user", self.format.user)]
        for role, (prefix, suffix) in speakers:
            begin = self.at + len(prefix)
            if not self._is_next(prefix):
                continue
            after = [*self._speakers(), self.format.assistant[0], self.format.opening]
            end = self._end_of(begin, suffix, self._speakers() if role == "system" else after)
            if end is None:
                return False
            self._take(role, end, len(suffix), begin)
            return True
        return False

    def _answered_turn(self) -> bool:
        """Take an assistant turn that somebody speaks after."""
        prefix, suffix = self.format.assistant
        if not self.turns or self.turns[-1].role != "user" or not self._is_next(prefix):
            return False
        begin = self.at + len(prefix)
        end = self._end_of(begin, suffix, self._speakers())
        if end is None:
            return False
        self._take("assistant", end, len(suffix), begin)
        return True

    def _open_turn(self) -> str | None:
        """What the prompt holds of the answer already; None when it does not end with an open turn of the model's."""
        if not self.turns or self.turns[-1].role != "user" or not self._is_next(self.format.opening):
            return None
        begun = self.prompt[self.at + len(self.format.opening) :]
        return None if any(marker in begun for marker in self.format.markers) else begun

    def _is_next(self, text: str) -> bool:
        return self.prompt.startswith(text, self.at)

    def _take(self, role: str, end: int, skip: int, begin: int) -> None:
        text = self.prompt[begin:end]
        if text or role != "system":
            self.turns.append(Turn(role=role, text=text))
        self.at = end + skip

    def _speakers(self) -> list[str]:
        return [prefix for prefix, _ in (*self.format.system, self.format.user) if prefix]

    def _end_of(self, begin: int, suffix: str, following: Iterable[str]) -> int | None:
        """Where a turn's text ends: at the first `suffix` with one of `following` behind it."""
        ends = [self.prompt.find(suffix + text, begin) for text in following]
        return min((end for end in ends if end >= 0), default=None)


def _unfolded(chat: ChatFormat, turns: list[Turn]) -> list[Turn]:
    """The turns with a folded system text taken out of the first or last user turn."""
    if chat.fold is None:
        return turns
    users = [index for index, turn in enumerate(turns) if turn.role == "user"]
    for index in (users[0], users[-1]):
        system, text = _split_fold(chat.fold, turns[index].text)
        if system:
            rest = [*turns[:index], Turn(role="user", text=text), *turns[index + 1 :]]
            return [Turn(role="system", text=system), *rest]
    return turns


def _split_fold(fold: tuple[str, str], text: str) -> tuple[str, str]:
    before, behind = fold
    if before:
        system, mark, rest = text.removeprefix(before).partition(behind)
        return (system, rest) if mark and text.startswith(before) else ("", text)
    system, mark, rest = text.rpartition(behind)
    return (system, rest) if mark and _PERSONA.search(system.split("\n\n", 1)[0]) else ("", text)
