"""`python -m tests.crash`: the bot dies at every point along every story; the exit code says whether all ended well."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from random import Random

from tests.crash.batches import count_points, play_batch
from tests.crash.cases import AWAY, Case, Death
from tests.crash.rims import Point
from tests.crash.stories import SISTERS, STORIES, Sister

#: Deaths in one world.
BATCH = 25
#: One death in so many is followed by another, amid so many points of a start and what it finds to do.
AGAIN_EVERY, RECOVERY = 5, 100
#: After one in so many the bot is away until every token is dead.
AWAY_EVERY = 6


def main() -> int:
    """Count the points, die at each, and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--story", action="append", choices=sorted(STORIES), help="only this one; may be repeated")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th point")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="worlds side by side")
    args = parser.parse_args()
    began = time.monotonic()
    # Spawned: each has an event loop and a forkserver of its own.
    with ProcessPoolExecutor(args.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        cases = _play_all(pool, args.story or tuple(STORIES), args.every)
    _report(cases, time.monotonic() - began)
    if args.every == 1 and not _all_between(cases):
        _print("FAILED: a story never died between submitting and its answer, so that was not tried")
        return 1
    return 1 if any(case.wrong for case in cases) else 0


def _play_all(pool: Executor, stories: Sequence[str], every: int) -> list[Case]:
    batches: list[tuple[str, list[Death]]] = []
    counted = dict(zip(stories, pool.map(count_points, stories), strict=True))
    for story, points in counted.items():
        sister = SISTERS.get(story)
        own = _own(points, counted[sister.story], sister) if sister and sister.story in counted else points
        _print(f"{story}: {len(points)} points{f', {len(own)} of its own' if len(own) < len(points) else ''}")
        deaths = _deaths(story, own[::every])
        batches += [(story, deaths[first : first + BATCH]) for first in range(0, len(deaths), BATCH)]
    planned, played = sum(len(deaths) for _, deaths in batches), list[Case]()
    for done in as_completed([pool.submit(play_batch, story, deaths) for story, deaths in batches]):
        played += done.result()
        failed = [case for case in done.result() if case.wrong]
        _print(f"{len(played):5} of {planned} deaths{''.join(f'{chr(10)}FAILED {case}' for case in failed)}")
    return played


def _own(points: Sequence[Point], sisters: Sequence[Point], sister: Sister) -> list[Point]:
    """The points that the sister has not, those around them, and some of the others."""
    known = {point.name for point in sisters}
    own = [number for number, point in enumerate(points) if point.name not in known]
    near = {one for number in own for one in range(number - sister.around, number + sister.around + 1)}
    others = [number for number in range(len(points)) if number not in near]
    kept = near | {*others[:: sister.every]}
    return [point for number, point in enumerate(points) if number in kept]


def _deaths(story: str, points: Sequence[Point]) -> list[Death]:
    """Each point, and what else befalls the bot after some of them; the same points always give the same."""
    rng = Random(story)
    return [
        Death(
            point=point,
            again=rng.randint(1, RECOVERY) if n % AGAIN_EVERY == 0 else 0,
            away=AWAY if n % AWAY_EVERY == 0 else 0.0,
        )
        for n, point in enumerate(points)
    ]


def _all_between(cases: Sequence[Case]) -> bool:
    """Whether every story died at least once between a submission and its answer."""
    return {case.story for case in cases} == {case.story for case in cases if case.between}


def _report(cases: Sequence[Case], seconds: float) -> None:
    _print(f"\n{'story':<10}{'deaths':>8}{'and again':>11}{'and away':>10}{'amid submitting':>17}{'failures':>10}")
    for story in dict.fromkeys(case.story for case in cases):
        mine = [case for case in cases if case.story == story]
        between, failed = sum(case.between for case in mine), sum(bool(case.wrong) for case in mine)
        again, away = sum(case.again > 0 for case in mine), sum(case.death.away > 0 for case in mine)
        _print(f"{story:<10}{len(mine):>8}{again:>11}{away:>10}{between:>17}{failed:>10}")
    failed = sum(bool(case.wrong) for case in cases)
    _print(f"{len(cases)} points, {failed} failures, {seconds:.0f} s")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
