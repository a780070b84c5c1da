"""A short chaos passes; the auditor notices every planted defect; `make chaos` plays as long as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.audit import audit
from tests.chaos.plan import Ask, Fault, Kill, Round, draw
from tests.chaos.play import open_chaos
from tests.crash.defects import Defect
from tests.flow.lives import WITH_FILES


def one_death(story: str, at: Fault | None) -> list[Round]:
    """One thing is asked for, and the bot dies as it meets the fault."""
    ask = Ask(story=story, person=0, channel=0, private=False, count=1)
    return [Round(asks=(ask,), kill=Kill(after=120.0 if at else 2.0, at=at, down=0.0))]


def test_same_seed_draws_the_same_plan() -> None:
    assert list(draw(30, seed=7)) == list(draw(30, seed=7))
    assert list(draw(30, seed=7)) != list(draw(30, seed=8))


@pytest.mark.timeout(300)  # many lives: a machine with other things to do may be slow
async def test_a_short_chaos_breaks_no_promise(tmp_path: Path) -> None:
    async with open_chaos(tmp_path) as chaos:
        record = await chaos.play(draw(4, seed=6))
        found = audit(chaos)
    assert found.passed, str(found)
    assert record.kills
    assert record.faults
    assert found.ends["answered"]


@pytest.mark.parametrize(
    ("defect", "story", "at", "what", "why"),
    [
        pytest.param(
            Defect.RESUBMIT,
            "alchemy",
            {"service": "horde", "method": "POST", "path": "/interrogate/async$", "action": "reset_after"},
            "duplicated",
            "2 requests were made",
            id="resubmit",
        ),
        pytest.param(
            Defect.FORGET_FILES,
            "image",
            {"service": "discord", "method": "PATCH", "body_matches": WITH_FILES, "action": "reset_after"},
            "duplicated",
            "files only",
            id="forget-files",
        ),
        pytest.param(Defect.LOSE_MARK, "text", None, "duplicated", "with nothing left to do", id="lose-mark"),
    ],
)
async def test_auditor_notices_a_planted_defect(
    defect: Defect, story: str, at: Fault | None, what: str, why: str, tmp_path: Path
) -> None:
    async with open_chaos(tmp_path, defect=defect) as chaos:
        await chaos.play(one_death(story, at), patience=90.0)
        found = audit(chaos)
    assert not found.passed
    assert any(wrong.what == what and why in wrong.why for wrong in found.wrong), str(found)
