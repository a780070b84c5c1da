"""`python -m tests.crash`: the bot dies at every point along every story; the exit code says whether all ended well."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.crash.batches import count, play_batch
from tests.crash.cases import Case
from tests.crash.rims import Point
from tests.crash.stories import STORIES

#: Deaths in one world.
BATCH = 25


def main() -> int:
    """Count the points, die at each, and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--story", action="append", choices=sorted(STORIES), help="only this one; may be repeated")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th point")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="worlds side by side")
    args = parser.parse_args()
    began = time.monotonic()
    batches = [batch for story in args.story or STORIES for batch in _batches(story, args.every)]
    cases = _play_all(batches, args.workers)
    _report(cases, time.monotonic() - began)
    if args.every == 1 and not _all_between(cases):
        _print("FAILED: a story never died between submitting and its answer, so that was not tried")
        return 1
    return 1 if any(case.wrong for case in cases) else 0


def _batches(story: str, every: int) -> list[tuple[str, list[Point]]]:
    points = asyncio.run(count(story))
    _print(f"{story}: {len(points)} points")
    chosen = points[::every]
    return [(story, chosen[first : first + BATCH]) for first in range(0, len(chosen), BATCH)]


def _play_all(batches: Sequence[tuple[str, list[Point]]], workers: int) -> list[Case]:
    played: list[Case] = []
    # Spawned: each has an event loop and a forkserver of its own.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(play_batch, story, points) for story, points in batches]):
            played += done.result()
            failed = [case for case in done.result() if case.wrong]
            _print(f"{len(played):5} deaths{''.join(f'{chr(10)}FAILED {case}' for case in failed)}")
    return played


def _all_between(cases: Sequence[Case]) -> bool:
    """Whether every story died at least once between a submission and its answer."""
    return {case.story for case in cases} == {case.story for case in cases if case.between}


def _report(cases: Sequence[Case], seconds: float) -> None:
    _print(f"\n{'story':<10}{'deaths':>8}{'between submit and answer':>28}{'failures':>10}")
    for story in dict.fromkeys(case.story for case in cases):
        mine = [case for case in cases if case.story == story]
        between, failed = sum(case.between for case in mine), sum(bool(case.wrong) for case in mine)
        _print(f"{story:<10}{len(mine):>8}{between:>28}{failed:>10}")
    failed = sum(bool(case.wrong) for case in cases)
    _print(f"{len(cases)} points, {failed} failures, {seconds:.0f} s")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
