"""How many calls and edits a job costs, on a clock that is moved by hand: the same on any machine.

The clock stands still while the bot acts, so a slow machine does not make it ask less often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.control import Service
from bot.sandbox.discord import Interaction
from bot.sandbox.horde.requests import Request
from tools.bench.figures import Figure
from tools.bench.stage import BenchError, Stage, open_stage

#: World seconds in one step, and real seconds the bot has to act in between.
STEP, BREATH = 0.5, 0.04
#: World seconds until a worker takes a job, at most, and what a worker needs for anything.
POP, OVERHEAD = 2.0, 2.0
#: World seconds after which a job is given up.
PATIENCE = 300.0
#: Looks of whichever kind; pictures and renewed links are not among them.
LOOKS = "/generate/(check|status)/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one job cost after its submission."""

    looks: int
    edits: int


async def measure(runs: int) -> list[Figure]:
    """One picture of 30 s and one of a minute, asked for and told of by webhook."""
    polled = await _costs(runs, 30.0, webhook=False)
    told = await _costs(runs, 30.0, webhook=True)
    minute = await _costs(runs, 60.0, webhook=False)
    return [
        _figure("calls for a picture of 30 s: webhook", [cost.looks for cost in told], "calls", 4),
        _figure("calls for a picture of 30 s: polling", [cost.looks for cost in polled], "calls", 12),
        _figure("edits for a job of a minute", [cost.edits for cost in minute], "edits", 8),
    ]


def _figure(name: str, counts: list[int], unit: str, target: int) -> Figure:
    return Figure(name=name, values=tuple(map(float, counts)), unit=unit, target=target, always=True)


async def _costs(runs: int, seconds: float, *, webhook: bool) -> list[Cost]:
    async with open_stage(None, webhook=webhook) as stage:
        await stage.furnish()
        await stage.open()
        stage.sandbox.horde.set_queue(0)
        stage.sandbox.clock.set_rate(0)
        return [await _cost(stage, seconds) for _ in range(runs)]


async def _cost(stage: Stage, seconds: float) -> Cost:
    """Have one picture painted that takes a worker so long."""
    sandbox, horde = stage.sandbox, stage.sandbox.horde
    horde.set_workers(paused=True)
    before = {request.id for request in horde.world.own_requests()}
    record = await stage.imagine(count=1)
    await _pass_until(stage, lambda: bool(_new(stage, before)))
    began = max((call.number for call in sandbox.calls.find()), default=0)
    for worker in horde.world.park.workers:
        worker.megapixelsteps = _new(stage, before)[0].order.megapixelsteps / (seconds - OVERHEAD)
    horde.set_workers(paused=False)
    await _pass_until(stage, lambda: _finished(stage, record))
    await _pass(stage, 5.0)
    looks = sandbox.calls.find(service=Service.HORDE, method="GET", path=LOOKS, since=began)
    return Cost(looks=len(looks), edits=len(stage.message(record).versions) - 1)


async def _pass(stage: Stage, seconds: float) -> None:
    for _ in range(round(seconds / STEP)):
        stage.sandbox.clock.advance(STEP)
        await asyncio.sleep(BREATH)


async def _pass_until(stage: Stage, condition: Callable[[], bool]) -> None:
    until = stage.sandbox.clock.monotonic() + PATIENCE
    while not condition():
        if stage.sandbox.clock.monotonic() > until:
            raise BenchError(f"nothing came of it in {PATIENCE:.0f} s of the world's time", stage.bot)
        await _pass(stage, STEP)


def _new(stage: Stage, before: set[str]) -> list[Request]:
    return [request for request in stage.sandbox.horde.world.own_requests() if request.id not in before]


def _finished(stage: Stage, record: Interaction) -> bool:
    return record.original_id is not None and bool(stage.message(record).now.attachments)
