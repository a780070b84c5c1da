"""How much fits: tokens estimated without a tokenizer, and a conversation trimmed to what a model can hold.

Every model counts differently, so estimates lean to the high side: a prompt that is too long loses its beginning, the
system text, at the worker.
"""

from __future__ import annotations

import math
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.chat.prompting import messages_of
from bot.chat.templates import Template, TemplateBook
from bot.domain.conversation import Role, Turn

#: Characters that make one token: prose, text of long words (code, lists of names), scripts other than Latin.
PROSE, DENSE, OTHER_SCRIPTS, CJK = 3.0, 2.7, 1.6, 1.3
#: Tokens of a digit and of a sign: many models read numbers digit by digit, blanks included, and code sign by sign.
DIGIT, SIGN = 1.1, 1.0
#: Tokens of one emoji or other rare symbol.
SYMBOL = 2.5
#: Words longer than this on average are not prose.
LONG_WORDS = 7.8
#: Tokens kept free for what nobody counted.
MARGIN = 12
#: Estimates may be this much too low.
DOUBT = 1.1
#: The context is asked for in steps of this; it costs.
CONTEXT_STEP = 1024
CUT_MARK = "[…]"

#: An underscore belongs to the word it stands in.
_SIGNS = frozenset(string.punctuation) - {"_"}
_FIRST_WIDE = 0x2E80
_LAST_LATIN = 0x024F


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What of a conversation fits."""

    turns: tuple[Turn, ...]
    system: str
    #: Older turns that had no room.
    dropped: int = 0
    #: Whether the newest turn (or the system text) had to be shortened.
    shortened: bool = False
    #: Tokens of the prompt, estimated.
    tokens: int = 0


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of `text`, rather too many than too few."""
    latin = wide = other = symbols = digits = signs = 0
    for character in text:
        code = ord(character)
        if "0" <= character <= "9":
            digits += 1
        elif character in _SIGNS:
            signs += 1
        elif code <= _LAST_LATIN or 0x2000 <= code <= 0x206F:
            latin += 1
        elif unicodedata.category(character) in {"So", "Sk", "Cf", "Mn", "Me", "Co", "Cn"} or code > 0x1EFFF:
            symbols += 0 if unicodedata.category(character) == "Mn" and code < _FIRST_WIDE and code != 0xFE0F else 1
        elif code >= _FIRST_WIDE:
            wide += 1
        else:
            other += 1
    words = text.split()
    ratio = DENSE if words and (latin + digits + signs) / len(words) >= LONG_WORDS else PROSE
    return math.ceil(
        latin / ratio + digits * DIGIT + signs * SIGN + wide / CJK + other / OTHER_SCRIPTS + symbols * SYMBOL
    )


def context_for(prompt_tokens: int, max_length: int, limit: int) -> int:
    """Say how much context to ask for: what is used, rounded up, within what the workers take."""
    used = math.ceil(prompt_tokens * DOUBT) + max_length + MARGIN
    return min(math.ceil(used / CONTEXT_STEP) * CONTEXT_STEP, max(limit, max_length))


def fit(
    turns: Sequence[Turn], template: Template, book: TemplateBook, *, system: str, context: int, max_length: int
) -> Fitted:
    """Keep the system text, the newest turn, and as many whole turns before it as fit, the oldest going first."""
    room = math.floor((context - max_length - MARGIN) / DOUBT) - _overhead(template)
    kept_system = shorten_middle(system, max(room // 2, MARGIN))
    room -= estimate_tokens(kept_system)
    newest = _newest(turns, room)
    shortened = kept_system != system or newest != tuple(turns[len(turns) - len(newest) :])
    kept = list(newest)
    left = room - sum(_cost(turn, template, book) for turn in newest)
    older = list(turns[: len(turns) - len(newest)])
    while older and (cost := _cost(older[-1], template, book)) <= left:
        left -= cost
        kept.insert(0, older.pop())
    while len(kept) > len(newest) and kept[0].role is Role.ASSISTANT:
        older.append(kept.pop(0))  # an answer without its question confuses more than it helps
    tokens = _overhead(template) + estimate_tokens(kept_system) + sum(_cost(turn, template, book) for turn in kept)
    return Fitted(turns=tuple(kept), system=kept_system, dropped=len(older), shortened=shortened, tokens=tokens)


def shorten_middle(text: str, tokens: int) -> str:
    """Cut the middle out of a text that has more than `tokens`, leaving its beginning and its end."""
    if estimate_tokens(text) <= tokens:
        return text
    low, high = 0, len(text)
    while low < high:
        kept = (low + high + 1) // 2
        low, high = (kept, high) if estimate_tokens(_without_middle(text, kept)) <= tokens else (low, kept - 1)
    return _without_middle(text, low)


def _newest(turns: Sequence[Turn], room: int) -> tuple[Turn, ...]:
    """Take the question to answer, and the answer begun if there is one; shortened where they alone are too large."""
    last = next((i for i in range(len(turns) - 1, -1, -1) if turns[i].role is Role.USER), 0)
    newest = turns[last:]
    share = max(MARGIN, room // max(1, len(newest)))
    return tuple(_shortened(turn, share) for turn in newest)


def _shortened(turn: Turn, tokens: int) -> Turn:
    if estimate_tokens(turn.text) <= tokens:
        return turn
    if turn.role is Role.USER:
        return replace(turn, text=shorten_middle(turn.text, tokens))
    # Of an answer that is carried on only its end matters.
    end = turn.text
    while estimate_tokens(end) > tokens and end:
        end = end[max(1, len(end) // 8) :]
    return replace(turn, text=end.lstrip())


def _without_middle(text: str, kept: int) -> str:
    head = text[: (kept * 2 + 2) // 3].rstrip()
    tail = text[len(text) - kept // 3 :].lstrip() if kept >= 3 else ""
    return f"{head} {CUT_MARK} {tail}".strip()


def _cost(turn: Turn, template: Template, book: TemplateBook) -> int:
    """Tokens of one turn with its frame; the name in front is counted whether it will be told or not."""
    before, behind = template.user if turn.role is Role.USER else template.assistant
    words = messages_of((replace(turn, role=Role.USER),), book)[0].text
    return estimate_tokens(f"{before}{turn.author}{words}{behind}") + 1


def _overhead(template: Template) -> int:
    pairs = (template.system or template.fold or ("", ""), ("", template.opening))
    return estimate_tokens(template.start) + sum(estimate_tokens(before + behind) for before, behind in pairs) + 2
