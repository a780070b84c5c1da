"""Where a text may end without looking torn off."""

from __future__ import annotations

import re
import unicodedata

from bot.chat.code_spans import code_spans

#: A text is shortened to a sentence's end only if that leaves so much of it.
ENOUGH = 0.4

_END = re.compile(r"[.!?…]+[\"'”’»)\]*_~]*(?=\s|\Z)|[。！？]+[」』”’）]*")
_CLOSERS = "\"'”’»)]*_~`"
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S|[ \t]*\|.*\|[ \t]*\Z")
_NUMBERING = re.compile(r"(?:^|\n)[ \t]*\d{1,3}[.)]\Z")


def ends_well(text: str) -> bool:
    """Whether a text ends with a sentence, a block of code, or a symbol, rather than in the middle of something."""
    bare = text.rstrip()
    code = code_spans(bare)
    if code.open_end:
        return False
    if not bare or bare.endswith("```"):
        return True
    last = bare.rstrip(_CLOSERS)[-1:]
    if last in ".!?…。！？":
        return not _NUMBERING.search(bare)
    return unicodedata.category(last or " ") in {"So", "Sk", "Mn", "Zs"}


def to_sentence_end(text: str) -> str:
    """Shorten a torn-off text to its last whole sentence, or list item, outside code; leave it where there is none."""
    code = code_spans(text)
    if code.open_end:
        return text
    ends = [
        match.end()
        for match in _END.finditer(text)
        if not code.holds(match.start()) and not _NUMBERING.search(text[: match.end()])
    ]
    last = max([*ends, _last_item_end(text)], default=0)
    return text[:last].rstrip() if last >= ENOUGH * len(text) else text


def _last_item_end(text: str) -> int:
    """Find the end of the last whole line of a list or table; the torn-off line behind it does not count."""
    lines = text.splitlines(keepends=True)
    end = len(text)
    for line in reversed(lines):
        if end < len(text) and _LIST_ITEM.match(line.rstrip("\n")):
            return end
        end -= len(line)
    return 0
