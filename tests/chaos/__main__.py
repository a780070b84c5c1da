"""`python -m tests.chaos`: random deaths and mishaps; the exit code says whether all was kept."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.audit import Audit, audit
from tests.chaos.plan import draw
from tests.chaos.play import open_chaos

#: Lines of the bot's log shown when something went wrong.
LOG_TAIL = 60


def main() -> int:
    """Draw a plan, let it come true, and print the audit."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="how often people ask and mishaps strike")
    parser.add_argument("--seed", type=int, default=None, help="draws the same plan again")
    args = parser.parse_args()
    seed = random.randrange(1_000_000) if args.seed is None else args.seed
    _print(f"{args.rounds} rounds with seed {seed}: `make chaos ROUNDS={args.rounds} SEED={seed}` draws the same plan")
    began = time.monotonic()
    found = asyncio.run(_play(args.rounds, seed))
    _print(str(found))
    _print(f"{'PASSED' if found.passed else 'FAILED'} after {time.monotonic() - began:.0f} s")
    return 0 if found.passed else 1


async def _play(rounds: int, seed: int) -> Audit:
    with tempfile.TemporaryDirectory(prefix="muster-chaos-") as folder:
        async with open_chaos(Path(folder)) as chaos:
            await chaos.play(draw(rounds, seed))
            found = audit(chaos)
            if not found.passed:
                _print("\n".join(chaos.lives.bot.output(LOG_TAIL)))
            return found


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
