"""One plan in one world: what each of several processes does for `make chaos`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.chaos.audit import Audit, audit
from tests.chaos.plan import draw
from tests.chaos.play import Chaos, open_chaos
from tests.crash.batches import silence_the_world

#: Rounds between two lines that say how far a world is.
TELL_EVERY = 10
#: Lines of the bot's log shown when something went wrong.
LOG_TAIL = 60


def play_world(rounds: int, seed: int) -> Audit:
    """Let the plan of this seed come true, telling how far it is, and judge what came of it."""
    silence_the_world()
    return asyncio.run(_play(rounds, seed))


async def _play(rounds: int, seed: int) -> Audit:
    with tempfile.TemporaryDirectory(prefix="muster-chaos-") as folder:
        async with open_chaos(Path(folder)) as chaos:
            await chaos.play(draw(rounds, seed), told=lambda number: _tell(chaos, number, rounds, seed))
            found = audit(chaos)
            if not found.passed:
                say("\n".join(chaos.lives.bot.output(LOG_TAIL)))
            return found


def _tell(chaos: Chaos, number: int, rounds: int, seed: int) -> None:
    if number % TELL_EVERY == 0 or number == rounds:
        so_far = chaos.record
        counts = f"{len(so_far.asked)} jobs, {so_far.kills} kills, {so_far.faults} faults"
        say(f"seed {seed}: round {number} of {rounds}, {counts}")


def say(line: str) -> None:
    """Print a line at once, whoever reads it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
