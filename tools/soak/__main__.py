"""The command line of `make soak`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot.sandbox.bot_process import BotProcess
from bot.sandbox.outgoing import AddressMap
from bot.sandbox.serve import Sandbox
from tools.bench.figures import Machine, load_average
from tools.bench.stage import PUBLIC_URL
from tools.bench.usage import Usage
from tools.soak.child import MARK
from tools.soak.people import People
from tools.soak.readings import Reading, count_rows, grown, overdue, table, unfinished

#: World seconds in one step while something is in work, while nothing is, and in the month afterwards.
BUSY_STEP, IDLE_STEP, MONTH_STEP = 3.0, 30.0, 3600.0
#: Real seconds that the bot has to act after each step.
BREATH = 0.012
#: World seconds between two acts, and between two readings.
ACT_EVERY, READ_EVERY = 180.0, 3600.0
#: World seconds that what is in work may take to come to its end before a reading.
PATIENCE = 2 * 3600.0
#: Real seconds until the bot is up, or has answered a question.
GUARD = 60.0
#: How long what is done with is kept unless the settings say otherwise, in days.
DAYS: Final = 30
HORDE_USER: Final = "robin_rich"


class Soak:
    """A world, its people, and the bot whose readings are taken."""

    def __init__(
        self, sandbox: Sandbox, bot: BotProcess, file: Path, session: aiohttp.ClientSession, seed: int
    ) -> None:
        self._sandbox = sandbox
        self._bot = bot
        self._file = file
        self._session = session
        self.people = People(sandbox, seed)
        self.readings: list[Reading] = []
        self.complaints: list[str] = []
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        bot.listeners.append(self._listen)

    async def day(self, hours: float) -> None:
        """Let people act for so long, and read every hour what the bot holds once nothing is in work."""
        end = self._now + hours * 3600
        next_reading = self._now
        while self._now < end:
            if self._now >= next_reading:
                await self._settled()
                await self._read()
                next_reading = self._now + READ_EVERY
                await self.people.drop_gateway()
            await self.people.act()
            await self._pass(ACT_EVERY)
        await self._settled()
        await self._read()
        self.complaints += grown(self.readings)

    async def month(self, days: int) -> None:
        """Let nothing happen until everything should be forgotten, looking at the results after a day."""
        self._sandbox.horde.set_queue(0)  # strangers' jobs would be painted all month, for nobody to see
        await self._pass(timedelta(hours=25).total_seconds(), step=MONTH_STEP)
        await self._judge_retention()
        await self._pass(timedelta(days=days).total_seconds(), step=MONTH_STEP)
        await self._judge_retention()

    async def _judge_retention(self) -> None:
        await self._pass(1800.0, step=300.0)  # a purge comes every ten minutes
        self.complaints += overdue(self._file, self._sandbox.clock.now(), days=DAYS)
        await self._read()

    @property
    def _now(self) -> float:
        return self._sandbox.clock.monotonic()

    async def _pass(self, seconds: float, *, step: float | None = None) -> None:
        end = self._now + seconds
        while (left := end - self._now) > 0:
            await self._step(min(left, step or (BUSY_STEP if self._busy() else IDLE_STEP)))

    async def _step(self, seconds: float) -> None:
        if not self._bot.running:
            raise SoakError("\n".join(["the bot has ended", *self._bot.output(20)]))
        async with self._session.post(f"{self._sandbox.control_url}/clock", json={"advance": seconds}) as answer:
            answer.raise_for_status()
        await asyncio.sleep(BREATH)

    def _busy(self) -> bool:
        return unfinished(self._file) > 0

    async def _settled(self) -> None:
        """Let time pass until nothing is in work but what waits to be collected; complain if that does not come."""
        self._sandbox.faults.clear()
        end = self._now + PATIENCE
        while self._busy() and self._now < end:
            await self._step(BUSY_STEP)
        if self._busy():
            self.complaints.append(f"{unfinished(self._file)} jobs are in work after {PATIENCE / 3600:.0f} hours")

    async def _read(self) -> None:
        pid = self._bot.pid
        if pid is None:
            raise SoakError("the bot was never started")
        os.kill(pid, signal.SIGUSR1)
        async with asyncio.timeout(GUARD):
            told = await self._told.get()
        usage = Usage.of(pid)
        self.readings.append(
            Reading(
                at=self._sandbox.clock.now(),
                memory=usage.memory,
                objects=told["objects"],
                blocks=told["blocks"],
                tasks=told["tasks"],
                files=usage.files,
                rows=count_rows(self._file),
                size=sum(path.stat().st_size for path in self._file.parent.glob(f"{self._file.name}*")) / 1_000_000,
            )
        )
        sys.stderr.write(table(self.readings).splitlines()[-1] + "\n")

    def _listen(self, line: str) -> None:
        if line.startswith(MARK):
            self._told.put_nowait(json.loads(line.removeprefix(MARK)))


class SoakError(Exception):
    """The soak cannot go on."""


@asynccontextmanager
async def open_soak(seed: int) -> AsyncIterator[Soak]:
    """A world whose clock stands still unless moved, and the bot in it."""
    with tempfile.TemporaryDirectory(prefix="muster-soak-") as name:
        folder = Path(name)
        address_map = AddressMap.to_free_port(PUBLIC_URL)
        async with Sandbox(speed=4, seed=seed, address_map=address_map) as sandbox, aiohttp.ClientSession() as session:
            env = sandbox.settings_env(f"sqlite+aiosqlite:///{folder}/muster.db", horde_user=HORDE_USER)
            command = (sys.executable, "-m", "tools.soak.child", "--control-url", sandbox.control_url)
            bot = BotProcess(command, folder=folder, settings={**env, "LOG_LEVEL": "ERROR"})
            soak = Soak(sandbox, bot, folder / "muster.db", session, seed)
            await soak.people.arrive()
            await bot.start()
            try:
                await _until(lambda: bool(sandbox.discord.gateway.connected and sandbox.discord.world.commands[None]))
                sandbox.clock.set_rate(0)
                yield soak
            finally:
                await bot.kill()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(GUARD):
        while not condition():  # noqa: ASYNC110 - the world has no event for it
            await asyncio.sleep(0.02)


async def _run(hours: float, days: int, seed: int) -> Soak:
    async with open_soak(seed) as soak:
        await soak.day(hours)
        if days:
            await soak.month(days)
        return soak


def main(argv: Sequence[str] | None = None) -> int:
    """Live through it, print the table, and return 1 if anything grew or stayed."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="of mixed use (default: %(default)s)")
    parser.add_argument("--days", type=int, default=DAYS + 1, help="without use afterwards (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default: %(default)s)")
    args = parser.parse_args(argv)
    began = time.monotonic()
    soak = asyncio.run(_run(args.hours, args.days, args.seed))
    acts = ", ".join(f"{count} {name}" for name, count in sorted(soak.people.done.items()))
    took = f"{time.monotonic() - began:.0f} s, load average {load_average()}"
    sys.stdout.write(f"{Machine.this()}\n{took}; seed {args.seed}\n{acts}\n\n{table(soak.readings)}\n\n")
    for complaint in soak.complaints:
        sys.stdout.write(f"FAILED: {complaint}\n")
    sys.stdout.write("" if soak.complaints else "Nothing grew, and retention deleted what it should.\n")
    return 1 if soak.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
