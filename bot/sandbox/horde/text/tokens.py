"""Roughly how many tokens a text is: in English about one for four characters, in CJK one for less than one and a half.

Every model has a tokenizer of its own. Clients can only estimate; so does this, in a way of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

_PIECES = re.compile(
    r"(?P<tag><[|｜]?[^<>\s]{1,32}[|｜]?>|\[/?[A-Z_]{2,16}\])"
    r"|(?P<dense>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])"
    r"|(?P<word> ?[^\W\d_]{1,6})"
    r"|(?P<rest>\s+| ?.)",
    re.DOTALL,
)
_DENSE = 0.7


def count_tokens(text: str) -> int:
    """Tokens in `text`, rounded up."""
    return math.ceil(sum(weight for _, weight in _pieces(text)) - 1e-9)


def first_tokens(text: str, amount: int) -> str:
    """The beginning of `text` that is at most `amount` tokens long."""
    used, end = 0.0, 0
    for piece, weight in _pieces(text):
        used += weight
        if used > amount + 1e-9:
            return text[:end]
        end += len(piece)
    return text


def last_tokens(text: str, amount: int) -> str:
    """The end of `text` that is at most `amount` tokens long: what is left when a worker cuts off the front."""
    surplus = count_tokens(text) - amount
    return text[len(first_tokens(text, surplus)) :] if surplus > 0 else text


def _pieces(text: str) -> Iterator[tuple[str, float]]:
    for match in _PIECES.finditer(text):
        yield match.group(), _DENSE if match.lastgroup == "dense" else 1.0
