"""`python -m tests.chaos`: random deaths and mishaps; the exit code says whether all was kept."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.chaos.audit import summed
from tests.chaos.worlds import play_world, say

#: Rounds in one world; more of them are played in several worlds, each with a seed of its own, side by side.
WORLD = 50


def main() -> int:
    """Draw the plans, let them come true, and print the audit."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="how often people ask and mishaps strike")
    parser.add_argument("--seed", type=int, default=None, help="draws the same plan again")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="worlds side by side")
    args = parser.parse_args()
    seed = random.randrange(1_000_000) if args.seed is None else args.seed
    say(f"{args.rounds} rounds with seed {seed}: `make chaos ROUNDS={args.rounds} SEED={seed}` draws the same plan")
    began = time.monotonic()
    worlds = _worlds(args.rounds, seed)
    # Spawned: each has an event loop and a forkserver of its own.
    with ProcessPoolExecutor(args.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        audits = list(pool.map(play_world, *zip(*worlds, strict=True)))
    found = summed(audits)
    say(str(found))
    for (rounds, its_seed), its in zip(worlds, audits, strict=True):
        if not its.passed and len(worlds) > 1:
            say(f"that world alone: `make chaos ROUNDS={rounds} SEED={its_seed}`")
    say(f"{'PASSED' if found.passed else 'FAILED'} after {time.monotonic() - began:.0f} s")
    return 0 if found.passed else 1


def _worlds(rounds: int, seed: int) -> Sequence[tuple[int, int]]:
    """Rounds and seed of each world; the first has the seed that was asked for."""
    return [(min(WORLD, rounds - done), seed + number) for number, done in enumerate(range(0, rounds, WORLD))]


if __name__ == "__main__":
    sys.exit(main())
