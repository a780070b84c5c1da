from __future__ import annotations

import json
import re

import pytest

from bot.__main__ import main
from bot.sandbox import demo
from bot.sandbox.sabotage import FINAL_EDIT, SABOTAGES, Sabotage
from bot.sandbox.scenarios import SCENARIOS
from bot.sandbox.scenarios.base import Scenario

CANCEL = [{"type": 1, "components": [{"type": 2, "custom_id": "job:cancel:1"}]}]
AGAIN = [{"type": 1, "components": [{"type": 2, "custom_id": "job:again:1"}]}]


@pytest.mark.parametrize(
    ("edit", "final"),
    [
        pytest.param({"components": CANCEL, "embeds": [{"description": "▰▱"}]}, False, id="progress"),
        pytest.param({"embeds": [{"description": "▰▱"}], "components": AGAIN}, False, id="a bar is left"),
        pytest.param({"components": CANCEL, "embeds": [{"description": "hm"}]}, False, id="cancel is left"),
        pytest.param({"embeds": [{"description": "no buttons"}]}, False, id="buttons untouched"),
        pytest.param({"components": AGAIN, "embeds": [{"description": "Done\n4"}]}, True, id="the end"),
        pytest.param({"embeds": [{"description": "Done"}], "components": AGAIN}, True, id="the end, other order"),
    ],
)
def test_the_final_edit_is_told_from_the_others(edit: dict[str, object], final: bool) -> None:
    written = json.dumps(edit, ensure_ascii=False, separators=(",", ":"))
    assert (re.search(FINAL_EDIT, written) is not None) is final


def test_every_sabotage_hurts_something_and_every_scenario_can_be_hurt() -> None:
    assert {name for each in SABOTAGES.values() for name in each.hurts} == set(SCENARIOS)
    assert [each.name for each in SABOTAGES.values() if not each.hurts] == []


def test_a_sabotage_that_cannot_hurt_a_scenario_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played: list[tuple[str, str]] = []

    async def play(scenario: Scenario, sabotage: Sabotage, **_: object) -> int:
        played.append((scenario.name, sabotage.name))
        return 1

    monkeypatch.setattr(demo, "play_scenario", play)
    pairs = [(scenario, sabotage) for scenario in SCENARIOS for sabotage in SABOTAGES]
    codes = {(one, two): main(["demo", "--headless", "--scenario", one, "--sabotage", two]) for one, two in pairs}

    hurting = [(one, two) for one, two in pairs if one in SABOTAGES[two].hurts]
    assert played == hurting
    assert [pair for pair in pairs if codes[pair] != (1 if pair in hurting else 2)] == []
    refusal = "lead-calls-astray cannot hurt imagine, which would pass all the same. What can: lose-a-file, "
    assert refusal in capsys.readouterr().err
