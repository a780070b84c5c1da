"""Many cases in one world: what each of several processes does for `make crash`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path

from tests.crash.cases import Case, open_cases
from tests.crash.rims import Point
from tests.crash.verdict import Wrong


async def count(story: str) -> list[Point]:
    """Count the points along a story, in a world of its own."""
    with tempfile.TemporaryDirectory(prefix="muster-crash-") as folder:
        async with open_cases(Path(folder)) as cases:
            return await cases.count(story)


def play_batch(story: str, points: Sequence[Point]) -> list[Case]:
    """Die at each of these points."""
    played: list[Case] = []
    while len(played) < len(points):
        played += asyncio.run(_play_until_wrong(story, points[len(played) :]))
    return played


async def _play_until_wrong(story: str, points: Sequence[Point]) -> list[Case]:
    """Play case after case in one world; a world in which something went wrong is left, for it may spoil the next."""
    played: list[Case] = []
    with tempfile.TemporaryDirectory(prefix="muster-crash-") as folder:
        async with open_cases(Path(folder)) as cases:
            for point in points:
                played.append(await _case(cases.play(story, point), story, point))
                if played[-1].wrong:
                    break
    return played


async def _case(playing: Coroutine[object, object, Case], story: str, point: Point) -> Case:
    try:
        return await playing
    except (AssertionError, TimeoutError) as error:
        reason = str(error) or "it hung"
        return Case(story=story, point=point, between=False, wrong=(Wrong(what="wrong", why=reason),))
