"""What was read while time passed, and whether it grew: values in, table and complaints out."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

#: Tables whose rows are counted.
TABLES: Final = ("jobs", "artifacts", "turns", "turn_messages", "inbox", "processes")
#: The warm-up is left out: caches fill, modules are loaded when first used.
WARM_UP: Final = timedelta(hours=4)
#: By how much the last third of a day may lie above the one before; what is above is a leak.
MAY_GROW: Final[Mapping[str, float]] = {"memory": 12.0, "objects": 15_000, "blocks": 40_000, "tasks": 3, "files": 4}
#: Results stay so long after their delivery; a purge comes every ten minutes.
RESULTS_KEPT: Final = timedelta(hours=24)
PURGE_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The bot and its database at one moment, with nothing in work."""

    at: datetime
    #: MB.
    memory: float
    #: Objects that the garbage collector knows, and blocks of memory that Python holds.
    objects: int
    blocks: int
    tasks: int
    files: int
    rows: Mapping[str, int]
    #: The database file, MB.
    size: float


def table(readings: Sequence[Reading]) -> str:
    """Lay them out, a line each."""
    began = readings[0].at
    lines = [f"{'hour':>6} {'MB':>7} {'objects':>8} {'blocks':>9} {'tasks':>6} {'files':>6} {'db MB':>7}  rows"]
    for reading in readings:
        rows = " ".join(f"{name}={count}" for name, count in reading.rows.items())
        lines.append(
            f"{(reading.at - began) / timedelta(hours=1):6.1f} {reading.memory:7.1f} {reading.objects:8d} "
            f"{reading.blocks:9d} {reading.tasks:6d} {reading.files:6d} {reading.size:7.1f}  {rows}"
        )
    return "\n".join(lines)


def grown(readings: Sequence[Reading]) -> list[str]:
    """What lies higher in the last third than in the one before, the warm-up left out, by more than it may."""
    later = [reading for reading in readings if reading.at - readings[0].at >= WARM_UP]
    third = len(later) // 3
    if third == 0:
        return []
    complaints = []
    for name, most in MAY_GROW.items():
        before, after = (_middle(part, name) for part in (later[-2 * third : -third], later[-third:]))
        if after - before > most:
            complaints.append(f"{name} grew from {before:.0f} to {after:.0f} in the last third of the day")
    return complaints


def overdue(file: Path, now: datetime, *, days: int) -> list[str]:
    """What retention should have deleted by now and has not."""
    results = now - RESULTS_KEPT - 2 * PURGE_EVERY
    rows = now - timedelta(days=days) - 2 * PURGE_EVERY
    delivered = "SELECT count(*) FROM artifacts JOIN jobs ON jobs.id = job_id WHERE delivered_at < ?"
    questions = {
        "results delivered more than a day ago": (delivered, results),
        f"jobs done with more than {days} days ago": ("SELECT count(*) FROM jobs WHERE delivered_at < ?", rows),
        f"turns older than {days} days": ("SELECT count(*) FROM turns WHERE created_at < ?", rows),
        f"calls of services older than {days} days": ("SELECT count(*) FROM inbox WHERE received_at < ?", rows),
    }
    found = {what: _number(file, query, (_micros(before),)) for what, (query, before) in questions.items()}
    return [f"{count} {what} are still there" for what, count in found.items() if count]


def unfinished(file: Path) -> int:
    """How many jobs are not done with; those whose end waits a day to be collected are not among them."""
    parked = "(stage = 'delivering' AND due_at - ended_at > 3600000000)"
    query = "SELECT count(*) FROM jobs WHERE accepted_at > 0 AND stage <> 'ended' AND NOT " + parked  # noqa: S608
    return _number(file, query)


def count_rows(file: Path) -> dict[str, int]:
    """The rows of each table."""
    return {name: _number(file, f"SELECT count(*) FROM {name}") for name in TABLES}  # noqa: S608 - our own names


def _middle(readings: Sequence[Reading], name: str) -> float:
    return statistics.median(float(getattr(reading, name)) for reading in readings)


def _number(file: Path, query: str, values: tuple[int, ...] = ()) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return int(database.execute(query, values).fetchone()[0])


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
