"""What one person says in quick succession is one thing."""

from __future__ import annotations

import asyncio

from bot.clock import ManualClock
from bot.services.bursts import LONGEST, QUIET, Bursts


async def settle() -> None:
    """Let every task run until it waits for the clock."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_pause_ends_a_burst_and_the_next_one_is_its_own() -> None:
    clock = ManualClock()
    bursts: Bursts[str] = Bursts(clock)
    first = asyncio.ensure_future(bursts.gathered("ada", "Well"))
    await settle()
    await clock.advance(QUIET - 0.1)
    assert await bursts.gathered("ada", "so") is None
    await clock.advance(QUIET - 0.1)
    await settle()
    assert not first.done(), "the pause is counted from the last one"
    other = asyncio.ensure_future(bursts.gathered("grace", "Hello"))
    await settle()
    await clock.advance(0.2)
    assert await first == ("Well", "so")
    second = asyncio.ensure_future(bursts.gathered("ada", "And?"))
    await settle()
    await clock.advance(QUIET)
    assert await other == ("Hello",)
    assert await second == ("And?",)


async def test_whoever_never_pauses_is_answered_all_the_same() -> None:
    clock = ManualClock()
    bursts: Bursts[int] = Bursts(clock)
    first = asyncio.ensure_future(bursts.gathered("ada", 0))
    await settle()
    said = 0
    while not first.done():
        await clock.advance(1.0)
        await settle()
        if not first.done():
            said += 1
            assert await bursts.gathered("ada", said) is None
    assert await first == tuple(range(said + 1))
    assert said == LONGEST - 1


async def test_a_burst_that_is_broken_off_leaves_nothing_behind() -> None:
    clock = ManualClock()
    bursts: Bursts[str] = Bursts(clock)
    first = asyncio.ensure_future(bursts.gathered("ada", "lost"))
    await settle()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.ensure_future(bursts.gathered("ada", "kept"))
    await settle()
    await clock.advance(QUIET)
    assert await second == ("kept",)
