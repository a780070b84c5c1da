"""From a slash command's event to its acknowledgement: alone, in a stream, and all at once.

Both ends are the simulator's: when it sent the event, and when it had taken the answer. The same storm is put to a
discord.py program whose handler does nothing but answer, because most of what a storm takes is the library's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bot.sandbox.discord import Interaction
from tools.bench.figures import Figure, percentile
from tools.bench.stage import BOT, EMPTY, BenchError, Stage, open_stage

#: Commands in a storm; each by somebody else, so that nobody's own limit is met.
CROWD = 500
#: Seconds over which the stream of them is spread.
STREAM_SECONDS = 5.0
#: Commands one after the other, and the seconds between them.
ALONE, ALONE_PAUSE = 30, 0.1
#: What Discord grants.
LIMIT = "3 s (Discord)"
_MS = 1000.0

Load = Callable[[Stage], Awaitable[list[Interaction]]]


async def measure(runs: int) -> list[Figure]:
    """Put each load to the bot, and the storm to the empty handler too."""
    alone = [await _answers(BOT, _alone) for _ in range(runs)]
    stream = [await _answers(BOT, _stream) for _ in range(runs)]
    storm = [await _answers(BOT, _storm) for _ in range(runs)]
    empty = [await _answers(EMPTY, _storm) for _ in range(runs)]
    bare = [_p99(times) for times in empty]
    ratios = [_p99(times) / base for times, base in zip(storm, bare, strict=True)]
    return [
        Figure(name="acknowledgement, idle: median", values=_each(alone, 0.5), unit="ms", limit=LIMIT),
        Figure(
            name=f"{CROWD} over {STREAM_SECONDS:.0f} s: p99",
            values=_each(stream, 0.99),
            unit="ms",
            target=100,
            limit=LIMIT,
        ),
        Figure(name=f"{CROWD} at once: p99", values=_each(storm, 0.99), unit="ms", target=1500, limit=LIMIT),
        Figure(name="… the slowest", values=_each(storm, 1), unit="ms", target=3000, limit=LIMIT, always=True),
        Figure(name="… an empty handler's p99", values=tuple(value * _MS for value in bare), unit="ms", limit=LIMIT),
        Figure(name="… times the empty handler's", values=tuple(ratios), unit="x"),
    ]


async def _answers(command: Sequence[str], load: Load) -> list[float]:
    """Seconds each of a load's commands took to be acknowledged; raises `BenchError` if one was not."""
    async with open_stage(command) as stage:
        await stage.furnish(people=CROWD, channels=20)
        await stage.open()
        await asyncio.sleep(1.0)  # what a start brings with it is not the subject
        records = await load(stage)
        await stage.until(lambda: all(_settled(stage, record) for record in records))
        failed = sum(record.original_id is None for record in records)
        if failed:
            raise BenchError(f"{failed} of {len(records)} commands were not answered with a message", stage.bot)
        return [_seconds(record) for record in records]


async def _alone(stage: Stage) -> list[Interaction]:
    records = []
    for number in range(ALONE):
        record = await stage.imagine(by=number)
        await stage.until(lambda seen=record: seen.answered_at is not None)  # type: ignore[misc]
        records.append(record)
        await asyncio.sleep(ALONE_PAUSE)
    return records


async def _stream(stage: Stage) -> list[Interaction]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    records = []
    for number in range(CROWD):
        await asyncio.sleep(max(0.0, began + number * STREAM_SECONDS / CROWD - loop.time()))
        records.append(await stage.imagine(by=number))
    return records


async def _storm(stage: Stage) -> list[Interaction]:
    return [await stage.imagine(by=number) for number in range(CROWD)]


def _settled(stage: Stage, record: Interaction) -> bool:
    return stage.sandbox.discord.world.settle(record).state != "pending"


def _seconds(record: Interaction) -> float:
    if record.answered_at is None:
        return float("inf")
    return (record.answered_at - record.created_at).total_seconds()


def _p99(times: Sequence[float]) -> float:
    return percentile(times, 0.99)


def _each(runs: Sequence[Sequence[float]], share: float) -> tuple[float, ...]:
    return tuple(percentile(times, share) * _MS for times in runs)
