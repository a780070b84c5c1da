"""Noticing that a model got stuck: it says the same thing over and over."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: That often in a row is a loop.
REPEATS = 5
#: Shorter stretches are a laugh or a drum roll, not a loop.
_LEAST_WORDS, _LEAST_CHARACTERS = 20, 60
_LONGEST_PHRASE, _LONGEST_PERIOD, _SHORTEST_PERIOD = 60, 80, 3
#: A loop goes on to the end, so that only this much of it needs to be looked at.
_TAIL = 4000

_CLOSED_BLOCK = re.compile(r"```.*?```", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"\w")


def loops(text: str) -> bool:
    """Whether a phrase comes more than four times in a row; code blocks may repeat themselves."""
    prose = _CLOSED_BLOCK.sub("\n", text)[-_TAIL:]
    words = [word for word in prose.casefold().split() if _WORD.search(word)]
    if _repeats(words, range(1, _LONGEST_PHRASE + 1), _LEAST_WORDS):
        return True
    # Scripts without spaces, and words without end.
    return _repeats("".join(prose.split()), range(_SHORTEST_PERIOD, _LONGEST_PERIOD + 1), _LEAST_CHARACTERS)


def _repeats(items: Sequence[str], periods: range, least: int) -> bool:
    """Whether a phrase (with a letter in it) of one of these lengths comes often enough in a row."""
    for period in periods:
        run, end = _longest_run(items, period)
        phrase = items[end - period + 1 : end + 1]
        if run + period >= max(least, REPEATS * period) and _LETTER.search("".join(phrase)):
            return True
    return False


def _longest_run(items: Sequence[str], period: int) -> tuple[int, int]:
    """Count how many items in a row equal the one a period before; returns that and where they end."""
    longest = run = end = 0
    for index in range(period, len(items)):
        run = run + 1 if items[index] == items[index - period] else 0
        if run > longest:
            longest, end = run, index
    return longest, end
