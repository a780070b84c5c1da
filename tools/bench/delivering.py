"""From "done at the service" to "picture in the message".

The simulated Horde says when a worker handed the picture in, the simulated Discord when the message first showed it;
both read one clock. Workers take what comes at once and need exactly as long as they say, so every ETA is honest.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from bot.sandbox.discord import Interaction
from tools.bench.figures import Figure, percentile
from tools.bench.stage import BenchError, Stage, open_stage

#: Jobs of a run, the real seconds between two, and how many people ask (each has limits of their own).
JOBS, GAP, PEOPLE = 24, 0.37, 24
#: Workers enough that nobody waits, and how much quicker than real ones they are.
WORKERS, SPEED = 40, 2.0
_MS = 1000.0


async def measure(runs: int) -> list[Figure]:
    """The same jobs, with the bot asking and with the bot being told."""
    told = [await _lags(webhook=True) for _ in range(runs)]
    polled = [await _lags(webhook=False) for _ in range(runs)]
    return [
        _figure("done to shown, webhook: median", told, 0.5, target=150, limit=""),
        _figure("… 95 %", told, 0.95),
        _figure("done to shown, polling: median", polled, 0.5, target=1500, limit="1 s (the Horde's cache)"),
        _figure("… 95 % of them", polled, 0.95),
    ]


def _figure(
    name: str, runs: list[list[float]], share: float, *, target: float | None = None, limit: str = ""
) -> Figure:
    values = tuple(percentile(lags, share) * _MS for lags in runs)
    return Figure(name=name, values=values, unit="ms", target=target, limit=limit)


async def _lags(*, webhook: bool) -> list[float]:
    """Seconds from done to shown, of each job of one run."""
    async with open_stage(webhook=webhook, speed=SPEED) as stage:
        await stage.furnish(people=PEOPLE, channels=12)
        horde = stage.sandbox.horde
        horde.set_queue(0)
        horde.set_workers(count=WORKERS)
        await stage.open()
        await asyncio.sleep(1.0)
        records = []
        for number in range(JOBS):
            records.append(await stage.imagine(by=number, prompt=f"picture {number}", count=1, size="small"))
            await asyncio.sleep(GAP)
        await stage.until(lambda: all(_shown_at(stage, record) for record in records), step=0.05)
        return [_lag(stage, record, f"picture {number}") for number, record in enumerate(records)]


def _lag(stage: Stage, record: Interaction, prompt: str) -> float:
    done, shown = _done_at(stage, prompt), _shown_at(stage, record)
    if done is None or shown is None:
        raise BenchError(f"{prompt} is not there", stage.bot)
    return (shown - done).total_seconds()


def _done_at(stage: Stage, prompt: str) -> datetime | None:
    """When the worker handed in what was asked for with this prompt."""
    mine = (one for one in stage.sandbox.horde.world.own_requests() if one.order.prompt == prompt)
    return next((job.picture.uploaded for request in mine for job in request.jobs if job.picture.uploaded), None)


def _shown_at(stage: Stage, record: Interaction) -> datetime | None:
    """When the reply first showed a picture."""
    versions = stage.message(record).versions if record.original_id else []
    return next((version.at for version in versions if version.attachments), None)
