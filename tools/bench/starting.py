"""From the process's start to its first acknowledgement, and what it holds with nothing to do."""

from __future__ import annotations

import asyncio
import time

from tools.bench.figures import Figure
from tools.bench.stage import Stage, open_stage

#: Real seconds of peace before memory is read: lists of models have come, and nothing else.
SETTLE = 5.0


async def measure(runs: int) -> list[Figure]:
    """A first start (it makes the database and registers the commands), then ordinary ones on what it left."""
    starts: list[float] = []
    costs: list[float] = []
    memories: list[float] = []
    async with open_stage() as stage:
        await stage.furnish()
        for _ in range(runs + 1):
            starts.append(await _start(stage))
            costs.append(stage.usage().cpu)
            await asyncio.sleep(SETTLE)
            memories.append(stage.usage().memory)
            await stage.bot.terminate()
            await stage.until_gone()
    return [
        Figure(name="start to first acknowledgement", values=tuple(starts[1:]), unit="s", target=2.5),
        Figure(name="… of the very first start", values=(starts[0],), unit="s", note="makes database and commands"),
        Figure(name="… processor time of a start", values=tuple(costs[1:]), unit="s of one core"),
        Figure(name="idle memory", values=tuple(memories[1:]), unit="MB", target=110),
        Figure(name="… after the very first start", values=(memories[0],), unit="MB", target=110),
    ]


async def _start(stage: Stage) -> float:
    began = time.monotonic()
    await stage.open()
    record = await stage.invoke("help")
    await stage.until(lambda: record.answered_at is not None, step=0.001)
    return time.monotonic() - began
