"""`make bench` measures what it says: its arithmetic, and one short measurement of everything it begins with."""

from __future__ import annotations

import os

from tools.bench.figures import Figure, percentile, table
from tools.bench.seeding import seed
from tools.bench.stage import open_stage
from tools.bench.usage import Usage


def test_a_promise_is_kept_by_the_median_or_by_every_run() -> None:
    values = (1.0, 9.0, 2.0)
    assert Figure(name="median", values=values, unit="s", target=2).kept
    assert not Figure(name="each", values=values, unit="s", target=2, always=True).kept
    assert Figure(name="no promise", values=values, unit="s").kept
    missed = table([Figure(name="each", values=values, unit="s", target=2, always=True)])
    assert "2 s" in missed
    assert "MISSED" in missed


def test_percentiles_were_really_seen() -> None:
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile(range(1, 101), 1) == 100
    assert percentile([7.0], 0.5) == 7.0


def test_usage_is_read_of_a_process_that_runs() -> None:
    usage = Usage.of(os.getpid())
    assert usage.peak >= usage.memory > 1
    assert usage.files > 0


async def test_seeded_jobs_are_taken_up_by_the_bot() -> None:
    async with open_stage(None) as stage:
        await stage.furnish(people=2, channels=2)
        remote_ids = await seed(stage, 3)
        await stage.bot.start()
        looks = stage.sandbox.calls.find
        await stage.until(lambda: all(looks(path=f"/generate/(check|status)/{one}") for one in remote_ids))
