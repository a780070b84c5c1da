"""`make soak` notices what grows and what stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.domain.stages import Stage
from bot.store.engine import open_database
from bot.store.jobs import SqlJobStore
from tests.factories import NOW, make_job
from tools.soak.readings import Reading, count_rows, grown, overdue, table, unfinished


def _reading(hour: int, **values: float) -> Reading:
    held = {"memory": 100.0, "objects": 1000, "blocks": 9000, "tasks": 20, "files": 20, **values}
    return Reading(at=NOW + timedelta(hours=hour), rows={"jobs": hour}, size=1.0, **held)  # type: ignore[arg-type]


def test_growth_is_told_and_a_warm_up_is_none() -> None:
    warm = [_reading(hour, memory=min(hour, 4) * 30.0) for hour in range(25)]
    leaking = [_reading(hour, tasks=20 + hour) for hour in range(25)]
    assert grown(warm) == []
    assert [complaint.split()[0] for complaint in grown(leaking)] == ["tasks"]
    assert "jobs=24" in table(leaking)


async def test_what_retention_forgot_is_told(tmp_path: Path) -> None:
    file = tmp_path / "muster.db"
    async with open_database(f"sqlite+aiosqlite:///{file}") as database:
        store = SqlJobStore(database)
        await store.add(make_job(stage=Stage.ENDED))
        await store.add(make_job(stage=Stage.WAITING))
    assert (unfinished(file), count_rows(file)["jobs"]) == (1, 2)
    assert overdue(file, NOW + timedelta(days=29), days=30) == []
    assert overdue(file, NOW + timedelta(days=31), days=30) == [
        "1 jobs done with more than 30 days ago are still there"
    ]
