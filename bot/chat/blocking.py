"""The operator's word filter: words that nobody is to read in an answer. Texts pass no filter of the Horde's."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

#: Stands where a word was.
INSTEAD = "•••"


def without_words(text: str, words: Collection[str]) -> str:
    """Replace each of `words` wherever it stands alone, in any case; blanks in it match any white space."""
    wanted = frozenset(" ".join(word.split()) for word in words) - {""}
    return _pattern(wanted).sub(INSTEAD, text) if wanted else text


@lru_cache(maxsize=4)
def _pattern(words: frozenset[str]) -> re.Pattern[str]:
    """Match any of them, the longest first."""
    told = (re.escape(word).replace("\\ ", r"\s+") for word in sorted(words, key=lambda word: (-len(word), word)))
    return re.compile(rf"(?<!\w)(?:{'|'.join(told)})(?!\w)", re.IGNORECASE)
