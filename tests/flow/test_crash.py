"""The bot dies at one point of each kind and comes back; `make crash` does the same at every point there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.crash.cases import AWAY, Death, open_cases
from tests.crash.defects import Defect
from tests.crash.rims import Point
from tests.crash.stories import SISTERS, STORIES

#: Between the leaving of a submission and its answer.
SUBMITTED = {
    "image": Point(name="amid horde POST /api/v2/generate/async", nth=1),
    "text": Point(name="amid horde POST /api/v2/generate/text/async", nth=1),
    "alchemy": Point(name="amid horde POST /api/v2/interrogate/async", nth=1),
    "osais": Point(name="amid osais POST /api/v1/private/client/ai/diffusion", nth=1),
}
#: When a message beside the reply has left, and its id is not yet known.
BESIDE = {
    "tale": Point(name="amid discord POST /api/v10/channels/…/messages", nth=1),
    "heap": Point(name="amid discord POST+files /api/v10/webhooks/…/…", nth=1),
}
#: After Discord has taken a reply's files, before that is noted.
ATTACHED = Point(name="after discord PATCH+files /api/v10/webhooks/…/…/messages/@original", nth=1)
#: Of each kind, one of these if there is one: where most is at stake.
TELLING = re.compile(r"/async$|\+files|UPDATE jobs")


def one_of_each_kind(points: Sequence[Point]) -> list[Point]:
    """The middle one of each kind, of the telling ones where there are any."""
    kinds: dict[str, list[Point]] = {}
    for point in points:
        kinds.setdefault(point.kind, []).append(point)
    telling = {kind: [point for point in those if TELLING.search(point.name)] or those for kind, those in kinds.items()}
    return [those[len(those) // 2] for those in telling.values()]


@pytest.mark.timeout(300)  # many lives: a machine with other things to do may be slow
async def test_death_at_a_point_of_each_kind_breaks_no_promise(tmp_path: Path) -> None:
    async with open_cases(tmp_path) as cases:
        points = await cases.count("image")
        print(f"{len(points)} points along an image")
        assert SUBMITTED["image"] in points
        deaths = [("image", point) for point in one_of_each_kind(points)]
        deaths += [(story, point) for story, point in SUBMITTED.items() if story != "image"]
        played = [await cases.play(story, Death(point=point)) for story, point in deaths]
    assert [str(case) for case in played if case.wrong] == []
    assert {case.story for case in played if case.between} == set(STORIES) - set(SISTERS) == set(SUBMITTED)
    assert len({case.death.point.kind for case in played}) >= 13, "statements, commits, and three services' requests"


@pytest.mark.timeout(300)
async def test_death_while_a_service_calls_or_a_message_is_answered_breaks_no_promise(tmp_path: Path) -> None:
    """One of them is followed by another death, amid the recovery."""
    async with open_cases(tmp_path, door=True) as cases:
        deaths = {
            "webhook": Death(point=Point(name="amid door POST /hook/horde/…", nth=1)),
            "callback": Death(point=Point(name="amid door POST /cb/…/upload", nth=1), again=20),
            "mention": Death(point=Point(name="after discord POST /api/v10/channels/…/messages", nth=1)),
        }
        played = [await cases.play(story, death) for story, death in deaths.items()]
    assert [str(case) for case in played if case.wrong] == []
    assert [case.again for case in played] == [0, 20, 0]
    assert set(deaths) | set(BESIDE) == set(SISTERS)


@pytest.mark.timeout(300)
async def test_death_amid_a_further_message_breaks_no_promise_however_long_it_lasts(tmp_path: Path) -> None:
    """Once the token is dead, a public answer is shown by the bot's own, and a private one waits to be collected."""
    deaths = [
        ("tale", Death(point=BESIDE["tale"])),
        ("tale", Death(point=BESIDE["tale"], away=AWAY)),
        ("heap", Death(point=BESIDE["heap"], away=AWAY)),
        ("heap", Death(point=SUBMITTED["alchemy"], away=AWAY)),
    ]
    async with open_cases(tmp_path) as cases:
        played = [await cases.play(story, death) for story, death in deaths]
    assert [str(case) for case in played if case.wrong] == []


@pytest.mark.parametrize(
    ("defect", "story", "broken"),
    [
        pytest.param(Defect.RESUBMIT, "alchemy", "duplicated: 2 requests", id="resubmit"),
        pytest.param(Defect.FORGET_FILES, "image", "duplicated: of ", id="forget-files"),
        pytest.param(Defect.LOSE_MARK, "image", "the row says delivering", id="lose-mark"),
    ],
)
async def test_planted_defect_is_noticed(defect: Defect, story: str, broken: str, tmp_path: Path) -> None:
    point = SUBMITTED[story] if story == "alchemy" else ATTACHED
    async with open_cases(tmp_path, defect=defect) as cases:
        case = await cases.play(story, Death(point=point))
    assert broken in str(case)
