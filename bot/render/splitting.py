"""Long text in several messages: cut where a reader would pause, code blocks closed and opened again.

What happens to the text, and nothing else does:

- Outside code, the white space at a cut is dropped: it would be the end or the beginning of a message, which Discord
  trims. Inside code only the one line end at a cut is dropped, so that indentation survives.
- Where a cut falls into a code block, the block is closed below the part, and opened again, with its language, above
  the next one. A block the text itself leaves open is closed at the end.
- White space around the whole text is dropped.

Lengths are UTF-16 units, the longest of the ways Discord's limit could be counted. Discord takes every ``` for the
start or the end of a block, wherever in a line it stands; so does this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.render.escaping import inside_character, measure

#: Below Discord's 2000, so that a line about model and cost fits under the last part.
DEFAULT_LIMIT = 1900
#: Smaller parts than this have no room for opening and closing a block.
MIN_LIMIT = 100

_FENCE = "```"
_CLOSING = "\n```"
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]{1,20}(?=\n)")
_LANGUAGE_LINE = re.compile(r"[A-Za-z0-9_+\-.#]*\s*")
_END_OF_BLOCK = re.compile(r"\s*```(?!`)")
#: Where to cut, best first, and whether in code: at a paragraph, a line, a line of code, a sentence, a word.
_PAUSES = (
    (re.compile(r"\n[^\S\n]*\n"), False),
    (re.compile(r"\n"), False),
    (re.compile(r"\n"), True),
    (re.compile(r"(?<=[.!?…])\s|(?<=[.!?…][\"'”’)\]])\s|(?<=[。！？])"), False),
    (re.compile(r"\s"), False),
)
#: A pause is good enough where it leaves at least this much of a part filled.
_WELL_FILLED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message's worth of the text: what was added above, the text's own characters, what was added below."""

    opening: str
    body: str
    closing: str

    @property
    def text(self) -> str:
        """What to send."""
        return self.opening + self.body + self.closing


def split(text: str, limit: int = DEFAULT_LIMIT) -> tuple[str, ...]:
    """Cut `text` into messages of at most `limit` units; empty for text that is only white space."""
    return tuple(part.text for part in parts(text, limit))


def parts(text: str, limit: int = DEFAULT_LIMIT) -> Iterator[Part]:
    """Cut like `split`, keeping the text's own characters apart from what had to be added."""
    if limit < MIN_LIMIT:
        raise ValueError(f"limit must be at least {MIN_LIMIT}, not {limit}")
    rest = text.strip()
    opening = ""
    while rest:
        part, rest, opening = _take(opening, rest, limit)
        yield part


def _take(opening: str, rest: str, limit: int) -> tuple[Part, str, str]:
    """Take one part off `rest`; return it, what remains, and how the next part has to be opened."""
    room = limit - measure(opening)
    closing = _CLOSING if _in_code(opening + rest) else ""
    if measure(rest) + len(closing) <= room:
        return Part(opening=opening, body=rest, closing=closing), "", ""
    end = _own_closing(opening, rest, _cut(opening, rest, _reach(rest, room - len(_CLOSING))), room)
    body, following = rest[:end], rest[end:]
    if _in_code(opening + body):
        part = Part(opening=opening, body=body, closing=_CLOSING)
        return part, following.removeprefix("\n"), _reopening(opening + rest, len(opening) + end)
    return Part(opening=opening, body=body.rstrip(), closing=""), following.lstrip(), ""


def _cut(opening: str, rest: str, reach: int) -> int:
    """Choose where the part ends, within the first `reach` characters."""
    least = max(1, int(reach * _WELL_FILLED))
    for pause, in_code in _PAUSES:
        starts = (match.start() for match in pause.finditer(rest, least, reach + 1))
        for start in reversed([start for start in starts if start <= reach]):
            if _in_code(opening + rest[:start]) is in_code:
                return _before_empty_block(rest, start) if in_code else start
    return _hard_cut(rest, reach)


def _hard_cut(rest: str, reach: int) -> int:
    """Cut where there is no pause: between characters as readers see them, and not between backticks."""
    cut = reach
    while cut > 1 and inside_character(rest, cut):
        cut -= 1
    if rest[cut - 1] != "`" or rest[cut] != "`":
        return cut
    run = len(rest[:cut].rstrip("`"))
    # A part that is backticks all through: three by three, each of them a fence, so that both sides agree.
    return run or max(1, cut - cut % len(_FENCE))


def _before_empty_block(rest: str, cut: int) -> int:
    """Cut above a block of which nothing but its first line would stay."""
    fence = rest.rfind(_FENCE, 0, cut)
    above = len(rest[: max(fence, 0)].rstrip())
    return above if above and _LANGUAGE_LINE.fullmatch(rest, fence + len(_FENCE), cut) else cut


def _own_closing(opening: str, rest: str, cut: int, room: int) -> int:
    """Move the cut behind the fence that ends the block, if that is all that is left of it."""
    fence = _END_OF_BLOCK.match(rest, cut)
    if fence is None or not _in_code(opening + rest[:cut]) or measure(rest[: fence.end()]) > room:
        return cut
    return fence.end()


def _in_code(text: str) -> bool:
    """Whether a block is open at the end of `text`."""
    return text.count(_FENCE) % 2 == 1


def _reopening(text: str, cut: int) -> str:
    """Write the line that opens the block around `cut` once more."""
    language = _LANGUAGE.match(text, text.rfind(_FENCE, 0, cut) + len(_FENCE))
    return f"{_FENCE}{language.group() if language else ''}\n"


def _reach(text: str, units: int) -> int:
    """Count how many characters of `text`, at least one, fit into `units`; always fewer than all."""
    taken = 0
    for index, character in enumerate(text):
        taken += measure(character)
        if taken > units:
            return max(1, index)
    return len(text) - 1
