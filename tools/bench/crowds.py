"""Thousands of jobs in work: what they cost, and whether each is looked at before the Horde would forget it.

2,000 run on the real clock, so that the share of a core means something; ten workers paint meanwhile, so places in the
queue move and some jobs end. 10,000 run on a quickened clock with nobody painting: each has to be asked about within
the twenty minutes that the Horde keeps it, at ten looks a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence

from bot.sandbox.control import Service
from tools.bench.figures import Figure
from tools.bench.seeding import REQUEST_LIFE, seed
from tools.bench.stage import BOT, BenchError, Stage, open_stage

MANY, TOO_MANY = 2_000, 10_000
#: People and channels they are spread over.
PEOPLE, CHANNELS = 400, 200
#: Real seconds until the start is over, and of each reading.
SETTLE, READING = 10.0, 10.0
#: Real seconds that are waited for one more request to leave.
LONGEST_WAIT = 30.0
#: World seconds in a real one with 10,000, so that twenty minutes pass in five.
QUICKENED = 4.0
_LOOKED = re.compile(r"/generate/(?:check|status)/([0-9a-f-]{36})")


async def measure(runs: int) -> list[Figure]:
    """The cost of 2,000, read so often; then 10,000, once."""
    shares, looks, memory, wait = await _many(runs)
    unseen, peak = await _too_many()
    return [
        Figure(name=f"{MANY:,} jobs in work", values=tuple(shares), unit="% of a core", target=30),
        Figure(name="… looks", values=tuple(looks), unit="a second", limit="10 (the Horde)"),
        Figure(name="… memory", values=(memory,), unit="MB at most", target=250),
        Figure(name="… a new request leaves after", values=(wait,), unit="s", note=f"{LONGEST_WAIT:.0f} means later"),
        Figure(
            name=f"{TOO_MANY:,} jobs: not looked at in 20 min",
            values=(float(unseen),),
            unit="jobs",
            target=0,
            limit="10 looks/s (the Horde)",
        ),
        Figure(name="… memory", values=(peak,), unit="MB at most", target=600),
    ]


async def _many(runs: int) -> tuple[list[float], list[float], float, float]:
    async with open_stage(BOT) as stage:
        await stage.furnish(people=PEOPLE, channels=CHANNELS)
        await seed(stage, MANY)
        await stage.open()
        await asyncio.sleep(SETTLE)
        readings = [await _read(stage) for _ in range(runs)]
        peak, wait = stage.usage().peak, await _wait_of_a_new_one(stage)
        return [share for share, _ in readings], [looks for _, looks in readings], peak, wait


async def _wait_of_a_new_one(stage: Stage) -> float:
    """Real seconds from the command of somebody who has nothing in work to the moment the request has left."""
    calls, loop = stage.sandbox.calls, asyncio.get_running_loop()
    since = max((call.number for call in calls.find()), default=0)
    newcomer = await stage.arrive()
    began = loop.time()
    await stage.imagine(by=newcomer)
    with contextlib.suppress(BenchError):
        await stage.until(
            lambda: bool(calls.find(method="POST", path="/generate/async", since=since)), patience=LONGEST_WAIT
        )
    return loop.time() - began


async def _read(stage: Stage) -> tuple[float, float]:
    """The share of a core in percent, and the looks in a second, over one reading."""
    loop, calls = asyncio.get_running_loop(), stage.sandbox.calls
    since = max((call.number for call in calls.find()), default=0)
    began, before = loop.time(), stage.usage().cpu
    await asyncio.sleep(READING)
    took = loop.time() - began
    looks = len(calls.find(service=Service.HORDE, path=_LOOKED.pattern, since=since))
    return 100 * (stage.usage().cpu - before) / took, looks / took


async def _too_many() -> tuple[int, float]:
    async with open_stage(None) as stage:
        await stage.furnish(people=PEOPLE, channels=CHANNELS)
        stage.sandbox.horde.set_workers(paused=True)
        remote_ids = await seed(stage, TOO_MANY)
        began = stage.sandbox.clock.monotonic()
        await stage.open()
        stage.sandbox.clock.set_rate(QUICKENED)
        unseen = await _unseen(stage, remote_ids, until=began + REQUEST_LIFE)
        return len(unseen), stage.usage().peak


async def _unseen(stage: Stage, remote_ids: Sequence[str], *, until: float) -> set[str]:
    """The requests that the bot has not asked about by then."""
    unseen, since = set(remote_ids), 0
    while unseen and stage.sandbox.clock.monotonic() < until:
        await asyncio.sleep(1.0)
        for call in stage.sandbox.calls.find(service=Service.HORDE, since=since):
            since = max(since, call.number)
            if looked := _LOOKED.search(call.path):
                unseen.discard(looked[1])
    return unseen
