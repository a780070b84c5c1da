from __future__ import annotations

import asyncio

from bot.clock import ManualClock
from bot.pacing import Pacer


async def _pass(pacer: Pacer, clock: ManualClock, name: str, passed: list[tuple[str, float]]) -> None:
    await pacer.acquire()
    passed.append((name, clock.monotonic()))


async def test_pacer_lets_through_in_order_within_every_window() -> None:
    clock, passed = ManualClock(), list[tuple[str, float]]()
    pacer = Pacer(clock, [(2, 1.0), (5, 10.0)])
    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(_pass(pacer, clock, str(number), passed))
        await clock.advance(60)
    assert [name for name, _ in passed] == [str(number) for number in range(8)]
    assert [moment for _, moment in passed] == [0, 0, 1, 1, 2, 10, 10, 11]


async def test_pacer_gives_no_place_to_who_was_cancelled() -> None:
    clock, passed = ManualClock(), list[tuple[str, float]]()
    pacer = Pacer(clock, [(1, 10.0)])
    await pacer.acquire()
    given_up = asyncio.create_task(_pass(pacer, clock, "given up", passed))
    patient = asyncio.create_task(_pass(pacer, clock, "patient", passed))
    await clock.advance(1)
    given_up.cancel()
    await clock.advance(9)
    await patient
    assert passed == [("patient", 10.0)]


async def test_pacer_tells_when_the_next_place_is_free() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, [(1, 10.0)])
    assert pacer.idle
    assert pacer.try_acquire()
    assert not pacer.try_acquire()
    await clock.advance(4)
    assert pacer.delay() == 6
    await clock.advance(6.5)
    assert pacer.idle
    assert pacer.try_acquire()


async def test_whoever_must_go_first_passes_those_who_wait() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, [(1, 10.0)])
    await pacer.acquire()
    passed: list[str] = []

    async def go(name: str, *, first: bool) -> None:
        await pacer.acquire(first=first)
        passed.append(name)

    waiting = [asyncio.create_task(go(name, first=name.isupper())) for name in ("a", "b", "C", "D", "e")]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await clock.advance(60)
    assert passed == ["C", "D", "a", "e"]
