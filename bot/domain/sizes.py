"""How many pixels a picture gets: from an aspect and a size word to a width and a height."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from bot.domain.requests import MAX_SIDE, MIN_SIDE, SIZE_STEP, Aspect, SizeChoice

#: The Horde's free tier never shrinks below this square under load (server 5.1.5); SD 1 models may use all of it.
FREE_SIDE_UNDER_LOAD = 576
#: Longer shapes than this (width to height, or the other way round) come out badly, and are not asked for.
MAX_RATIO = 4.0
#: A wrong shape is more visible than a few pixels more or less.
_AREA_WEIGHT = 0.5


def dimensions(aspect: Aspect, size: SizeChoice, native: int) -> tuple[int, int]:
    """Return width and height in pixels, multiples of 64, for a model whose native side is `native` pixels.

    Up to `SizeChoice.NATIVE` the area stays within what the Horde gives without kudos in advance; a portrait is
    exactly its landscape turned round.
    """
    return dimensions_near(aspect.ratio, size, native)


@lru_cache(maxsize=512)  # it weighs a thousand pairs, and a storm of commands asks for the same few
def dimensions_near(ratio: float, size: SizeChoice, native: int) -> tuple[int, int]:
    """Return width and height as `dimensions` does, for any ratio (width divided by height), such as a source's."""
    longer = min(max(ratio, 1 / ratio), MAX_RATIO)
    target = native * native * size.area_factor
    cap = _area_cap(size, native)
    fitting = (pair for pair in _pairs() if pair[0] * pair[1] <= cap)
    wide, low = min(fitting, key=lambda pair: (_misfit(pair, longer, target), pair))
    return (wide, low) if ratio >= 1 else (low, wide)


def _area_cap(size: SizeChoice, native: int) -> int:
    if size is SizeChoice.LARGE:
        return MAX_SIDE * MAX_SIDE
    return max(native, FREE_SIDE_UNDER_LOAD) ** 2


def _pairs() -> Iterator[tuple[int, int]]:
    sides = range(MIN_SIDE, MAX_SIDE + 1, SIZE_STEP)
    return ((wide, low) for wide in sides for low in sides if low <= wide)


def _misfit(pair: tuple[int, int], ratio: float, target: float) -> float:
    wide, low = pair
    return abs(math.log(wide / low / ratio)) + _AREA_WEIGHT * abs(math.log(wide * low / target))
