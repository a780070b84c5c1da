"""Many cases in one world: what each of several processes does for `make crash`."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path

from tests.crash.cases import Case, Death, open_cases
from tests.crash.rims import Point
from tests.crash.stories import WITH_DOOR
from tests.crash.verdict import Wrong


async def count(story: str) -> list[Point]:
    """Count the points along a story, in a world of its own."""
    with tempfile.TemporaryDirectory(prefix="muster-crash-") as folder:
        async with open_cases(Path(folder), door=story in WITH_DOOR) as cases:
            return await cases.count(story)


def play_batch(story: str, deaths: Sequence[Death]) -> list[Case]:
    """Die each of these deaths."""
    silence_the_world()
    played: list[Case] = []
    while len(played) < len(deaths):
        played += asyncio.run(_play_until_wrong(story, deaths[len(played) :]))
    return played


def count_points(story: str) -> list[Point]:
    """What `count` does, for a process that does nothing else."""
    return asyncio.run(count(story))


def silence_the_world() -> None:
    """Let the simulators' server not complain of clients that die amid their requests."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


async def _play_until_wrong(story: str, deaths: Sequence[Death]) -> list[Case]:
    """Play case after case in one world; a world in which something went wrong is left, for it may spoil the next."""
    played: list[Case] = []
    with tempfile.TemporaryDirectory(prefix="muster-crash-") as folder:
        async with open_cases(Path(folder), door=story in WITH_DOOR) as cases:
            for death in deaths:
                played.append(await _case(cases.play(story, death), story, death))
                if played[-1].wrong:
                    break
    return played


async def _case(playing: Coroutine[object, object, Case], story: str, death: Death) -> Case:
    try:
        return await playing
    except (AssertionError, TimeoutError) as error:
        reason = str(error) or "it hung"
        return Case(story=story, death=death, between=False, wrong=(Wrong(what="wrong", why=reason),))
