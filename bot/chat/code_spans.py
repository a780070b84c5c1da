"""Where in a text there is code: what looks like a token or a sentence's end in there is neither."""

from __future__ import annotations

import re
from dataclasses import dataclass

FENCE = "```"
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]{0,20}(?=\n|\Z)")
_INLINE = re.compile(r"(`+)(?!`)[^\n]*?[^`\n]\1(?!`)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSpans:
    """The stretches of one text that are code."""

    spans: tuple[tuple[int, int], ...]
    #: Whether the last block is not closed.
    open_end: bool

    def holds(self, index: int) -> bool:
        """Whether the character at `index` is inside code."""
        return any(start <= index < end for start, end in self.spans)


def code_spans(text: str) -> CodeSpans:
    """Find fenced blocks and `code` between them."""
    fences = [match.start() for match in re.finditer(FENCE, text)]
    spans: list[tuple[int, int]] = []
    before = 0
    for start, end in zip(fences[::2], [*fences[1::2], None], strict=False):
        spans += [match.span() for match in _INLINE.finditer(text, before, start)]
        before = len(text) if end is None else end + len(FENCE)
        spans.append((start, before))
    spans += [match.span() for match in _INLINE.finditer(text, before)]
    return CodeSpans(spans=tuple(spans), open_end=len(fences) % 2 == 1)


def close_fence(text: str) -> str:
    """Close a block that the text leaves open."""
    if text.count(FENCE) % 2 == 0:
        return text
    return (
        f"{text.rstrip('`').rstrip()}\n{FENCE}"
        if text.endswith("`") and not text.endswith(FENCE)
        else f"{text}\n{FENCE}"
    )


def left_open(text: str) -> str:
    """Return what opened the block that a text leaves open, such as ```python; empty where it leaves none."""
    if text.count(FENCE) % 2 == 0:
        return ""
    language = _LANGUAGE.match(text, text.rfind(FENCE) + len(FENCE))
    return FENCE + (language.group() if language else "")


def on_its_own(text: str, before: str) -> str:
    """Return what carries `before` on as a text by itself: in the block that `before` leaves open, if it does."""
    opener, bare = left_open(before), text.lstrip()
    if not opener:
        return text
    return bare.removeprefix(FENCE).lstrip("\n") if bare.startswith(FENCE) else f"{opener}\n{text}"
